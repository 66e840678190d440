//! The embedded cluster: who starts it, who shares it, and when it stops. Proves the
//! life of the server by its process and its data, never by what the starter claims.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use avenire_app::BINARIES_VARIABLE;
use avenire_app::postgres::embedded::{self, Cluster, Durability, Options, Started};
use avenire_app::postgres::{Endpoint, Session};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::patience::{eventually, soon};
use crate::{harness, run};

/// A folder that the account of the server can get into, also when we are root.
pub(crate) fn open_folder() -> Result<TempDir> {
    let folder = TempDir::new()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Starts or joins the cluster of a project folder.
pub(crate) async fn start(project: &Path) -> Result<Cluster> {
    start_as(project, Durability::Ephemeral).await
}

async fn start_as(project: &Path, durability: Durability) -> Result<Cluster> {
    let options = Options {
        durability,
        binaries: std::env::var_os(BINARIES_VARIABLE).map(PathBuf::from),
        ..Options::new(project.join(".avenire"), harness().await?.guard())
    };
    Ok(embedded::start(options).await?)
}

async fn session(cluster: &Cluster) -> Result<Session> {
    Ok(Session::connect(&Endpoint::parse(&cluster.url())?, soon()).await?)
}

/// The one number a query gives.
async fn number(cluster: &Cluster, sql: &str) -> Result<i64> {
    Ok(session(cluster).await?.rows(sql, &[]).await?.first().context("a row")?.get(0))
}

/// The server's process, by what it says itself.
fn server(data: &Path) -> Result<u32> {
    let text = std::fs::read_to_string(data.join("postmaster.pid"))?;
    Ok(text.lines().next().context("a process id")?.trim().parse()?)
}

/// One column of what `ps` tells of a process; empty when there is none.
fn process_column(process: u32, column: &str) -> Result<String> {
    let column = format!("{column}=");
    let output = Command::new("ps").args(["-o", &column, "-p", &process.to_string()]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn is_running(process: u32) -> Result<bool> {
    let state = process_column(process, "stat")?;
    // A zombie has ended; whose task it is to notice depends on the machine. But one
    // that still has threads (`l`) also still has its files and their locks.
    Ok(!state.is_empty() && (!state.starts_with('Z') || state.contains('l')))
}

/// What nobody can prepare for.
async fn kill(process: u32) -> Result<()> {
    let mut command = Command::new("kill");
    assert!(command.args(["-KILL", &process.to_string()]).status()?.success());
    eventually("the killed process is gone", async || Ok(!is_running(process)?)).await
}

/// The process is gone, and it went in order: the server removes its file last.
async fn stops(process: u32, data: &Path) -> Result<()> {
    eventually("the server ends", async || Ok(!is_running(process)?)).await?;
    assert!(!data.join("postmaster.pid").exists(), "it was shut down, not killed");
    Ok(())
}

/// The program in a project without any configuration but an empty manifest.
struct Program {
    folder: TempDir,
}

impl Program {
    fn new() -> Result<Self> {
        let folder = open_folder()?;
        std::fs::write(folder.path().join("avenire.toml"), "")?;
        std::fs::create_dir(folder.path().join("migrations"))?;
        let text = "create table counter (n int not null);\ninsert into counter values (1);\n";
        std::fs::write(folder.path().join("migrations/0001_table.sql"), text)?;
        Ok(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_avenire-db-tested"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null()).kill_on_drop(true);
        for name in ["DATABASE_URL", "DB_URL", "DIRECT_DATABASE_URL"] {
            command.env_remove(name);
        }
        command
    }

    /// `avenire-db dev`, once it says that it is ready.
    async fn dev(&self) -> Result<Child> {
        let mut command = self.command(&["--json", "dev"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let line = tokio::time::timeout_at(soon().into(), lines.next_line()).await??;
        let ready: Value = serde_json::from_str(&line.context("a line")?)?;
        assert!(ready["ready"].is_object(), "{ready}");
        Ok(child)
    }
}

#[test]
fn a_second_user_joins_the_running_server() -> Result<()> {
    run(async {
        let folder = open_folder()?;
        let first = start(folder.path()).await?;
        assert_eq!(first.started(), Started::Created);
        session(&first).await?.batch("create table shared (); ").await?;
        let second = start(folder.path()).await?;
        assert_eq!(second.started(), Started::AlreadyRunning);
        assert_eq!((second.url(), second.version()), (first.url(), first.version()));
        let process = server(first.data_folder())?;
        drop(first);
        let there = "select count(to_regclass('shared'))";
        assert_eq!(number(&second, there).await?, 1, "one cluster, and it still runs");
        assert_eq!(server(second.data_folder())?, process, "the same server");
        let data = second.data_folder().to_owned();
        drop(second);
        stops(process, &data).await
    })
}

#[test]
fn the_server_outlives_its_starter_while_another_uses_it() -> Result<()> {
    run(async {
        let program = Program::new()?;
        let mut starter = program.dev().await?;
        let ours = start(program.path()).await?;
        assert_eq!(ours.started(), Started::AlreadyRunning);
        let process = server(ours.data_folder())?;
        starter.kill().await?;
        // The guard and the server are asked only after the starter is gone for good.
        assert_eq!(number(&ours, "select n::bigint from counter").await?, 1);
        let migrated = program.command(&["migrate"]).output().await?;
        assert!(migrated.status.success(), "others still join: {migrated:?}");
        assert_eq!(server(ours.data_folder())?, process, "the same server all along");
        let data = ours.data_folder().to_owned();
        drop(ours);
        stops(process, &data).await
    })
}

#[test]
fn the_server_stops_with_its_last_user_also_when_that_is_killed() -> Result<()> {
    run(async {
        let program = Program::new()?;
        let mut user = program.dev().await?;
        let data = data_folder(&program.path().join(".avenire/pg"))?;
        let process = server(&data)?;
        assert!(is_running(process)?);
        // SIGKILL: nothing of the user's own code runs any more.
        user.kill().await?;
        stops(process, &data).await
    })
}

/// The one data folder of a home.
fn data_folder(home: &Path) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(home)? {
        let data = entry?.path().join("data");
        if data.is_dir() {
            found.push(data);
        }
    }
    assert_eq!(found.len(), 1, "one cluster: {found:?}");
    found.pop().context("a data folder")
}

#[test]
fn a_second_start_finds_the_same_data() -> Result<()> {
    run(async {
        let folder = open_folder()?;
        let first = start(folder.path()).await?;
        session(&first)
            .await?
            .batch("create table kept (n int); insert into kept values (7)")
            .await?;
        let (process, data) = (server(first.data_folder())?, first.data_folder().to_owned());
        drop(first);
        stops(process, &data).await?;
        let second = start(folder.path()).await?;
        assert_eq!(second.started(), Started::Restarted);
        assert_eq!(number(&second, "select n::bigint from kept").await?, 7);
        // Also at once, while the guard may be about to stop the server.
        let mut last = second;
        for _ in 0..5 {
            drop(last);
            last = start(folder.path()).await?;
            assert_eq!(number(&last, "select n::bigint from kept").await?, 7);
        }
        let (process, data) = (server(last.data_folder())?, last.data_folder().to_owned());
        drop(last);
        stops(process, &data).await
    })
}

#[test]
fn starters_at_once_make_one_cluster() -> Result<()> {
    run(async {
        let program = Program::new()?;
        let here = program.path();
        let mut other = program.command(&["migrate"]);
        let (first, second, third, migrated) =
            tokio::join!(start(here), start(here), start(here), other.output());
        let migrated = migrated?;
        assert!(migrated.status.success(), "{migrated:?}");
        let users = [first?, second?, third?];
        let created = users.iter().filter(|user| user.started() == Started::Created).count();
        assert!(created <= 1, "at most one made it, if not the other process");
        for user in &users {
            assert_eq!(user.url(), users[0].url());
            assert_eq!(number(user, "select n::bigint from counter").await?, 1);
        }
        let data = data_folder(&here.join(".avenire/pg"))?;
        let process = server(&data)?;
        drop(users);
        stops(process, &data).await
    })
}

#[test]
fn a_server_whose_guard_was_killed_is_adopted_by_the_next_user() -> Result<()> {
    run(async {
        let folder = open_folder()?;
        let first = start(folder.path()).await?;
        let process = server(first.data_folder())?;
        kill(process_column(process, "ppid")?.parse()?).await?;
        let second = start(folder.path()).await?;
        assert_eq!(second.started(), Started::AlreadyRunning);
        assert_eq!(server(second.data_folder())?, process, "the same server");
        assert_eq!(number(&second, "select 1::bigint").await?, 1);
        let data = first.data_folder().to_owned();
        drop((first, second));
        stops(process, &data).await
    })
}

#[test]
fn a_killed_server_is_recovered_by_the_next_user() -> Result<()> {
    run(async {
        let folder = open_folder()?;
        let first = start_as(folder.path(), Durability::Durable).await?;
        session(&first)
            .await?
            .batch("create table kept (n int); insert into kept values (7)")
            .await?;
        let process = server(first.data_folder())?;
        kill(process).await?;
        let second = start(folder.path()).await?;
        assert_eq!(second.started(), Started::Restarted);
        assert_eq!(number(&second, "select n::bigint from kept").await?, 7);
        let (process, data) = (server(second.data_folder())?, second.data_folder().to_owned());
        drop((first, second));
        stops(process, &data).await
    })
}

#[test]
fn a_folder_without_postgres_is_an_error_that_names_the_remedy() -> Result<()> {
    run(async {
        let program = Program::new()?;
        let empty = open_folder()?;
        let mut command = program.command(&["migrate"]);
        let output = command.env(BINARIES_VARIABLE, empty.path()).output().await?;
        let told = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(6), "{told}");
        let place = empty.path().to_str().context("a path")?;
        for part in [place, "has no program `postgres`", "hint: ", "pg_config --bindir"] {
            assert!(told.contains(part), "no {part:?} in {told}");
        }
        assert!(!told.contains("panicked") && !told.contains("backtrace"), "{told}");
        // Mended, it works: nothing half made is in the way.
        let output = program.command(&["migrate"]).output().await?;
        assert!(output.status.success(), "{output:?}");
        let data = data_folder(&program.path().join(".avenire/pg"))?;
        if let Ok(process) = server(&data) {
            stops(process, &data).await?;
        }
        Ok(())
    })
}
