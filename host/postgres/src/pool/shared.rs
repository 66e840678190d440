//! The lane of statements that commit by themselves: few connections, each carrying
//! the statements of many callers, pipelined. Never cancels a statement while
//! another's may be running on the connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared as SharedFuture};

use super::inner::{Inner, Waiting, lock};
use super::single::within;
use crate::connection::{Cancel, Connection};
use crate::error::{Error, WaitingFor};

/// A connection that was silent for longer is asked for a sign of life.
pub(super) const CHECK_AFTER: Duration = Duration::from_secs(5);
/// How long it has to give one.
pub(super) const CHECK_PATIENCE: Duration = Duration::from_secs(1);

type Connecting = SharedFuture<BoxFuture<'static, Result<(), Error>>>;

pub(super) struct Shared {
    size: usize,
    // A std mutex: the guard is never held across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connections: Vec<Arc<SharedConnection>>,
    /// The one connection that is being opened.
    connecting: Option<Connecting>,
}

pub(crate) struct SharedConnection {
    connection: Connection,
    /// Statements that someone waits for.
    in_flight: AtomicUsize,
    /// Takes no new statements.
    is_retired: AtomicBool,
    /// Carries a statement that nobody waits for any more.
    is_abandoned: AtomicBool,
    last_used: Mutex<Instant>,
    cancel: Cancel,
}

/// The right to send one statement. Dropped without [`SharedLease::settle`], the
/// statement counts as abandoned and the connection takes no new ones.
pub(crate) struct SharedLease {
    shared: Arc<SharedConnection>,
    is_settled: bool,
}

impl SharedLease {
    pub(crate) fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// The answer was read to its end.
    pub(crate) fn settle(mut self) {
        self.is_settled = true;
    }

    /// The statement is done, and the connection takes no new ones.
    pub(crate) fn retire(mut self) {
        self.is_settled = true;
        self.shared.is_retired.store(true, Ordering::Relaxed);
    }
}

impl Drop for SharedLease {
    fn drop(&mut self) {
        let shared = &self.shared;
        if !self.is_settled {
            shared.is_abandoned.store(true, Ordering::Relaxed);
            shared.is_retired.store(true, Ordering::Relaxed);
        }
        // The last one to leave a connection with abandoned statements may cancel:
        // no other statement can be hit. Retired connections take no new ones, so
        // the count does not rise again.
        let was_last = shared.in_flight.fetch_sub(1, Ordering::AcqRel) == 1;
        if was_last
            && shared.is_retired.load(Ordering::Acquire)
            && shared.is_abandoned.load(Ordering::Acquire)
        {
            shared.connection.abandon(shared.cancel);
        }
    }
}

impl Shared {
    pub(super) fn new(size: usize) -> Shared {
        Shared { size, state: Mutex::new(State::default()) }
    }

    /// The connection with the fewest statements in flight, opened if need be.
    pub(super) async fn acquire(
        &self,
        inner: &Arc<Inner>,
        deadline: Instant,
    ) -> Result<SharedLease, Error> {
        loop {
            inner.check_open()?;
            let now = Instant::now();
            if let Some(lease) = self.pick(inner, now) {
                if lease.was_silent(now) && !lease.is_alive(deadline).await {
                    drop(lease);
                    continue;
                }
                return Ok(lease);
            }
            let _waiting = Waiting::new(inner);
            let connecting = self.connecting(inner);
            match within(deadline, WaitingFor::Connection, connecting).await {
                Ok(connected) => connected?,
                Err(timeout) => return Err(inner.failure_since(now).unwrap_or(timeout)),
            }
        }
    }

