//! The migration runner on a real Postgres: what it applies, how often, and that
//! whatever it refuses leaves the database as it was.

mod crash;
mod marks;
mod outside;
mod rollback;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use avenire_postgres::Endpoint;
use avenire_schema::{
    Effect, Failure, MigrationError, Migrations, PlanError, Progress, Report, State,
};
use avenire_schema_tests::{Database, Server};
use tempfile::TempDir;

use crate::with;

/// How long anything may take. Far more than it does: a loaded machine is no failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A deadline that only something broken passes.
fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// Waits until `happened` says so.
async fn eventually(what: &str, mut happened: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let end = soon();
    while !happened().await? {
        if Instant::now() > end {
            bail!("it never happened that {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// The key of the lock under which all hosts migrate.
const LOCK: i64 = 0x6176_656e_6d69_6772;

/// Counts its own applications.
const TABLE: (&str, &str) =
    ("0001_table.sql", "create table counter (n int not null);\ninsert into counter values (0);\n");
const DATA: (&str, &str) = ("0002_data.sql", "update counter set n = n + 1;\n");

/// A folder of migrations.
fn folder(files: &[(&str, &str)]) -> Result<TempDir> {
    let folder = TempDir::new()?;
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text)?;
    }
    Ok(folder)
}

async fn apply_to(folder: &Path, endpoint: &Endpoint) -> Result<Result<Report, Failure>> {
    Ok(Migrations::load(folder)?.apply(endpoint, soon(), &|_| {}).await)
}

/// Applies what is expected to be applicable; the names of what was applied now.
async fn applied(folder: &TempDir, database: &Database) -> Result<Vec<String>> {
    let report = apply_to(folder.path(), database.endpoint()).await??;
    Ok(report.applied.into_iter().map(|done| done.file).collect())
}

/// How the folder as a whole is refused.
async fn refused(folder: &TempDir, endpoint: &Endpoint) -> Result<Failure> {
    match apply_to(folder.path(), endpoint).await? {
        Err(failure) => Ok(failure),
        Ok(report) => bail!("it was applied: {report:?}"),
    }
}

/// Everything a migration could have changed here: relations, and the ledger's rows.
async fn state_of(database: &Database) -> Result<Vec<String>> {
    let relations = "select n.nspname || '.' || c.relname || ' ' || c.relkind::text
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by 1";
    let mut state = texts(database, relations).await?;
    if database.count("select count(*) from pg_namespace where nspname = '_avenire'").await? > 0 {
        state
            .extend(texts(database, "select m::text from _avenire.migrations m order by 1").await?);
    }
    Ok(state)
}

async fn texts(database: &Database, sql: &str) -> Result<Vec<String>> {
    Ok(database.rows(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

fn plan_error(failure: &Failure) -> &PlanError {
    match &failure.error {
        MigrationError::Plan(error) => error,
        other => panic!("another error: {other}"),
    }
}

#[test]
fn each_migration_is_applied_once_in_order_and_recorded_with_its_sha256() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let late = ("20260101120000_later.sql", "alter table counter add column later int;\n");
        let folder = folder(&[late, DATA, TABLE])?;
        assert_eq!(applied(&folder, &database).await?, [TABLE.0, DATA.0, late.0]);
        let again = apply_to(folder.path(), database.endpoint()).await??;
        assert_eq!((again.applied.len(), again.already), (0, 3));
        assert_eq!(database.count("select n::bigint from counter").await?, 1, "applied once");
        let ledger =
            "select name from _avenire.migrations where sha256 = sha256(convert_to($1, 'UTF8'))
            and applied_at is not null and took_ms is not null and component = 'main'";
        for (file, text) in [TABLE, DATA, late] {
            let rows = database.rows(ledger, &[&text]).await?;
            let names: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(names.len(), 1, "{file}");
            assert!(file.ends_with(&format!("_{}.sql", names[0])), "{file}: {names:?}");
        }
        Ok(())
    })
}

#[test]
fn ten_hosts_that_start_together_apply_each_migration_exactly_once() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[
            TABLE,
            DATA,
            (
                "0003_index.sql",
                "-- avenire: no-transaction\ncreate index concurrently i on counter (n);\n",
            ),
            ("0004_slow.sql", "select pg_sleep(0.1); update counter set n = n + 10;\n"),
            ("0005_data.sql", "update counter set n = n + 100;\n"),
        ])?;
        let hosts: Vec<_> = (0..10)
            .map(|_| {
                let (path, endpoint) = (folder.path().to_owned(), database.endpoint().clone());
                tokio::spawn(async move { apply_to(&path, &endpoint).await })
            })
            .collect();
        let mut total = 0;
        for host in hosts {
            let report = host.await???;
            assert_eq!(report.applied.len() + report.already, 5, "each knows of all: {report:?}");
            total += report.applied.len();
        }
        assert_eq!(total, 5, "each was applied by one host alone");
        assert_eq!(database.count("select n::bigint from counter").await?, 111);
        assert_eq!(database.count("select count(*) from _avenire.migrations").await?, 5);
        let valid = "select count(*) from pg_index where indexrelid = 'i'::regclass and indisvalid";
        assert_eq!(database.count(valid).await?, 1);
        Ok(())
    })
}

