//! A private database for each test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use avenire_app::postgres::{Endpoint, Row, Session, ToSql};
use avenire_app::schema::Migrations;

use crate::{Harness, repository};

/// How long a test may wait for the database.
const TIME: Duration = Duration::from_mins(1);

/// Holds a migrated database that private ones are copied from.
const TEMPLATE: &str = "avenire_template";

/// Distinguishes the databases of one process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own. It is left behind: the cluster is ephemeral.
pub struct TestDatabase {
    name: String,
    endpoint: Endpoint,
    url: String,
}

impl Harness {
    /// A database with all migrations applied and the sample data loaded.
    pub async fn database(&self) -> Result<TestDatabase> {
        self.template.get_or_try_init(|| self.make_template()).await?;
        self.create(Some(TEMPLATE)).await
    }

    /// A database without any table.
    pub async fn empty_database(&self) -> Result<TestDatabase> {
        self.create(None).await
    }

    async fn create(&self, template: Option<&str>) -> Result<TestDatabase> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let session = self.session().await?;
        session.batch(&format!("drop database if exists {name}")).await?;
        let template = template.unwrap_or("template0");
        session.batch(&format!("create database {name} template {template}")).await?;
        let endpoint = self.superuser()?.with_database(&name);
        let url = self.cluster().url().replace("/avenire?", &format!("/{name}?"));
        Ok(TestDatabase { name, endpoint, url })
    }

    async fn session(&self) -> Result<Session> {
        Ok(Session::connect(&self.superuser()?, Instant::now() + TIME).await?)
    }

    /// Makes the template under a lock that all test processes share. It is made
    /// under another name and renamed, so that it is there whole or not at all.
    async fn make_template(&self) -> Result<()> {
        let session = self.session().await?;
        session.batch("select pg_advisory_lock(7261)").await?;
        let exists = "select from pg_database where datname = $1";
        let digest = format!("{TEMPLATE} {}", source_digest()?);
        let stamp =
            "select shobj_description(oid, 'pg_database') from pg_database where datname = $1";
        let current = session.rows(stamp, &[&TEMPLATE]).await?;
        let is_current = current
            .first()
            .is_some_and(|row| row.get::<_, Option<String>>(0).as_deref() == Some(&digest));
        if !is_current {
            let half = format!("{TEMPLATE}_half");
            session.batch(&format!("drop database if exists {half}")).await?;
            session.batch(&format!("create database {half} template template0")).await?;
            self.fill(&self.superuser()?.with_database(&half)).await?;
            if !session.rows(exists, &[&TEMPLATE]).await?.is_empty() {
                session.batch(&format!("drop database {TEMPLATE}")).await?;
            }
            session.batch(&format!("alter database {half} rename to {TEMPLATE}")).await?;
            session.batch(&format!("comment on database {TEMPLATE} is '{digest}'")).await?;
        }
        session.batch("select pg_advisory_unlock(7261)").await?;
        Ok(())
    }

    async fn fill(&self, endpoint: &Endpoint) -> Result<()> {
        let deadline = Instant::now() + TIME;
        Migrations::load(&repository().join("migrations"))?
            .apply(endpoint, deadline, &|_| {})
            .await?;
        let session = Session::connect(endpoint, deadline).await?;
        session.batch(&std::fs::read_to_string(sample())?).await?;
        Ok(())
    }
}

fn sample() -> PathBuf {
    repository().join("migrations/sample/sample.sql")
}

/// Changes when the migrations or the sample data do.
fn source_digest() -> Result<String> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut files: Vec<PathBuf> = std::fs::read_dir(repository().join("migrations"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension() == Some("sql".as_ref()))
        .collect();
    files.sort();
    files.push(sample());
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

impl TestDatabase {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its owner, a superuser, logs in.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The same as a URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection as its owner.
    pub async fn session(&self) -> Result<Session> {
        Ok(Session::connect(&self.endpoint, Instant::now() + TIME).await?)
    }

    /// Rows of a query as its owner.
    pub async fn rows(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.session().await?.rows(sql, parameters).await?)
    }

    /// The one number that a query of its owner gives.
    pub async fn count(&self, sql: &str) -> Result<i64> {
        let rows = self.rows(sql, &[]).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// Runs a script as its owner.
    pub async fn run(&self, sql: &str) -> Result<()> {
        Ok(self.session().await?.batch(sql).await?)
    }
}
