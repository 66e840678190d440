//! The table in which applied migrations are recorded.
//! Never: decides what they mean; takes the lock under which it must be written.

use std::time::Duration;

use avenire_postgres::{Error, Row, Session};

use super::error::MigrationError;
use super::plan::{Applied, State, Unfinished};
use super::script::fingerprint;
use super::source::Migration;

/// No row when there is no ledger; otherwise whether it has the columns of today. Not
/// `to_regclass`: that asks a cache which another host's commit does not reach before our
/// transaction's next lock on a table, so that under our own lock it could deny a ledger that has
/// just been made.
const SHAPE: &str = "
select exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attname = 'applied_before' and not a.attisdropped)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = '_avenire' and c.relname = 'migrations'";

/// `if not exists` asks for the right to create a schema even when it is there, so that the caller
/// looks first ([`SHAPE`]). `applied_at` is null from the start to the end of a migration that runs
/// outside of a transaction, and of its undoing, so that programs which know only that refuse it.
const CREATE: &str = "
create schema if not exists _avenire;
create table if not exists _avenire.migrations (
    component text not null default 'main',
    version bigint not null,
    name text not null,
    sha256 bytea not null,
    started_at timestamptz not null default now(),
    applied_at timestamptz default now(),
    took_ms bigint,
    statements_done integer not null default 0,
    under_way boolean not null default false,
    begun text,
    applied_before timestamptz,
    constraint migrations_pkey primary key (component, version)
)";

/// What the first ledgers did not have. Neither rewrites the table nor disturbs the programs that
/// made them, since they name the columns they know. `begun` is null in their rows: nobody recorded
/// how far they got. `applied_before` is when a migration that is being undone was applied.
const UPGRADE: &str = "
begin;
alter table _avenire.migrations
    add column if not exists statements_done integer not null default 0,
    add column if not exists under_way boolean not null default false,
    add column if not exists begun text,
    add column if not exists applied_before timestamptz;
commit";

