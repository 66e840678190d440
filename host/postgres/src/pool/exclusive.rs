//! The lane of connections with one user at a time: transactions, cursors, atomic
//! batches. Owns the bound, the idle list and the rule that only a clean connection
//! comes back. Never rolls back itself.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::inner::{Inner, Waiting, lock};
use super::shared::{CHECK_AFTER, CHECK_PATIENCE};
use super::single::within;
use crate::connection::{Cancel, Connection};
use crate::error::{Error, WaitingFor};

pub(super) struct Lane {
    size: usize,
    permits: Arc<Semaphore>,
    /// Last in, first out, so that surplus connections age and are closed. Never
    /// longer than there are free permits.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// Which lane a connection belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Exclusive,
    Scout,
}

/// A connection for one user. Dropped while clean it goes back; dropped otherwise
/// it is closed, and the server is asked to stop what it does for it.
pub(crate) struct Lease {
    connection: Option<Connection>,
    /// In use, or in an unknown state.
    is_busy: bool,
    /// Not as it was before.
    is_tainted: bool,
    which: Which,
    inner: Arc<Inner>,
    // Declared last, so that the connection is back before the next one is let in.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// The connection; none only while the lease is being dropped.
    pub(crate) fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or_else(Error::closed_pool)
    }

    /// Must be called before anything is sent.
    pub(crate) fn begin_use(&mut self) {
        self.is_busy = true;
    }

    /// The connection is known to be idle and outside of a transaction.
    pub(crate) fn end_use(&mut self) {
        self.is_busy = false;
    }

    /// The session is not as it was; the connection is closed at the end.
    pub(crate) fn taint(&mut self) {
        self.is_tainted = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.is_busy {
            connection.abandon(self.inner.cancel_policy());
            return;
        }
        let now = Instant::now();
        let is_kept = !self.is_tainted
            && !connection.is_closed()
            && !connection.has_expired(now)
            && !self.inner.closed.load(Ordering::Relaxed);
        if is_kept {
            lock(&self.inner.lane(self.which).idle).push(Idle { connection, since: now });
        }
    }
}

impl Lane {
    pub(super) fn new(size: usize) -> Lane {
        Lane { size, permits: Arc::new(Semaphore::new(size)), idle: Mutex::new(Vec::new()) }
    }

    fn pop(&self) -> Option<Idle> {
        lock(&self.idle).pop()
    }

    pub(super) fn in_use(&self) -> usize {
        self.size.saturating_sub(self.permits.available_permits())
    }

    pub(super) fn idle(&self) -> usize {
        lock(&self.idle).len()
    }

    /// Closes connections that are idle since before `since`. True while any is left
    /// or in use.
    pub(super) fn close_idle(&self, since: Instant) -> bool {
        let mut removed = Vec::new();
        let mut idle = lock(&self.idle);
        let (stay, go) = std::mem::take(&mut *idle)
            .into_iter()
            .partition(|idle| idle.since > since && !idle.connection.is_closed());
        *idle = stay;
        removed.extend::<Vec<Idle>>(go);
        let any = !idle.is_empty();
        drop(idle);
        drop(removed);
        any || self.in_use() > 0
    }

    pub(super) fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *lock(&self.idle));
        drop(idle);
    }
}

impl Inner {
    fn lane(&self, which: Which) -> &Lane {
        match which {
            Which::Exclusive => &self.exclusive,
            Which::Scout => &self.scouts,
        }
    }

    pub(crate) fn cancel_policy(&self) -> Cancel {
        if self.endpoint().accepts_cancel() { Cancel::Ask } else { Cancel::No }
    }

    /// A connection of the caller's own, within the deadline.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        which: Which,
        deadline: Instant,
    ) -> Result<Lease, Error> {
        self.check_open()?;
        let begin = Instant::now();
        let _waiting = Waiting::new(self);
        let leased = within(deadline, WaitingFor::Connection, self.wait_for_lease(which)).await;
        match leased {
            Ok(leased) => leased,
            Err(timeout) => Err(self.failure_since(begin).unwrap_or(timeout)),
        }
    }

    async fn wait_for_lease(self: &Arc<Self>, which: Which) -> Result<Lease, Error> {
        let permits = Arc::clone(&self.lane(which).permits);
        let permit = permits.acquire_owned().await.map_err(|_| Error::closed_pool())?;
        while let Some(idle) = self.lane(which).pop() {
            let now = Instant::now();
            if idle.connection.is_closed() || idle.connection.has_expired(now) {
                continue;
            }
            let silent = now.saturating_duration_since(idle.since);
            if silent > CHECK_AFTER && !idle.connection.is_alive(CHECK_PATIENCE).await {
                continue;
            }
            return Ok(self.make_lease(which, idle.connection, permit));
        }
        self.open_lease(which, permit).await
    }

    /// Opens a connection in a task of its own. When the caller leaves, the
    /// connection is idle afterwards instead of lost.
    async fn open_lease(
        self: &Arc<Self>,
        which: Which,
        permit: OwnedSemaphorePermit,
    ) -> Result<Lease, Error> {
        let (sender, receiver) = oneshot::channel();
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let leased = match inner.connect().await {
                Ok(connection) => {
                    inner.start_upkeep();
                    Ok(inner.make_lease(which, connection, permit))
                }
                Err(error) => Err(error),
            };
            drop(sender.send(leased));
        });
        receiver.await.unwrap_or_else(|_| Err(Error::closed_pool()))
    }

    fn make_lease(
        self: &Arc<Self>,
        which: Which,
        connection: Connection,
        permit: OwnedSemaphorePermit,
    ) -> Lease {
        Lease {
            connection: Some(connection),
            is_busy: false,
            is_tainted: false,
            which,
            inner: Arc::clone(self),
            _permit: permit,
        }
    }
}
