//! The lock under which a database is migrated: one host at a time, whatever the component.
//! Never: outlives its connection.
//!
//! It is an advisory lock (PostgreSQL documentation, 13.3.5). A transaction takes it for itself,
//! which is safe through poolers; a migration outside of a transaction takes the same one for its
//! session, which is only safe on a direct endpoint. Waiters ask again and again instead of queuing:
//! a waiting statement holds a snapshot, `create index concurrently` waits for old snapshots, and
//! each would wait for the other.

use std::time::{Duration, Instant, SystemTime};

use avenire_postgres::{Error, Session, WaitingFor};

use super::error::MigrationError;

/// `avenmigr` in ASCII: the key that every version of this program has to agree on.
const KEY: i64 = 0x6176_656e_6d69_6772;

/// How long a statement of a migration may wait for a lock on a table: everybody who comes after it
/// waits as long. Files may set their own.
const TABLE_LOCK: Duration = Duration::from_secs(5);

/// How long the waits between two attempts are at least; jitter comes on top.
const SHORTEST_WAIT: Duration = Duration::from_millis(40);

/// Begins a transaction that holds the lock. Whatever a migration before it has set for the session
/// is gone.
pub(super) async fn begin(
    session: &Session,
    deadline: Instant,
    waiting: impl FnOnce(),
) -> Result<(), MigrationError> {
    let mut waiting = Some(waiting);
    loop {
        session
            .batch(
                "reset session authorization; reset role; reset all; \
                 begin isolation level read committed read write",
            )
            .await?;
        if ask(session, "pg_try_advisory_xact_lock").await? {
            let (lock, left) = (table_lock(deadline), milliseconds_until(deadline));
            let timeouts =
                format!("set local lock_timeout = {lock}; set local statement_timeout = {left}");
            return Ok(session.batch(&timeouts).await?);
        }
        session.batch("rollback").await?;
        wait(deadline, &mut waiting).await?;
    }
}

/// Takes the lock for the session, which must be a direct one.
pub(super) async fn take_for_session(
    session: &Session,
    deadline: Instant,
    waiting: impl FnOnce(),
) -> Result<(), MigrationError> {
    let mut waiting = Some(waiting);
    session.batch("reset session authorization; reset role; reset all").await?;
    while !ask(session, "pg_try_advisory_lock").await? {
        wait(deadline, &mut waiting).await?;
    }
    timeouts_of_session(session, deadline).await
}

/// The timeouts that the statements of a file outside of a transaction begin with. Whatever the
/// database's own statement timeout is: ours is the deadline.
pub(super) async fn timeouts_of_session(
    session: &Session,
    deadline: Instant,
) -> Result<(), MigrationError> {
    let left = milliseconds_until(deadline);
    let lock = table_lock_of_session(deadline);
    Ok(session.batch(&format!("{lock}; set statement_timeout = {left}")).await?)
}

/// The statement that sets how long each statement may wait for a lock on a table.
pub(super) fn table_lock_of_session(deadline: Instant) -> String {
    format!("set lock_timeout = {}", table_lock(deadline))
}

/// In milliseconds. Before the deadline passes, so that the error tells which of the two it was.
fn table_lock(deadline: Instant) -> u128 {
    let left = milliseconds_until(deadline);
    TABLE_LOCK.as_millis().min(left - left / 10)
}

/// Gives the session's lock back. When that fails the session must be dropped.
pub(super) async fn give_back(session: &Session) -> Result<(), MigrationError> {
    ask(session, "pg_advisory_unlock").await.map(drop)
}

async fn ask(session: &Session, function: &str) -> Result<bool, MigrationError> {
    let rows = session.rows(&format!("select pg_catalog.{function}({KEY})"), &[]).await?;
    // No row cannot be; it would mean that we do not have it.
    Ok(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(false))
}

async fn wait(
    deadline: Instant,
    waiting: &mut Option<impl FnOnce()>,
) -> Result<(), MigrationError> {
    if let Some(waiting) = waiting.take() {
        waiting();
    }
    if !pause(SHORTEST_WAIT, deadline).await {
        return Err(MigrationError::Busy);
    }
    Ok(())
}

/// Waits for `least` and up to as much again, so that many hosts do not ask in step; false when the
/// deadline would pass.
pub(super) async fn pause(least: Duration, deadline: Instant) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let jitter = least * (now.subsec_micros() % 1000) / 1000;
    let wait = least + jitter;
    if Instant::now() + wait >= deadline {
        return false;
    }
    tokio::time::sleep(wait).await;
    true
}

/// A little more than the deadline: Postgres knows it too, and its answer says more.
const GRACE: Duration = Duration::from_secs(2);

/// For when no answer comes at all. The session must be dropped after such an error.
pub(super) async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, MigrationError>>,
) -> Result<T, MigrationError> {
    let left = deadline.saturating_duration_since(Instant::now()) + GRACE;
    tokio::time::timeout(left, work).await.unwrap_or_else(|_| {
        Err(MigrationError::Database(Error::Timeout { waiting_for: WaitingFor::Answer }))
    })
}

/// At least one: zero means no timeout to Postgres.
fn milliseconds_until(deadline: Instant) -> u128 {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    left.clamp(1, i32::MAX.unsigned_abs().into())
}
