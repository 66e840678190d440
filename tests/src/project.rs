//! A project of a test's own, on its private database.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use avenire_app::engine::{Call, CallError, CanaryTerms, Outcome, Published, Slot};
use avenire_app::postgres::embedded::Guard;
use avenire_app::{
    AppError, Artifact, Embedding, Host, Notice, Project, Selection, ServeOptions, Service, Targets,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{Harness, TestDatabase, repository};

/// A folder with a manifest, and the database it works on.
pub struct TestProject {
    folder: TempDir,
    binary: PathBuf,
    database: TestDatabase,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("not JSON: {self:?}"))
    }
}

impl Harness {
    /// A project with the repository's own components, built, on a private
    /// database with sample data.
    pub async fn project(&self) -> Result<TestProject> {
        self.components().await?;
        let manifest = std::fs::read_to_string(repository().join("avenire.toml"))?;
        self.project_with(&manifest, self.database().await?)
    }

    /// A project with that manifest on that database. Relative paths of the
    /// manifest that begin with `target/`, `migrations` or `wit` lead to the repository.
    pub fn project_with(&self, manifest: &str, database: TestDatabase) -> Result<TestProject> {
        let folder = TempDir::new()?;
        std::fs::write(folder.path().join("avenire.toml"), manifest)?;
        for name in ["target", "migrations", "wit"] {
            std::os::unix::fs::symlink(repository().join(name), folder.path().join(name))?;
        }
        share_compiled(folder.path())?;
        Ok(TestProject { folder, binary: self.binary().clone(), database })
    }
}

/// All tests use one folder of compiled components, so that each is compiled once.
fn share_compiled(project: &Path) -> Result<()> {
    let shared = repository().join("target/tmp/compiled");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&shared)?;
    std::fs::create_dir(project.join(".avenire"))?;
    std::os::unix::fs::symlink(shared, project.join(".avenire/compiled"))?;
    Ok(())
}

impl TestProject {
    /// The project's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Starts the host with all components of the manifest.
    pub async fn host(&self) -> Result<TestHost> {
        let (project, targets) = self.open().await?;
        let host = Host::start(&project, targets, &Selection::All).await?;
        Ok(TestHost { project, host })
    }

    /// Serves as `avenire-db serve` would. What changes is told to the receiver.
    pub async fn service(
        &self,
        options: ServeOptions,
    ) -> Result<(Service, UnboundedReceiver<Notice>)> {
        let (project, targets) = self.open().await?;
        let (sender, notices) = tokio::sync::mpsc::unbounded_channel();
        let told = Box::new(move |notice| drop(sender.send(notice)));
        Ok((Service::start(project, targets, options, told).await?, notices))
    }

    /// The project as the program opens it, and its database.
    pub async fn open(&self) -> Result<(Project, Targets)> {
        let project = Project::find(self.folder())?;
        // The environment of a test process is shared by all tests, so the URL goes
        // in by way of the manifest's text, as a user might do it too.
        let project = project.with_database_url(self.database.url());
        let guard = Guard { program: self.binary.clone(), arguments: Vec::new() };
        let targets = Targets::open(&project, Embedding { guard, progress: &|_| {} }).await?;
        Ok((project, targets))
    }

    /// Starts the program under test in the project's folder.
    pub fn spawn(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.folder());
        command.env("DATABASE_URL", self.database.url()).env_remove("DIRECT_DATABASE_URL");
        Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
    }

    /// Runs the program under test in the project's folder and waits for its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Finished> {
        self.run_with(arguments, &[])
    }

    /// As [`TestProject::run`], with further environment variables.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Finished> {
        let output = Command::new(&self.binary)
            .args(arguments)
            .current_dir(self.folder())
            .env("DATABASE_URL", self.database.url())
            .env_remove("DIRECT_DATABASE_URL")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()?;
        Ok(Finished {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// A running host of a test.
pub struct TestHost {
    project: Project,
    host: Host,
}

impl TestHost {
    /// The host itself.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The slot of that name.
    pub fn slot(&self, name: &str) -> Result<&Slot> {
        Ok(self.host.slot(&self.project, name)?)
    }

    /// Validates these bytes and serves them.
    pub async fn swap(
        &self,
        component: &str,
        bytes: Vec<u8>,
        number: u64,
    ) -> Result<Published, AppError> {
        self.host.swap(&self.project, component, &artifact(bytes), number).await
    }

    /// Validates these bytes and serves them to some calls.
    pub async fn try_out(
        &self,
        component: &str,
        bytes: Vec<u8>,
        number: u64,
        terms: CanaryTerms,
    ) -> Result<(), AppError> {
        self.host.try_out(&self.project, component, &artifact(bytes), number, terms).await
    }

    /// Serves the former generation again.
    pub fn roll_back(&self, component: &str) -> Result<Published, AppError> {
        self.host.roll_back(&self.project, component)
    }

    /// The same to share with other tasks.
    pub fn shared_slot(&self, name: &str) -> Result<Arc<Slot>> {
        Ok(Arc::clone(self.host.slot(&self.project, name)?))
    }

    /// Calls a function and returns everything the call led to.
    pub async fn outcome(
        &self,
        function: &str,
        arguments: Value,
    ) -> Result<Result<Outcome, CallError>> {
        let (component, function) = function.split_once('.').context("component.function")?;
        let Value::Object(arguments) = arguments else { anyhow::bail!("not an object") };
        let slot = self.host.slot(&self.project, component)?;
        Ok(slot.call(Call::new(function, arguments)).await)
    }

    /// Calls a function that is expected to succeed.
    pub async fn ok(&self, function: &str, arguments: Value) -> Result<Value> {
        let outcome = self.outcome(function, arguments).await??;
        outcome.result.map_err(|failure| anyhow::anyhow!("{function} failed: {failure}"))
    }

    /// Calls a function that is expected to answer with its failure case.
    pub async fn failure(&self, function: &str, arguments: Value) -> Result<Value> {
        let outcome = self.outcome(function, arguments).await??;
        match outcome.result {
            Err(failure) => Ok(failure),
            Ok(value) => anyhow::bail!("{function} succeeded: {value}"),
        }
    }

    /// Calls a function whose call is expected to fail.
    pub async fn error(&self, function: &str, arguments: Value) -> Result<CallError> {
        match self.outcome(function, arguments).await? {
            Err(error) => Ok(error),
            Ok(outcome) => anyhow::bail!("{function} answered: {:?}", outcome.result),
        }
    }
}

fn artifact(bytes: Vec<u8>) -> Artifact {
    Artifact { from: "memory".into(), bytes: bytes.into() }
}
