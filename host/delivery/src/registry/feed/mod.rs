//! How a host hears of what the registry says: by notifications, and by looking now and then.
//! Never: changes the registry, or acts upon what it says.

mod follow;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{Registry, Slots};

/// How often a feed looks by itself.
#[derive(Debug, Clone, Copy)]
pub struct Poll {
    /// How long a change may go unnoticed when its notification is lost, and how long after its
    /// last look a feed looks again: 100 ms to a day. Each look wakes a database that sleeps when
    /// it is idle.
    pub interval: Duration,
    /// How long connecting or one look may take.
    pub patience: Duration,
    /// Whether to listen, which takes a connection of the feed's own; a pooled endpoint cannot.
    pub listen: bool,
}

impl Default for Poll {
    fn default() -> Poll {
        Poll { interval: Duration::from_secs(10), patience: Duration::from_secs(10), listen: true }
    }
}

/// How a feed does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Following {
    /// It has not read anything yet.
    Starting,
    /// Changes are told as they happen.
    Listening,
    /// Changes are seen within the interval.
    Polling {
        /// Why it does not listen, with what to do about it.
        reason: String,
    },
    /// The registry cannot be read; the feed goes on trying.
    Failing {
        /// Why not.
        reason: String,
    },
}

/// Follows a registry. Dropped, it ends its task and its connection.
#[derive(Debug)]
pub struct Feed {
    slots: watch::Receiver<Option<Arc<Slots>>>,
    following: watch::Receiver<Following>,
    task: AbortHandle,
}

impl Feed {
    /// Begins to follow. Never fails: what goes wrong is tried again, and told by
    /// [`Feed::following`] and in the log. Needs a Tokio runtime.
    pub fn start(registry: &Registry, poll: Poll) -> Feed {
        let (slots, told) = watch::channel(None);
        let (following, state) = watch::channel(Following::Starting);
        let task = tokio::spawn(follow::follow(registry.clone(), poll, slots, following));
        Feed { slots: told, following: state, task: task.abort_handle() }
    }

    /// Waits until the registry has changed since the last call, and says what it says now; at
    /// first as soon as it could be read. Several changes in between are told as one.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) -> Arc<Slots> {
        while self.slots.changed().await.is_ok() {
            if let Some(slots) = self.slots.borrow_and_update().clone() {
                return slots;
            }
        }
        // The runtime is going down, and its tasks with it.
        std::future::pending().await
    }

    /// How it does at the moment.
    pub fn following(&self) -> Following {
        self.following.borrow().clone()
    }

    /// Hears of how it does, beside what the registry says.
    pub fn watch_following(&self) -> FollowingWatch {
        FollowingWatch(self.following.clone())
    }
}

/// Hears of how a feed does.
#[derive(Debug, Clone)]
pub struct FollowingWatch(watch::Receiver<Following>);

impl FollowingWatch {
    /// Waits until the feed does otherwise than when this was asked last, and says how. Never ends
    /// once the feed has.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) -> Following {
        if self.0.changed().await.is_ok() {
            return self.0.borrow_and_update().clone();
        }
        std::future::pending().await
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
