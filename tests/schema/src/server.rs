//! One Postgres for all tests of a run, on a socket of its own, and private databases in it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use avenire_postgres::embedded::{self, Cluster, Durability, Guard, Options};
use avenire_postgres::{Endpoint, Row, Session, ToSql};

use crate::{postgres_18, repository};

/// How long a test may wait for the database.
const TIME: Duration = Duration::from_mins(2);

/// Distinguishes the databases of one process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running Postgres of one major version.
pub struct Server {
    cluster: Cluster,
}

/// A database of a test's own. It is left behind: the cluster is ephemeral.
pub struct Database {
    endpoint: Endpoint,
    name: String,
    url: String,
}

impl Server {
    /// Starts the Postgres of this machine, or joins the one that another test process started.
    /// `guard` is the guard program.
    pub async fn start(guard: &str) -> Result<Self> {
        Self::start_from(guard, "machine", None).await
    }

    /// The same with Postgres 18, which is fetched when it is not there yet.
    pub async fn start_18(guard: &str) -> Result<Self> {
        Self::start_from(guard, "18", Some(postgres_18::binaries()?)).await
    }

    /// The same with the binaries in a folder; `label` keeps its data apart from others'.
    pub async fn start_from(guard: &str, label: &str, binaries: Option<PathBuf>) -> Result<Self> {
        let guard = Guard { program: guard.into(), arguments: Vec::new() };
        let state = repository().join("target/tmp").join(format!("avenire-schema-{label}"));
        let options =
            Options { durability: Durability::Ephemeral, binaries, ..Options::new(state, guard) };
        let cluster = embedded::start(options)
            .await
            .context("the tests need Postgres 15 or later: `apt-get install -y postgresql`")?;
        Ok(Self { cluster })
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Where the superuser logs in.
    pub fn endpoint(&self) -> Result<Endpoint> {
        Ok(Endpoint::parse(&self.cluster.url())?)
    }

    /// Its major version.
    pub async fn version(&self) -> Result<i32> {
        let session = Session::connect(&self.endpoint()?, Instant::now() + TIME).await?;
        let sql = "select current_setting('server_version_num')::integer / 10000";
        Ok(session.rows(sql, &[]).await?.first().map_or(0, |row| row.get(0)))
    }

    /// An empty database.
    pub async fn database(&self) -> Result<Database> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let endpoint = self.endpoint()?;
        let session = Session::connect(&endpoint, Instant::now() + TIME).await?;
        session.batch(&format!("drop database if exists {name}")).await?;
        session.batch(&format!("create database {name} template template0")).await?;
        let url = self.cluster.url().replace("/avenire?", &format!("/{name}?"));
        Ok(Database { endpoint: endpoint.with_database(&name), name, url })
    }
}

impl Database {
    /// Where its owner, a superuser, logs in.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection as its owner.
    pub async fn session(&self) -> Result<Session> {
        Ok(Session::connect(&self.endpoint, Instant::now() + TIME).await?)
    }

    /// Runs a script as its owner.
    pub async fn run(&self, sql: &str) -> Result<()> {
        Ok(self.session().await?.batch(sql).await?)
    }

    /// Rows of a query as its owner.
    pub async fn rows(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.session().await?.rows(sql, parameters).await?)
    }

    /// The one number that a query of its owner gives.
    pub async fn count(&self, sql: &str) -> Result<i64> {
        Ok(self.rows(sql, &[]).await?.first().map_or(0, |row| row.get(0)))
    }
}
