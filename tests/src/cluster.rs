//! One Postgres for all tests of a run, on a socket of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use avenire_app::BINARIES_VARIABLE;
use avenire_app::postgres::embedded::{self, Cluster, Durability, Guard, Options, Started};
use avenire_app::postgres::{Endpoint, Session};
use tokio::sync::OnceCell;

use crate::repository;

/// The running cluster and the program under test. It is shared by all tests of
/// a process, and the cluster by all processes of a run: it stops when the last
/// of them ends, however that ends.
pub struct Harness {
    binary: PathBuf,
    cluster: Cluster,
    pub(crate) template: OnceCell<()>,
    pub(crate) components: OnceCell<()>,
    pub(crate) test_components: OnceCell<()>,
}

impl Harness {
    /// Starts the cluster, or joins the one that another test process started.
    /// `binary` is the program under test.
    pub async fn start(binary: impl Into<PathBuf>) -> Result<Self> {
        let binary = binary.into();
        let guard = guard_of(&binary);
        let cluster = embedded::start(Options {
            durability: Durability::Ephemeral,
            binaries: std::env::var_os(BINARIES_VARIABLE).map(PathBuf::from),
            ..Options::new(repository().join("target/tmp/avenire-tests"), guard)
        })
        .await
        .context("the tests need Postgres 15 or later: `apt-get install -y postgresql`")?;
        if cluster.started() != Started::AlreadyRunning {
            drop_former(&cluster).await?;
        }
        Ok(Self {
            binary,
            cluster,
            template: OnceCell::new(),
            components: OnceCell::new(),
            test_components: OnceCell::new(),
        })
    }

    /// The program under test.
    pub fn binary(&self) -> &PathBuf {
        &self.binary
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How the program under test is started as a guard.
    pub fn guard(&self) -> Guard {
        guard_of(&self.binary)
    }

    /// Where the cluster's superuser logs in.
    pub fn superuser(&self) -> Result<Endpoint> {
        Ok(Endpoint::parse(&self.cluster.url())?)
    }
}

/// Drops the databases of former runs. Who joins at this moment has made its own
/// after the server's start.
async fn drop_former(cluster: &Cluster) -> Result<()> {
    let endpoint = Endpoint::parse(&cluster.url())?;
    let session = Session::connect(&endpoint, Instant::now() + Duration::from_mins(1)).await?;
    let former = "select datname::text from pg_database where datname ~ '^test_[0-9]+_[0-9]+$'
        and (pg_stat_file('base/' || oid || '/PG_VERSION')).modification < pg_postmaster_start_time()";
    for row in session.rows(former, &[]).await? {
        let name: String = row.get(0);
        session.batch(&format!("drop database if exists {name}")).await?;
    }
    Ok(())
}

fn guard_of(binary: &Path) -> Guard {
    Guard { program: binary.to_owned(), arguments: vec!["__guard".into()] }
}
