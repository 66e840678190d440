//! Migrations that do not come to their end: killed hosts and connections, deadlines,
//! tables in use, and what of all that remains.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use avenire_app::schema::{Effect, Failure, MigrationError, Migrations, PlanError};
use avenire_tests::{TestDatabase, TestProject};
use tempfile::TempDir;

use super::{TABLE, applied, empty_database, folder, plan_error, refused, state_of};
use crate::patience::eventually;
use crate::{harness, run};

/// Its second statement never ends.
const ENDLESS: (&str, &str) = (
    "0002_endless.sql",
    "-- avenire: no-transaction\nalter table counter add column half int;\nselect pg_sleep(3600);\n",
);

const SLEEPING: &str = "select count(*) from pg_stat_activity where datname = current_database()
    and state = 'active' and query like 'select pg_sleep(3600)%'";
const END_IT: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and query like 'select pg_sleep(3600)%'";

/// A host that migrates, as a process of its own.
struct Host(Child);

impl Host {
    fn start(project: &TestProject) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_avenire-db-tested"));
        command.arg("migrate").current_dir(project.folder());
        command.env("DATABASE_URL", project.database().url()).env_remove("DIRECT_DATABASE_URL");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A project with these migrations on a database of its own.
async fn project(files: &[(&str, &str)]) -> Result<TestProject> {
    let project = harness().await?.project_with("", empty_database().await?)?;
    let migrations = project.folder().join("migrations");
    std::fs::remove_file(&migrations)?;
    std::fs::create_dir(&migrations)?;
    for (name, text) in files {
        std::fs::write(migrations.join(name), text)?;
    }
    Ok(project)
}

/// Applies with little time.
async fn hurried(folder: &TempDir, database: &TestDatabase, time: Duration) -> Result<Failure> {
    let migrations = Migrations::load(folder.path())?;
    match migrations.apply(database.endpoint(), Instant::now() + time, &|_| {}).await {
        Err(failure) => Ok(failure),
        Ok(report) => bail!("it was applied: {report:?}"),
    }
}

#[test]
fn a_migration_outside_of_a_transaction_whose_host_was_killed_is_noticed() -> Result<()> {
    run(async {
        let project = project(&[TABLE, ENDLESS]).await?;
        let database = project.database();
        let same = folder(&[TABLE, ENDLESS])?;
        let host = Host::start(&project)?;
        eventually("the endless statement runs", async || Ok(database.count(SLEEPING).await? == 1))
            .await?;
        // As long as it runs it is not taken for an interrupted one.
        let meanwhile = hurried(&same, database, Duration::from_millis(500)).await?;
        assert!(matches!(meanwhile.error, MigrationError::Busy), "{meanwhile:?}");
        drop(host);
        // What Postgres would notice with its next message to the dead host.
        database.count(END_IT).await?;
        eventually("its session is gone", async || Ok(database.count(SLEEPING).await? == 0))
            .await?;
        let before = state_of(database).await?;
        let failure = refused(&same, database.endpoint()).await?;
        let PlanError::Interrupted { version: 2, name, .. } = plan_error(&failure) else {
            bail!("another error: {failure:?}")
        };
        assert_eq!(name, "endless");
        let hint = failure.error.hint().unwrap_or_default();
        let mend = "delete from _avenire.migrations where version = 2 and applied_at is null";
        assert!(hint.contains(mend), "{hint}");
        assert_eq!(state_of(database).await?, before);
        // As the hint says: undo what took effect, forget the row, mend the file.
        database.run("alter table counter drop column half").await?;
        database.run(mend).await?;
        let mended = folder(&[TABLE, ("0002_endless.sql", "create table mended ();")])?;
        assert_eq!(applied(&mended, database).await?, ["0002_endless.sql"]);
        Ok(())
    })
}

#[test]
fn a_migration_in_a_transaction_whose_host_was_killed_is_applied_by_the_next() -> Result<()> {
    run(async {
        let text = "create table half (); select pg_sleep(3600);";
        let project = project(&[TABLE, ("0002_half.sql", text)]).await?;
        let database = project.database();
        let host = Host::start(&project)?;
        eventually("the second statement runs", async || Ok(database.count(SLEEPING).await? == 1))
            .await?;
        drop(host);
        database.count(END_IT).await?;
        eventually("its session is gone", async || Ok(database.count(SLEEPING).await? == 0))
            .await?;
        let mended = folder(&[TABLE, ("0002_half.sql", "create table half ();")])?;
        assert_eq!(applied(&mended, database).await?, ["0002_half.sql"]);
        Ok(())
    })
}

#[test]
fn a_connection_lost_outside_of_a_transaction_is_told_with_what_took_effect() -> Result<()> {
    run(async {
        let database = empty_database().await?;
        let same = folder(&[TABLE, ENDLESS])?;
        let (path, endpoint) = (same.path().to_owned(), database.endpoint().clone());
        let host = tokio::spawn(async move { super::apply_to(&path, &endpoint).await });
        eventually("the endless statement runs", async || Ok(database.count(SLEEPING).await? == 1))
            .await?;
        database.count(END_IT).await?;
        let Err(failure) = host.await?? else { bail!("it was applied") };
        let MigrationError::Statement { effect, place, .. } = &failure.error else {
            bail!("another error: {failure:?}")
        };
        assert_eq!((*effect, place.line), (Effect::Statements(1), 3));
        let next = refused(&same, database.endpoint()).await?;
        assert!(matches!(plan_error(&next), PlanError::Interrupted { version: 2, .. }), "{next:?}");
        Ok(())
    })
}

#[test]
fn a_first_statement_that_fails_outside_of_a_transaction_leaves_no_trace() -> Result<()> {
    run(async {
        let database = empty_database().await?;
        let header = "-- avenire: no-transaction\n";
        let wrong = format!("{header}create index concurrently i on nowhere (n);");
        let same = folder(&[TABLE, ("0002_index.sql", &wrong)])?;
        let failure = refused(&same, database.endpoint()).await?;
        let MigrationError::Statement { effect, place, error, .. } = &failure.error else {
            bail!("another error: {failure:?}")
        };
        assert_eq!((*effect, place.line), (Effect::Statements(0), 2));
        assert_eq!(error.sqlstate(), Some("42P01"));
        // Tried again, it goes on as if nothing had been.
        let right = wrong.replace("nowhere", "counter");
        std::fs::write(same.path().join("0002_index.sql"), &right)?;
        assert_eq!(applied(&same, &database).await?, ["0002_index.sql"]);
        // After the first one something did take effect.
        let third = format!("{header}create table kept ();\nselect 1 / 0;");
        std::fs::write(same.path().join("0003_kept.sql"), third)?;
        let failure = refused(&same, database.endpoint()).await?;
        let MigrationError::Statement { effect, place, .. } = &failure.error else {
            bail!("another error: {failure:?}")
        };
        assert_eq!((*effect, place.line), (Effect::Statements(1), 3));
        let next = refused(&same, database.endpoint()).await?;
        assert!(matches!(plan_error(&next), PlanError::Interrupted { version: 3, .. }), "{next:?}");
        Ok(())
    })
}

#[test]
fn a_deadline_ends_a_migration_at_the_server_and_nothing_of_it_remains() -> Result<()> {
    run(async {
        let database = empty_database().await?;
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
    run(async {
        let database = empty_database().await?;
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
