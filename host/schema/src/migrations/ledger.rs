//! The table in which applied migrations are recorded.
//! Never: decides what they mean; takes the lock under which it must be written.

use std::time::Duration;

use avenire_postgres::{Error, Row, Session};

use super::error::MigrationError;
use super::plan::{Applied, State};
use super::source::Migration;

/// Not `to_regclass`: that asks a cache which another host's commit does not reach before our
/// transaction's next lock on a table, so that under our own lock it could deny a ledger that has
/// just been made.
const EXISTS: &str = "
select exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = '_avenire' and c.relname = 'migrations'
)";

/// `if not exists` asks for the right to create a schema even when it is there, so that the caller
/// looks first ([`EXISTS`]). `applied_at` is null from the start to the end of a migration that runs
/// outside of a transaction.
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
    constraint migrations_pkey primary key (component, version)
)";

/// Times as text: they are only shown. Without parameters, and so of all components, because a
/// statement with parameters takes two messages, and a pooler may send them to two servers.
const READ: &str = "
select version, name, sha256, applied_at is not null,
    to_char(coalesce(applied_at, started_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
    component
from _avenire.migrations order by version";

const APPLIED: &str = "
insert into _avenire.migrations (component, version, name, sha256, took_ms)
values ($1, $2, $3, $4, $5)";

const STARTED: &str = "
insert into _avenire.migrations (component, version, name, sha256, applied_at)
values ($1, $2, $3, $4, null)";

const FINISHED: &str = "
update _avenire.migrations set applied_at = now(), took_ms = $3
where component = $1 and version = $2 and applied_at is null";

const FORGOTTEN: &str = "
delete from _avenire.migrations where component = $1 and version = $2 and applied_at is null";

/// The rows of a component, none when there is no ledger yet.
pub(super) async fn read(
    session: &Session,
    component: &str,
) -> Result<Vec<Applied>, MigrationError> {
    if !exists(session).await? {
        return Ok(Vec::new());
    }
    let mut applied = Vec::new();
    for row in session.rows(READ, &[]).await? {
        if row.try_get::<_, &str>(5).map_err(|error| unreadable(&error))? == component {
            applied.push(parse(&row)?);
        }
    }
    Ok(applied)
}

/// Makes the ledger if there is none. Only under the lock: two that create it at once would collide.
pub(super) async fn create(session: &Session) -> Result<(), MigrationError> {
    if !exists(session).await? {
        session.batch(CREATE).await?;
    }
    Ok(())
}

async fn exists(session: &Session) -> Result<bool, MigrationError> {
    match session.rows(EXISTS, &[]).await?.first() {
        Some(row) => row.try_get(0).map_err(|error| unreadable(&error)),
        None => Err(unreadable(&"no answer")),
    }
}

/// Records a migration that is applied, in its own transaction.
pub(super) async fn applied(
    session: &Session,
    component: &str,
    migration: &Migration,
    took: Duration,
) -> Result<(), Error> {
    let Migration { version, name, sha256, .. } = migration;
    let hash = sha256.as_slice();
    session.execute(APPLIED, &[&component, version, name, &hash, &milliseconds(took)]).await?;
    Ok(())
}

/// Records that a migration outside of a transaction begins.
pub(super) async fn started(
    session: &Session,
    component: &str,
    migration: &Migration,
) -> Result<(), Error> {
    let Migration { version, name, sha256, .. } = migration;
    let hash = sha256.as_slice();
    session.execute(STARTED, &[&component, version, name, &hash]).await?;
    Ok(())
}

/// Records that it came to its end.
pub(super) async fn finished(
    session: &Session,
    component: &str,
    migration: &Migration,
    took: Duration,
) -> Result<(), Error> {
    session.execute(FINISHED, &[&component, &migration.version, &milliseconds(took)]).await?;
    Ok(())
}

/// Takes back that it began, since nothing of it happened.
pub(super) async fn forget(
    session: &Session,
    component: &str,
    migration: &Migration,
) -> Result<(), Error> {
    session.execute(FORGOTTEN, &[&component, &migration.version]).await?;
    Ok(())
}

fn parse(row: &Row) -> Result<Applied, MigrationError> {
    let at = row.try_get(4).map_err(|error| unreadable(&error))?;
    let finished = row.try_get(3).map_err(|error| unreadable(&error))?;
    Ok(Applied {
        version: row.try_get(0).map_err(|error| unreadable(&error))?,
        name: row.try_get(1).map_err(|error| unreadable(&error))?,
        sha256: row.try_get(2).map_err(|error| unreadable(&error))?,
        state: if finished { State::Finished { at } } else { State::Started { at } },
    })
}

fn unreadable(reason: &impl ToString) -> MigrationError {
    MigrationError::Ledger { reason: reason.to_string() }
}

fn milliseconds(took: Duration) -> i64 {
    i64::try_from(took.as_millis()).unwrap_or(i64::MAX)
}