/// Applies two migrations, changes the folder, and returns how that is refused. The
/// database must be as before.
async fn contradiction(
    server: &Server,
    change: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<PlanError> {
    let database = server.database().await?;
    let third = ("0003_third.sql", "create table third ();\n");
    let folder = folder(&[TABLE, third])?;
    applied(&folder, &database).await?;
    std::fs::write(folder.path().join("0004_new.sql"), "create table new ();\n")?;
    let before = state_of(&database).await?;
    change(folder.path())?;
    let failure = refused(&folder, database.endpoint()).await?;
    let error = plan_error(&failure).clone();
    assert!(failure.applied.is_empty() && failure.error.hint().is_some(), "{failure:?}");
    let migrations = Migrations::load(folder.path())?;
    let status = migrations.status(database.endpoint(), soon()).await?;
    assert_eq!(status.conflict.as_ref(), Some(&error), "the status tells the same");
    assert!(status.pending.is_empty() && status.applied.len() == 2, "{status:?}");
    assert_eq!(state_of(&database).await?, before);
    Ok(error)
}

#[test]
fn a_changed_missing_or_late_file_is_refused_by_name_and_changes_nothing() -> Result<()> {
    with(async |server| {
        let changed = contradiction(server, |folder| {
            std::fs::write(folder.join("0003_third.sql"), "select 3;\n")
        })
        .await?;
        assert_eq!(changed, PlanError::Changed { file: "0003_third.sql".into() });
        let missing =
            contradiction(server, |folder| std::fs::remove_file(folder.join("0001_table.sql")))
                .await?;
        assert_eq!(missing, PlanError::Missing { version: 1, name: "table".into() });
        let late =
            contradiction(server, |folder| std::fs::write(folder.join(DATA.0), DATA.1)).await?;
        assert_eq!(late, PlanError::OutOfOrder { file: DATA.0.into(), newest: 3 });
        let old = contradiction(server, |folder| {
            std::fs::remove_file(folder.join("0004_new.sql"))?;
            std::fs::remove_file(folder.join("0003_third.sql"))
        });
        assert_eq!(old.await?, PlanError::Ahead { version: 3, name: "third".into() });
        Ok(())
    })
}

#[test]
fn a_failing_statement_is_told_with_its_place_and_undoes_its_own_migration_only() -> Result<()> {
    with(async |server| {
        let text = "create table half ();\n\n-- ä\nupdate counter set n = 5;\nselect n,\n  nonsense from counter;\n";
        // Where Postgres knows the place in the statement, and where it does not.
        let unplaced = text.replace("nonsense", "1 / (n - 5)");
        let syntax = text.replace("nonsense", "from");
        let cases = [
            (text.to_owned(), "42703", (6, 3)),
            (unplaced, "22012", (5, 1)),
            (syntax, "42601", (6, 3)),
        ];
        for (text, sqlstate, place) in cases {
            let database = server.database().await?;
            let folder = folder(&[
                TABLE,
                ("0002_half.sql", &text),
                ("0003_more.sql", "create table more ();"),
            ])?;
            let failure = refused(&folder, database.endpoint()).await?;
            let MigrationError::Statement { file, place: found, error, effect } = &failure.error
            else {
                bail!("another error: {}", failure.error)
            };
            assert_eq!((file.as_str(), *effect), ("0002_half.sql", Effect::None));
            assert_eq!(error.sqlstate(), Some(sqlstate));
            assert_eq!((found.line, found.column), place);
            let told = failure.error.to_string();
            assert!(
                told.contains("0002_half.sql") && told.contains(&format!("line {}", place.0)),
                "{told}"
            );
            assert!(told.contains(sqlstate), "{told}");
            let kept: Vec<&str> = failure.applied.iter().map(|done| done.file.as_str()).collect();
            assert_eq!(kept, [TABLE.0], "what was applied before is told");
            assert_eq!(database.count("select n::bigint from counter").await?, 0);
            assert_eq!(database.count("select count(to_regclass('half'))").await?, 0);
            assert_eq!(database.count("select count(*) from _avenire.migrations").await?, 1);
            // It is mended, since it was never applied, and goes on from there.
            std::fs::write(folder.path().join("0002_half.sql"), "create table half ();")?;
            assert_eq!(applied(&folder, &database).await?, ["0002_half.sql", "0003_more.sql"]);
        }
        Ok(())
    })
}

#[test]
fn a_user_named_like_a_schema_does_not_get_the_tables_in_it() -> Result<()> {
    with(async |server| {
        // Roles belong to the whole cluster, which other runs of the tests share.
        let make = "do $$ begin create role avenire login; exception
            when duplicate_object or unique_violation then null; end $$";
        let database = server.database().await?;
        database.run(make).await?;
        database.run(&format!("alter database {} owner to avenire", database.name())).await?;
        let endpoint = database.endpoint().with_credentials("avenire", None);
        let report = apply_to(folder(&[TABLE, DATA])?.path(), &endpoint).await??;
        assert_eq!(report.applied.len(), 2);
        let tables = "select schemaname || '.' || tablename from pg_tables
            where schemaname !~ '^pg_' and schemaname <> 'information_schema' order by 1";
        assert_eq!(texts(&database, tables).await?, ["_avenire.migrations", "public.counter"]);
        Ok(())
    })
}

#[test]
fn a_migration_that_sets_a_search_path_or_a_role_changes_it_for_itself_alone() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[
            ("0001_a.sql", "create schema other; set search_path = other; create table a ();"),
            ("0002_b.sql", "create table b (); set role pg_monitor;"),
            ("0003_c.sql", "create table c ();"),
        ])?;
        assert_eq!(applied(&folder, &database).await?.len(), 3);
        for table in ["other.a", "public.b", "public.c", "_avenire.migrations"] {
            let there = format!("select count(to_regclass('{table}'))");
            assert_eq!(database.count(&there).await?, 1, "{table}");
        }
        Ok(())
    })
}

