//! Hosts that die while they migrate, at every instant there is, and what the next one makes of it.

mod cut;
mod killed;

use anyhow::{Result, bail};
use avenire_postgres::Session;
use avenire_schema::{Extent, Migrations};
use avenire_schema_tests::{Database, Server};
use tempfile::TempDir;

use super::rollback::deleting;
use super::{TABLE, folder, soon, texts};
use crate::with;
use cut::{Cut, Instant, Side};

/// Each of its statements has another way to be done exactly once.
const OUTSIDE: (&str, &str) = (
    "0002_outside.sql",
    "-- avenire: no-transaction
create schema other;
set search_path = other, public;
create table made (n int);
insert into made values (1), (2);
create index concurrently gone on made (n);
update counter set n = n + 1;
create unique index concurrently if not exists kept on made (n);
drop index concurrently gone;
vacuum made;
",
);
const AFTER: (&str, &str) = ("0003_after.sql", "update counter set n = n + 100;\n");
const UNDO_OUTSIDE: (&str, &str) = (
    "0002_outside.down.sql",
    "-- avenire: no-transaction
drop index concurrently other.kept;
update counter set n = n - 1;
-- hazard: deletes-data: the table and what is in it are gone
drop schema other cascade;
",
);
const UNDO_AFTER: (&str, &str) = ("0003_after.down.sql", "update counter set n = n - 100;\n");

fn files() -> Result<TempDir> {
    folder(&[TABLE, OUTSIDE, AFTER, UNDO_OUTSIDE, UNDO_AFTER])
}

/// What is there, each thing as often as it is.
async fn facts(database: &Database) -> Result<Vec<String>> {
    let mut facts = texts(database, "select 'counter ' || n from counter").await?;
    let indexes = "select relname || ' ' || indisvalid from pg_index
        join pg_class on pg_class.oid = indexrelid
        join pg_namespace n on n.oid = relnamespace
        where nspname in ('other', 'public') order by 1";
    facts.extend(texts(database, indexes).await?);
    if database.count("select count(to_regclass('other.made'))").await? > 0 {
        facts.extend(texts(database, "select 'made ' || n from other.made order by n").await?);
    }
    let ledger = "select version || ' ' || (applied_at is not null) || ' ' || under_way
        from _avenire.migrations order by version";
    facts.extend(texts(database, ledger).await?);
    Ok(facts)
}

const DONE: [&str; 7] = [
    "counter 101",
    "kept true",
    "made 1",
    "made 2",
    "1 true false",
    "2 true false",
    "3 true false",
];
const UNDONE: [&str; 2] = ["counter 0", "1 true false"];

/// Which instants are tried: every seventh, a different remainder for each side, which takes some
/// seconds. All of them, which takes minutes, when `AVENIRE_EVERY_INSTANT` is set.
fn instants(side: Side) -> impl Iterator<Item = usize> {
    let all = std::env::var_os("AVENIRE_EVERY_INSTANT").is_some();
    let first = if all || side == Side::Before { 1 } else { 4 };
    (first..1000).step_by(if all { 1 } else { 7 })
}

/// Lets a host die at one instant after the other, until it comes to its end before.
async fn at_every_instant(
    server: &Server,
    side: Side,
    mut dies: impl AsyncFnMut(&Server, Instant) -> Result<bool>,
) -> Result<usize> {
    for request in instants(side) {
        if !dies(server, Instant { request, side }).await? {
            return Ok(request);
        }
    }
    bail!("it never came to its end")
}

async fn prepared(server: &Server, to: &Migrations) -> Result<Database> {
    let database = server.database().await?;
    to.apply(database.endpoint(), soon(), &|_| {}).await?;
    Ok(database)
}

async fn applying_dies(server: &Server, instant: Instant) -> Result<bool> {
    let database = prepared(server, &Migrations::load(folder(&[TABLE])?.path())?).await?;
    let files = files()?;
    let migrations = Migrations::load(files.path())?;
    let cut = Cut::new(server, &database, instant)?;
    let host = cut.until(migrations.apply(&cut.endpoint, soon(), &|_| {})).await;
    let died = host.is_none();
    host.transpose().map_err(|failure| anyhow::anyhow!("{instant:?}: the first: {failure}"))?;
    let next = migrations.apply(database.endpoint(), soon(), &|_| {}).await;
    let next = next.map_err(|failure| anyhow::anyhow!("{instant:?}: {failure}"))?;
    assert_eq!(next.applied.len() + next.already, 3, "{instant:?}");
    assert_eq!(facts(&database).await?, DONE, "{instant:?}");
    Ok(died)
}

async fn undoing_dies(server: &Server, instant: Instant) -> Result<bool> {
    let files = files()?;
    let migrations = Migrations::load(files.path())?;
    let database = prepared(server, &migrations).await?;
    let cut = Cut::new(server, &database, instant)?;
    let (accept, told) = (deleting(), |_| {});
    let host = migrations.rollback(Extent::To(1), &accept, &cut.endpoint, soon(), &told);
    let host = cut.until(host).await;
    let died = host.is_none();
    host.transpose().map_err(|failure| anyhow::anyhow!("{instant:?}: the first: {failure}"))?;
    let next =
        migrations.rollback(Extent::To(1), &accept, database.endpoint(), soon(), &told).await;
    next.map_err(|failure| anyhow::anyhow!("{instant:?}: {failure}"))?;
    assert_eq!(facts(&database).await?, UNDONE, "{instant:?}");
    Ok(died)
}

#[test]
fn a_host_that_dies_before_any_request_is_followed_by_one_that_goes_on() -> Result<()> {
    with(async |server| {
        let requests = at_every_instant(server, Side::Before, applying_dies).await?;
        assert!(requests > 30, "only {requests} instants were tried");
        Ok(())
    })
}

#[test]
fn a_host_that_dies_before_any_answer_is_followed_by_one_that_goes_on() -> Result<()> {
    with(async |server| {
        let requests = at_every_instant(server, Side::After, applying_dies).await?;
        assert!(requests > 30, "only {requests} instants were tried");
        Ok(())
    })
}

#[test]
fn a_host_that_dies_at_any_instant_of_undoing_is_followed_by_one_that_goes_on() -> Result<()> {
    with(async |server| {
        for side in [Side::Before, Side::After] {
            let requests = Box::pin(at_every_instant(server, side, undoing_dies)).await?;
            assert!(requests > 20, "only {requests} instants were tried");
        }
        Ok(())
    })
}

#[test]
fn with_nothing_to_do_a_host_connects_and_asks_one_question() -> Result<()> {
    with(async |server| {
        let files = files()?;
        let migrations = Migrations::load(files.path())?;
        let database = prepared(server, &migrations).await?;
        let never = Instant { request: usize::MAX, side: Side::Before };
        let connecting = Cut::new(server, &database, never)?;
        Session::connect(&connecting.endpoint, soon()).await?;
        let cut = Cut::new(server, &database, never)?;
        let report = migrations.apply(&cut.endpoint, soon(), &|_| {}).await?;
        assert_eq!(report.already, 3);
        // The question is prepared and executed; the end of the connection may be one more message.
        let requests = cut.requests() - connecting.requests();
        assert!(requests <= 3, "{requests}");
        Ok(())
    })
}