/// Times as text: they are only shown. Without parameters, and so of all components, because a
/// statement with parameters takes two messages, and a pooler may send them to two servers. By way
/// of JSON what an older ledger does not have is null.
const READ: &str = "
select m.version, m.name, m.sha256, m.applied_at is not null,
    to_char(coalesce(m.applied_at, m.started_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
    m.component, j ->> 'statements_done', j ->> 'under_way', j ->> 'begun', j ->> 'applied_before'
from _avenire.migrations m, to_jsonb(m) j order by m.version";

const APPLIED: &str = "
insert into _avenire.migrations (component, version, name, sha256, took_ms)
values ($1, $2, $3, $4, $5)";

const STARTED: &str = "
insert into _avenire.migrations (component, version, name, sha256, applied_at, begun)
values ($1, $2, $3, $4, null, $5)";

/// Its rest may have been mended since it began.
const FINISHED: &str = "
update _avenire.migrations set applied_at = now(), took_ms = $3, name = $4, sha256 = $5,
    under_way = false, begun = null, applied_before = null
where component = $1 and version = $2 and applied_at is null";

const FORGOTTEN: &str = "
delete from _avenire.migrations where component = $1 and version = $2";

/// Undoes whatever a file has set for the session.
const AS_OURSELVES: &str = "reset session authorization; reset role; reset all";

const FORGET_UNBEGUN: &str = "
delete from _avenire.migrations where component = $1 and version = $2 and applied_at is null
    and statements_done = 0 and not under_way and applied_before is null";

const UNDOING: &str = "
update _avenire.migrations set applied_before = applied_at, applied_at = null,
    statements_done = 0, under_way = false, begun = $3
where component = $1 and version = $2 and applied_at is not null";

const NOT_UNDONE: &str = "
update _avenire.migrations set applied_at = applied_before, applied_before = null, begun = null
where component = $1 and version = $2 and applied_before is not null
    and statements_done = 0 and not under_way";

/// A row of the ledger, and whose it is.
pub(super) struct Entry {
    pub(super) component: String,
    pub(super) applied: Applied,
}

/// All rows, none when there is no ledger yet. In a transaction or not.
pub(super) async fn read(session: &Session) -> Result<Vec<Entry>, MigrationError> {
    if shape(session).await?.is_none() {
        return Ok(Vec::new());
    }
    session.rows(READ, &[]).await?.iter().map(parse).collect()
}

/// The same in half the round trips. Not in a transaction, which the lack of a ledger would end.
pub(super) async fn glance(session: &Session) -> Result<Vec<Entry>, MigrationError> {
    match session.rows(READ, &[]).await {
        Ok(rows) => rows.iter().map(parse).collect(),
        // `undefined_table`, `invalid_schema_name`.
        Err(error) if matches!(error.sqlstate(), Some("42P01" | "3F000")) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// The rows of one component.
pub(super) fn of(entries: &[Entry], component: &str) -> Vec<Applied> {
    let own = entries.iter().filter(|entry| entry.component == component);
    own.map(|entry| entry.applied.clone()).collect()
}

/// Makes the ledger if there is none. Only under the lock: two that create it at once would collide.
pub(super) async fn create(session: &Session) -> Result<(), MigrationError> {
    if shape(session).await?.is_none() {
        session.batch(CREATE).await?;
    }
    Ok(())
}

/// Makes the ledger, or gives an older one the columns that it lacks. Only under the lock, and
/// outside of a transaction.
pub(super) async fn upgrade(session: &Session) -> Result<(), MigrationError> {
    let sql = match shape(session).await? {
        Some(true) => return Ok(()),
        Some(false) => UPGRADE,
        None => CREATE,
    };
    if let Err(error) = session.batch(sql).await {
        drop(session.batch("rollback").await);
        return Err(error.into());
    }
    Ok(())
}

async fn shape(session: &Session) -> Result<Option<bool>, MigrationError> {
    let rows = session.rows(SHAPE, &[]).await?;
    rows.first().map(|row| row.try_get(0).map_err(|error| unreadable(&error))).transpose()
}

/// Records a migration that is applied, in its own transaction.
pub(super) async fn applied(
    session: &Session,
    component: &str,
    migration: &Migration,
    took: Option<Duration>,
) -> Result<(), Error> {
    let Migration { version, name, sha256, .. } = migration;
    let (hash, took) = (sha256.as_slice(), took.map(milliseconds));
    session.execute(APPLIED, &[&component, version, name, &hash, &took]).await?;
    Ok(())
}

/// Records that a migration outside of a transaction begins.
pub(super) async fn started(
    session: &Session,
    component: &str,
    migration: &Migration,
) -> Result<(), Error> {
    let Migration { version, name, sha256, .. } = migration;
    let (hash, nothing) = (sha256.as_slice(), fingerprint([].iter()));
    session.execute(STARTED, &[&component, version, name, &hash, &nothing]).await?;
    Ok(())
}

/// Records that it came to its end.
pub(super) async fn finished(
    session: &Session,
    component: &str,
    migration: &Migration,
    took: Option<Duration>,
) -> Result<(), Error> {
    let Migration { version, name, sha256, .. } = migration;
    let (hash, took) = (sha256.as_slice(), took.map(milliseconds));
    session.execute(FINISHED, &[&component, version, &took, name, &hash]).await?;
    Ok(())
}

/// Takes a migration back: nothing of it has happened, or all of it was undone.
pub(super) async fn forget(session: &Session, component: &str, version: i64) -> Result<(), Error> {
    session.execute(FORGOTTEN, &[&component, &version]).await?;
    Ok(())
}

/// Takes back that a migration outside of a transaction began, unless something of it happened.
pub(super) async fn forget_unbegun(
    session: &Session,
    component: &str,
    version: i64,
) -> Result<(), Error> {
    session.batch(AS_OURSELVES).await?;
    session.execute(FORGET_UNBEGUN, &[&component, &version]).await?;
    Ok(())
}

/// Records that undoing a migration outside of a transaction begins.
pub(super) async fn undoing(session: &Session, component: &str, version: i64) -> Result<(), Error> {
    session.execute(UNDOING, &[&component, &version, &fingerprint([].iter())]).await?;
    Ok(())
}

/// Takes back that undoing it began, unless something was undone.
pub(super) async fn not_undone(
    session: &Session,
    component: &str,
    version: i64,
) -> Result<(), Error> {
    session.batch(AS_OURSELVES).await?;
    session.execute(NOT_UNDONE, &[&component, &version]).await?;
    Ok(())
}

/// The statement that records how far a file got, whatever role or search path the file has set;
/// for a transaction. Its values need no quoting: a component's name is checked, `begun` is
/// hexadecimal.
pub(super) fn progress(component: &str, version: i64, far: &Unfinished) -> String {
    let Unfinished { statements, under_way, begun } = far;
    format!(
        "set local session_authorization to default; set local role to default; \
         set local search_path = pg_catalog; \
         update _avenire.migrations set statements_done = {statements}, under_way = {under_way}, \
         begun = '{begun}' \
         where component = '{component}' and version = {version} and applied_at is null"
    )
}

/// A cell of a row.
macro_rules! cell {
    ($row:expr, $column:expr) => {
        $row.try_get($column).map_err(|error| unreadable(&error))
    };
}

fn parse(row: &Row) -> Result<Entry, MigrationError> {
    let at: String = cell!(row, 4)?;
    let text = |column: usize| -> Result<Option<String>, MigrationError> { cell!(row, column) };
    let state = match (cell!(row, 3)?, text(9)?) {
        (true, _) => State::Finished { at },
        (false, None) => State::Started { at },
        (false, Some(_)) => State::Undoing,
    };
    let unfinished = match (&state, text(6)?, text(8)?) {
        (State::Started { .. } | State::Undoing, Some(statements), Some(begun)) => {
            let statements = statements.parse().map_err(|error| unreadable(&error))?;
            Some(Unfinished { statements, under_way: text(7)?.as_deref() == Some("true"), begun })
        }
        _ => None,
    };
    let (version, name, sha256) = (cell!(row, 0)?, cell!(row, 1)?, cell!(row, 2)?);
    let applied = Applied { version, name, sha256, state, unfinished };
    Ok(Entry { component: cell!(row, 5)?, applied })
}

fn unreadable(reason: &impl ToString) -> MigrationError {
    MigrationError::Ledger { reason: reason.to_string() }
}

fn milliseconds(took: Duration) -> i64 {
    i64::try_from(took.as_millis()).unwrap_or(i64::MAX)
}