    fn pick(&self, inner: &Arc<Inner>, now: Instant) -> Option<SharedLease> {
        let mut removed = Vec::new();
        let mut state = lock(&self.state);
        state.connections.retain(|shared| {
            let stays = shared.is_usable(now);
            if !stays {
                removed.push(Arc::clone(shared));
            }
            stays
        });
        let best =
            state.connections.iter().min_by_key(|shared| shared.in_flight.load(Ordering::Relaxed));
        let lease = best.map(|shared| {
            let in_flight = shared.in_flight.fetch_add(1, Ordering::AcqRel);
            (SharedLease { shared: Arc::clone(shared), is_settled: false }, in_flight)
        });
        let grows = state.connections.len() < self.size && state.connecting.is_none();
        drop(state);
        drop(removed);
        let (lease, in_flight) = lease?;
        if in_flight > 0 && grows {
            // The statement goes ahead on the busy one; the next has another.
            drop(self.connecting(inner));
        }
        Some(lease)
    }

    /// The connection being opened, for everybody who waits for one. It goes on when
    /// they leave: a server that wakes up slowly must not be asked from the
    /// beginning each time a caller gives up.
    fn connecting(&self, inner: &Arc<Inner>) -> Connecting {
        let mut state = lock(&self.state);
        if let Some(connecting) = &state.connecting {
            return connecting.clone();
        }
        let inner = Arc::clone(inner);
        let task = tokio::spawn(async move {
            let connected = inner.connect().await;
            let mut state = lock(&inner.shared.state);
            state.connecting = None;
            let connection = connected?;
            inner.check_open()?;
            let cancel = inner.cancel_policy();
            state.connections.push(Arc::new(SharedConnection::new(connection, cancel)));
            drop(state);
            inner.start_upkeep();
            Ok(())
        });
        let connecting =
            task.map(|ended| ended.unwrap_or_else(|_| Err(Error::closed_pool()))).boxed().shared();
        state.connecting = Some(connecting.clone());
        connecting
    }

    /// Closes connections that nobody used since `since`. True while any is left.
    pub(super) fn close_idle(&self, since: Instant) -> bool {
        let mut removed = Vec::new();
        let mut state = lock(&self.state);
        state.connections.retain(|shared| {
            let stays = shared.in_flight.load(Ordering::Acquire) > 0
                || (*lock(&shared.last_used) > since && !shared.connection.is_closed());
            if !stays {
                removed.push(Arc::clone(shared));
            }
            stays
        });
        !state.connections.is_empty() || state.connecting.is_some()
    }

    pub(super) fn close(&self) {
        let removed = {
            let mut state = lock(&self.state);
            let (busy, idle) = std::mem::take(&mut state.connections)
                .into_iter()
                .partition(|shared| shared.in_flight.load(Ordering::Acquire) > 0);
            state.connections = busy;
            let idle: Vec<Arc<SharedConnection>> = idle;
            idle
        };
        drop(removed);
    }

    /// Open connections and statements in flight on them.
    pub(super) fn figures(&self) -> (usize, usize) {
        let state = lock(&self.state);
        let in_flight =
            state.connections.iter().map(|shared| shared.in_flight.load(Ordering::Relaxed)).sum();
        (state.connections.len(), in_flight)
    }
}

impl SharedConnection {
    fn new(connection: Connection, cancel: Cancel) -> SharedConnection {
        SharedConnection {
            connection,
            in_flight: AtomicUsize::new(0),
            is_retired: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
            last_used: Mutex::new(Instant::now()),
            cancel,
        }
    }

    fn is_usable(&self, now: Instant) -> bool {
        !self.is_retired.load(Ordering::Acquire)
            && !self.connection.is_closed()
            && !self.connection.has_expired(now)
    }
}

impl SharedLease {
    /// Whether nobody used the connection for long. Notes that somebody does now.
    fn was_silent(&self, now: Instant) -> bool {
        let last = std::mem::replace(&mut *lock(&self.shared.last_used), now);
        self.shared.in_flight.load(Ordering::Relaxed) == 1
            && now.saturating_duration_since(last) > CHECK_AFTER
    }

    async fn is_alive(&self, deadline: Instant) -> bool {
        let patience = CHECK_PATIENCE.min(deadline.saturating_duration_since(Instant::now()));
        self.shared.connection.is_alive(patience).await
    }
}