#[test]
fn the_status_names_what_is_pending_and_changes_nothing() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let migrations = Migrations::load(folder(&[TABLE, DATA])?.path())?;
        let fresh = migrations.status(database.endpoint(), soon()).await?;
        assert_eq!(fresh.pending, [TABLE.0, DATA.0]);
        assert!(fresh.applied.is_empty() && fresh.conflict.is_none());
        assert!(state_of(&database).await?.is_empty(), "not even a ledger is made");
        migrations.apply(database.endpoint(), soon(), &|_| {}).await?;
        let done = migrations.status(database.endpoint(), soon()).await?;
        assert!(done.pending.is_empty(), "{done:?}");
        assert!(done.applied.iter().all(|one| matches!(one.state, State::Finished { .. })));
        Ok(())
    })
}

#[test]
fn a_table_that_is_in_use_is_waited_for() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        let user = database.session().await?;
        user.batch("begin; select * from counter").await?;
        let (told, mut waited) = tokio::sync::mpsc::unbounded_channel();
        let folder = folder(&[
            TABLE,
            ("0002_column.sql", "set local lock_timeout = 50; alter table counter add x int;"),
        ])?;
        let (path, endpoint) = (folder.path().to_owned(), database.endpoint().clone());
        let host = tokio::spawn(async move {
            let told = move |step| drop(told.send(step));
            anyhow::Ok(Migrations::load(&path)?.apply(&endpoint, soon(), &told).await?)
        });
        eventually("the migration waits for the table", async || {
            Ok(matches!(waited.try_recv(), Ok(Progress::WaitingForLocks { .. })))
        })
        .await?;
        user.batch("commit").await?;
        assert_eq!(host.await??.applied.len(), 1);
        Ok(())
    })
}

/// Applies with little time.
async fn hurried(folder: &TempDir, database: &Database, time: Duration) -> Result<Failure> {
    let migrations = Migrations::load(folder.path())?;
    match migrations.apply(database.endpoint(), Instant::now() + time, &|_| {}).await {
        Err(failure) => Ok(failure),
        Ok(report) => bail!("it was applied: {report:?}"),
    }
}

const SLEEPING: &str = "select count(*) from pg_stat_activity where datname = current_database()
    and state = 'active' and query like 'select pg_sleep(3600)%'";

#[test]
fn a_deadline_ends_a_migration_at_the_server_and_nothing_of_it_remains() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        let text = "create table half ();\nselect pg_sleep(3600);";
        let slow = folder(&[TABLE, ("0002_slow.sql", text)])?;
        let before = state_of(&database).await?;
        let failure = hurried(&slow, &database, Duration::from_secs(1)).await?;
        let MigrationError::Deadline { file, place } = &failure.error else {
            bail!("another error: {failure:?}")
        };
        assert_eq!((file.as_str(), place.line), ("0002_slow.sql", 2));
        eventually("the server stops", async || Ok(database.count(SLEEPING).await? == 0)).await?;
        assert_eq!(state_of(&database).await?, before);
        Ok(())
    })
}

#[test]
fn a_table_that_stays_in_use_is_named_as_the_reason() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        let user = database.session().await?;
        user.batch("begin; select * from counter").await?;
        let change =
            folder(&[TABLE, ("0002_column.sql", "alter table counter add column x int;")])?;
        let failure = hurried(&change, &database, Duration::from_secs(1)).await?;
        assert!(
            matches!(&failure.error, MigrationError::Locked { file } if file == "0002_column.sql"),
            "{failure:?}"
        );
        assert_eq!(failure.error.sqlstate(), Some("55P03"));
        user.batch("rollback").await?;
        assert_eq!(applied(&change, &database).await?, ["0002_column.sql"]);
        Ok(())
    })
}
