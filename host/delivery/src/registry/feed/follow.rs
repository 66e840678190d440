//! The task behind a feed. Never: gives up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use avenire_postgres::{Error, Notifications, Row, Session};
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::{Following, Poll};
use crate::registry::change::CHANNEL;
use crate::registry::connection::within;
use crate::registry::record::{self, SLOTS, SlotRecord, Slots, cell};
use crate::registry::{Registry, RegistryError, jitter};

/// What is asked at each look; the slots are read when it has moved.
const REVISION: &str = "select revision from _avenire.registry";

/// How long the wait after a failure is at first; it doubles with each one that follows.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// How long it is at most.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// More than this counts as this.
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

/// The connection on which notifications arrive. Looks go over it too, so that one that is dead
/// without having said so is found out.
struct Listener {
    session: Session,
    notifications: Notifications,
    since: Instant,
}

struct Follower {
    registry: Registry,
    poll: Poll,
    listener: Option<Listener>,
    /// When to try again to have one.
    listen_at: Instant,
    /// Why there is none.
    silence: String,
    /// Failures since the last time that all was well for a while.
    failures: u32,
    /// What was told last.
    revision: Option<i64>,
    slots: Vec<SlotRecord>,
    problems: Vec<String>,
    told: watch::Sender<Option<Arc<Slots>>>,
    following: watch::Sender<Following>,
}

/// Follows the registry until the task is aborted.
pub(super) async fn follow(
    registry: Registry,
    poll: Poll,
    told: watch::Sender<Option<Arc<Slots>>>,
    following: watch::Sender<Following>,
) {
    let mut follower = Follower {
        registry,
        poll: Poll {
            interval: poll.interval.clamp(FIRST_WAIT, LONGEST_INTERVAL),
            patience: poll.patience.min(LONGEST_INTERVAL),
            ..poll
        },
        listener: None,
        listen_at: Instant::now(),
        silence: String::new(),
        failures: 0,
        revision: None,
        slots: Vec::new(),
        problems: Vec::new(),
        told,
        following,
    };
    loop {
        let until = follower.turn().await;
        follower.wait(until).await;
    }
}

impl Follower {
    /// Listens if it can, and looks. When to do so again.
    async fn turn(&mut self) -> Instant {
        let listens = self.may_listen();
        if listens && self.listener.is_none() && Instant::now() >= self.listen_at {
            self.listen().await;
        }
        // After it has begun to listen: what changed before is seen now, what changes later is told.
        let look = self.look().await;
        let interval = self.poll.interval;
        let mut wait = interval.saturating_sub(jitter(interval / 8));
        match look {
            Ok(()) => {
                let listener = self.listener.as_ref();
                let has_lasted = |one: &Listener| one.since.elapsed() > LONGEST_WAIT;
                if !listens || listener.is_some_and(has_lasted) {
                    self.failures = 0;
                }
                self.say(None);
            }
            Err(error) => {
                self.lost(String::new());
                wait = wait.min(self.pause());
                self.say(Some(error.in_full()));
            }
        }
        let now = Instant::now();
        let until = now + wait;
        if listens && self.listener.is_none() { until.min(self.listen_at.max(now)) } else { until }
    }

    fn may_listen(&mut self) -> bool {
        let reason = if !self.poll.listen {
            "listening is turned off"
        } else if self.registry.endpoint().is_pooled() {
            "the endpoint is pooled, and passes no notifications on: give the database's direct URL \
             in `direct-url`"
        } else {
            return true;
        };
        reason.clone_into(&mut self.silence);
        false
    }

    async fn listen(&mut self) {
        let deadline = Instant::now() + self.poll.patience;
        let begun = async {
            let session = Session::connect(self.registry.endpoint(), deadline).await?;
            let notifications = within(deadline, session.listen(CHANNEL)).await?;
            Ok::<_, Error>(Listener { session, notifications, since: Instant::now() })
        };
        match begun.await {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => self.lost(error.to_string()),
        }
    }

    /// Reads what has changed, if anything has, and tells it.
    async fn look(&mut self) -> Result<(), RegistryError> {
        let deadline = Instant::now() + self.poll.patience;
        let rows = self.rows(REVISION, deadline).await?;
        let revision = match rows.first() {
            Some(row) => Some(cell!(row, "revision", "the registry's revision")?),
            None => None,
        };
        // What could not be read may be put right without a new revision.
        if revision.is_some() && revision == self.revision && self.problems.is_empty() {
            return Ok(());
        }
        let slots = record::slots(&self.rows(SLOTS, deadline).await?)?;
        self.tell_problems(&slots);
        if self.revision != Some(slots.revision) || self.slots != slots.slots {
            self.revision = Some(slots.revision);
            self.slots.clone_from(&slots.slots);
            self.told.send_replace(Some(Arc::new(slots)));
        }
        Ok(())
    }

    async fn rows(&self, sql: &str, deadline: Instant) -> Result<Vec<Row>, RegistryError> {
        let doing = "look at the registry";
        match &self.listener {
            Some(listener) => {
                let rows = within(deadline, listener.session.query(sql, &[])).await;
                rows.map_err(|error| self.registry.error(doing, error))
            }
            None => self.registry.rows(doing, sql, &[], deadline).await,
        }
    }

    fn tell_problems(&mut self, slots: &Slots) {
        let problems: Vec<String> = slots.problems.iter().map(ToString::to_string).collect();
        if self.problems != problems {
            for problem in &slots.problems {
                tracing::warn!(%problem, hint = problem.hint(), "a slot was left out");
            }
            self.problems = problems;
        }
    }

    /// Says how the feed does, in the log only when that has changed.
    fn say(&self, failure: Option<String>) {
        let now = match failure {
            Some(reason) => Following::Failing { reason },
            None if self.listener.is_some() => Following::Listening,
            None => Following::Polling { reason: self.silence.clone() },
        };
        let mut was = self.following.borrow().clone();
        if was != now {
            was = self.following.send_replace(now.clone());
        }
        if std::mem::discriminant(&was) == std::mem::discriminant(&now) {
            return;
        }
        match &now {
            Following::Starting | Following::Listening => {
                tracing::info!("following the registry");
            }
            Following::Polling { reason } => {
                tracing::warn!(reason, "looking at the registry now and then only");
            }
            Following::Failing { reason } => {
                tracing::warn!(reason, "the registry cannot be read; trying again");
            }
        }
    }

    /// How long to wait after so many failures.
    fn pause(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let wait = FIRST_WAIT.saturating_mul(1_u32 << doublings).min(LONGEST_WAIT);
        wait / 2 + jitter(wait / 2)
    }

    /// Until then, or until somebody notifies, or the listener's connection ends.
    async fn wait(&mut self, until: Instant) {
        let arrived = async {
            match &mut self.listener {
                Some(listener) => listener.notifications.arrived().await,
                None => std::future::pending().await,
            }
        };
        if let Ok(Err(error)) = timeout_at(until.into(), arrived).await {
            self.lost(error.to_string());
        }
    }

    /// Goes on without a listener for a while.
    fn lost(&mut self, reason: String) {
        self.listener = None;
        self.silence = reason;
        self.failures = self.failures.saturating_add(1);
        self.listen_at = Instant::now() + self.pause();
    }
}
