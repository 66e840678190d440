//! The registry's tables: their form, and how they are made and brought up to date.
//! Never: touches the migrations' ledger, which lives in the same schema.

use std::time::{Duration, Instant};

use avenire_postgres::Row;

use super::Registry;
use super::change::Change;
use super::error::RegistryError;
use super::record::cell;

/// The latest form of the tables; `FORMS` leads there.
const FORM: i32 = 1;

/// `avenregi` in ASCII: the key of the advisory lock (PostgreSQL documentation, 13.3.5) under which
/// the tables are made and changed. Every version of this program has to agree on it.
const KEY: i64 = 0x6176_656e_7265_6769;

/// The key under which databases are migrated. The ledger is made in the same schema, and two that
/// make a schema at once collide.
const MIGRATIONS: i64 = 0x6176_656e_6d69_6772;

/// How long the waits between two attempts to get the lock are at least.
const SHORTEST_WAIT: Duration = Duration::from_millis(40);

/// The usual case: the tables are there.
const FOUND: &str = "select form, oldest from _avenire.registry";

/// Whether there are the schema and the tables. Not `to_regclass`, which asks a cache that another
/// host's commit may not have reached yet.
const THERE: &str = "
select exists (select from pg_catalog.pg_namespace where nspname = '_avenire') as schema,
    exists (
        select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = '_avenire' and c.relname = 'registry') as tables";

/// Only where it is missing: `if not exists` asks for the right even when it is there.
const SCHEMA: &str = "create schema _avenire";

/// The tables, one text for each form, which makes it from the form before it. Each ends by saying
/// which form it has made (`form`), and which form a program has to know at least to go on working
/// with it (`oldest`).
///
/// `registry` is one row: the revision is counted there and not by a sequence, because its row lock
/// makes changes commit in the order of their revisions. Somebody who has seen revision 7 has seen
/// all up to 7.
///
/// Artifacts are left to the default storage (PostgreSQL documentation, 73.2 "TOAST"), which
/// compresses: code shrinks to about half, is written once, and read once by each host.
const FORMS: [&str; 1] = ["
create table _avenire.registry (
    only_row boolean primary key default true check (only_row),
    form integer not null,
    oldest integer not null,
    revision bigint not null default 0 check (revision >= 0)
);
create table _avenire.artifacts (
    sha256 bytea primary key check (octet_length(sha256) = 32),
    size bigint not null,
    bytes bytea not null,
    added_at timestamptz not null default clock_timestamp(),
    check (size = octet_length(bytes))
);
create table _avenire.generations (
    component text not null,
    number bigint not null check (number > 0),
    sha256 bytea not null references _avenire.artifacts,
    contract text,
    signature text,
    source text not null,
    deployed_by text not null,
    deployed_at timestamptz not null default clock_timestamp(),
    state text not null,
    reason text,
    ended_at timestamptz,
    before bigint check (before < number),
    primary key (component, number)
);
create index generations_sha256 on _avenire.generations (sha256);
create table _avenire.slots (
    component text primary key,
    serving bigint,
    canary bigint,
    canary_share integer not null default 0 check (canary_share between 0 and 1000),
    canary_keys text[] not null default '{}',
    newest bigint not null default 0,
    revision bigint not null default 0,
    foreign key (component, serving) references _avenire.generations,
    foreign key (component, canary) references _avenire.generations
);
create table _avenire.events (
    id bigint generated always as identity primary key,
    component text not null,
    generation bigint not null,
    what text not null,
    by text not null,
    at timestamptz not null default clock_timestamp(),
    reason text,
    host text,
    serving bigint
);
create index events_component on _avenire.events (component, id);
create unique index events_refused on _avenire.events (component, generation, host)
    where what = 'refused';
create table _avenire.hosts (
    id text primary key,
    name text not null,
    version text not null,
    beats_every_ms bigint not null check (beats_every_ms > 0),
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp() check (isfinite(seen_at))
) with (fillfactor = 50);
create table _avenire.host_slots (
    host text not null references _avenire.hosts on delete cascade,
    component text not null,
    generation bigint,
    canary bigint,
    refused bigint,
    state text not null,
    reason text,
    revision bigint not null,
    since timestamptz not null default clock_timestamp(),
    primary key (host, component)
);
insert into _avenire.registry (form, oldest) values (1, 1);
"];

/// Makes what is missing. Any number of hosts may do so at once.
pub(super) async fn prepare(registry: &Registry, deadline: Instant) -> Result<(), RegistryError> {
    match registry.rows("read the registry's form", FOUND, &[], deadline).await {
        Ok(rows) if is_current(&rows)? => return Ok(()),
        Ok(_) => {}
        // `undefined_table`, `invalid_schema_name`.
        Err(RegistryError::Database { source, .. })
            if matches!(source.sqlstate(), Some("42P01" | "3F000")) => {}
        Err(error) => return Err(error),
    }
    loop {
        let change = registry.begin(deadline).await?;
        let made = make(&change).await;
        if change.end(made).await? {
            return Ok(());
        }
        let jitter = super::jitter(SHORTEST_WAIT);
        if Instant::now() + SHORTEST_WAIT + jitter >= deadline {
            return Err(RegistryError::Busy);
        }
        tokio::time::sleep(SHORTEST_WAIT + jitter).await;
    }
}

/// False when another program has the lock.
async fn make(change: &Change<'_>) -> Result<bool, RegistryError> {
    let locked = take(change, KEY).await?;
    let (has_schema, _) = there(change).await?;
    if !locked || (!has_schema && !take(change, MIGRATIONS).await?) {
        return Ok(false);
    }
    // Again, since the locks may have been waited for.
    let (has_schema, has_tables) = there(change).await?;
    let form = if has_tables {
        let rows = change.rows("read the registry's form", FOUND, &[]).await?;
        if is_current(&rows)? {
            return Ok(true);
        }
        rows.first().map_or(Ok(0), |row| cell!(row, "form", "the registry's form"))?
    } else {
        if !has_schema {
            change.batch("create the schema _avenire", SCHEMA).await?;
        }
        0
    };
    let done = usize::try_from(form).unwrap_or(0);
    for sql in FORMS.iter().skip(done) {
        change.batch("create tables in the schema _avenire", sql).await?;
    }
    Ok(true)
}

async fn take(change: &Change<'_>, key: i64) -> Result<bool, RegistryError> {
    let sql = format!("select pg_catalog.pg_try_advisory_xact_lock({key}) as locked");
    let rows = change.rows("lock the registry", &sql, &[]).await?;
    rows.first().map_or(Ok(false), |row| cell!(row, "locked", "the lock"))
}

async fn there(change: &Change<'_>) -> Result<(bool, bool), RegistryError> {
    let rows = change.rows("look for the registry's tables", THERE, &[]).await?;
    let Some(row) = rows.first() else { return Ok((false, false)) };
    Ok((cell!(row, "schema", "pg_namespace")?, cell!(row, "tables", "pg_class")?))
}

/// Whether nothing has to be done. Later forms are fine as long as they say so.
fn is_current(rows: &[Row]) -> Result<bool, RegistryError> {
    let what = "the registry's form";
    let Some(row) = rows.first() else {
        let reason = "the table _avenire.registry has no row".into();
        return Err(RegistryError::Malformed { what: what.into(), reason });
    };
    let (form, oldest): (i32, i32) = (cell!(row, "form", what)?, cell!(row, "oldest", what)?);
    if oldest > FORM {
        return Err(RegistryError::Newer { found: form, known: FORM });
    }
    Ok(form >= FORM)
}
