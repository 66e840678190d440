//! Processes, connections and servers that are killed.

use std::process::{Child, Command, Stdio};

use anyhow::{Result, bail};
use avenire_schema::{MigrationError, Migrations, PlanError};
use avenire_schema_tests::{Database, Server};
use tempfile::TempDir;

use super::super::{TABLE, applied, apply_to, eventually, folder, hurried, plan_error, refused};
use crate::{GUARD, with};

const SLEEPING: &str = "select count(*) from pg_stat_activity where datname = current_database()
    and state = 'active' and query like 'select pg_sleep(%'";
const END_IT: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and query like 'select pg_sleep(%'";

/// It sleeps as long as the table `awake` is not there, and then never again.
const SLEEPY: (&str, &str) = (
    "0002_sleepy.sql",
    "-- avenire: no-transaction\nupdate counter set n = n + 1;
select pg_sleep(3600) where to_regclass('awake') is null;\nupdate counter set n = n + 10;\n",
);

/// A host that migrates, as a process of its own.
struct Host(Child);

impl Host {
    fn start(database: &Database, folder: &TempDir) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_avenire-schema-tests-migrate"));
        command.arg(database.url()).arg(folder.path());
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

async fn sleeps(database: &Database) -> Result<()> {
    eventually("it sleeps", async || Ok(database.count(SLEEPING).await? == 1)).await
}

/// What Postgres would notice with its next message to the dead host.
async fn wake(database: &Database) -> Result<()> {
    database.count(END_IT).await?;
    eventually("its session is gone", async || Ok(database.count(SLEEPING).await? == 0)).await
}

#[test]
fn a_killed_process_is_waited_for_as_long_as_its_statement_runs_and_then_followed() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE, SLEEPY])?;
        let host = Host::start(&database, &folder)?;
        sleeps(&database).await?;
        drop(host);
        let meanwhile = hurried(&folder, &database, std::time::Duration::from_millis(500)).await?;
        assert!(matches!(meanwhile.error, MigrationError::Busy), "{meanwhile:?}");
        database.run("create table awake ()").await?;
        wake(&database).await?;
        assert_eq!(applied(&folder, &database).await?, [SLEEPY.0]);
        assert_eq!(database.count("select n::bigint from counter").await?, 11, "each once");
        Ok(())
    })
}

#[test]
fn a_killed_process_leaves_nothing_of_a_transaction() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let text = "create table half (); select pg_sleep(3600);";
        let folder = folder(&[TABLE, ("0002_half.sql", text)])?;
        let host = Host::start(&database, &folder)?;
        sleeps(&database).await?;
        drop(host);
        wake(&database).await?;
        assert_eq!(database.count("select count(to_regclass('half'))").await?, 0);
        std::fs::write(folder.path().join("0002_half.sql"), "create table half ();")?;
        assert_eq!(applied(&folder, &database).await?, ["0002_half.sql"]);
        Ok(())
    })
}

#[test]
fn a_connection_that_is_lost_is_made_anew_and_nothing_happens_twice() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let inside = ("0003_inside.sql", SLEEPY.1.trim_start_matches("-- avenire: no-transaction"));
        let folder = folder(&[TABLE, SLEEPY, inside])?;
        let (path, endpoint) = (folder.path().to_owned(), database.endpoint().clone());
        let host = tokio::spawn(async move { apply_to(&path, &endpoint).await });
        sleeps(&database).await?;
        database.run("create table awake ()").await?;
        database.count(END_IT).await?;
        eventually("it is through", async || {
            Ok(database.count("select n::bigint from counter").await? == 22)
        })
        .await?;
        assert_eq!(host.await???.applied.len(), 3);
        Ok(())
    })
}

#[test]
fn what_nobody_can_know_is_told_with_its_place() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        // A procedure with transactions of its own, of which one is done.
        let procedure = (
            "0002_procedure.sql",
            "create procedure twice() language plpgsql as $$ begin
                update counter set n = n + 1; commit;
                if to_regclass('awake') is null then perform pg_sleep(3600); end if;
                update counter set n = n + 1; end $$;",
        );
        let call = ("0003_call.sql", "-- avenire: no-transaction\nselect 1;\ncall twice();\n");
        applied(&folder(&[TABLE, procedure])?, &database).await?;
        let folder = folder(&[TABLE, procedure, call])?;
        let host = Host::start(&database, &folder)?;
        eventually("the procedure sleeps", async || {
            Ok(database.count("select n::bigint from counter").await? == 1)
        })
        .await?;
        drop(host);
        let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and query like 'call %'";
        database.count(end).await?;
        let mut failure = refused(&folder, database.endpoint()).await?;
        let PlanError::Interrupted { version: 3, place: Some(place), .. } = plan_error(&failure)
        else {
            bail!("another error: {failure:?}")
        };
        assert_eq!((place.line, place.column), (3, 1));
        let hint = failure.error.hint().unwrap_or_default();
        assert!(hint.contains("avenire-db mark 3"), "{hint}");
        failure = refused(&folder, database.endpoint()).await?;
        assert!(failure.applied.is_empty());
        assert_eq!(database.count("select n::bigint from counter").await?, 1, "not repeated");
        Ok(())
    })
}

#[test]
fn a_server_that_crashes_in_the_middle_is_waited_for() -> Result<()> {
    with(async |_| {
        // A server of its own, since all its connections break.
        let server = Server::start_from(GUARD, "crash", None).await?;
        let database = server.database().await?;
        let folder = folder(&[TABLE, SLEEPY])?;
        let (path, endpoint) = (folder.path().to_owned(), database.endpoint().clone());
        let host = tokio::spawn(async move { apply_to(&path, &endpoint).await });
        sleeps(&database).await?;
        // What the ephemeral server has not written is lost.
        database.run("set synchronous_commit = on; create table awake ()").await?;
        let session = database.session().await?;
        let pid = session.rows("select pg_backend_pid()", &[]).await?[0].get::<_, i32>(0);
        // A backend that dies so takes all others with it, and the server recovers.
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status()?;
        assert!(killed.success());
        assert_eq!(host.await???.applied.len(), 2);
        assert_eq!(database.count("select n::bigint from counter").await?, 11, "each once");
        Ok(())
    })
}

#[test]
fn processes_that_race_and_are_killed_leave_it_to_the_next() -> Result<()> {
    with(async |server| {
        for hosts in [2, 10] {
            let database = server.database().await?;
            let folder = super::files()?;
            let racing: Vec<Host> =
                (0..hosts).map(|_| Host::start(&database, &folder)).collect::<Result<_>>()?;
            eventually("somebody has begun", async || {
                Ok(database.count("select count(to_regclass('_avenire.migrations'))").await? == 1)
            })
            .await?;
            drop(racing);
            applied(&folder, &database).await?;
            assert_eq!(super::facts(&database).await?, super::DONE);
            assert!(Migrations::load(folder.path())?.available().len() == 3);
        }
        Ok(())
    })
}
