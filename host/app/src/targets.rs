//! Which database: from the manifest, the environment, or the embedded cluster.
//!
//! Owns the order in which these count. Never prints a URL.

use std::path::PathBuf;

use avenire_postgres::Endpoint;
use avenire_postgres::embedded::{self, Cluster, Guard, Progress};

use crate::error::AppError;
use crate::manifest::Database;
use crate::project::Project;

/// Names a folder with Postgres' binaries, when they are not where they usually
/// are.
pub const BINARIES_VARIABLE: &str = "AVENIRE_PG_BIN";

/// The two targets, and the embedded cluster while it is in use.
pub struct Targets {
    /// For queries.
    pub pooled: Endpoint,
    /// For migrations and role management.
    pub direct: Endpoint,
    /// The embedded cluster, kept running by this value.
    pub embedded: Option<Cluster>,
    /// What the roles' passwords are derived from.
    pub(crate) role_secret: Option<String>,
}

/// How the embedded cluster is started, should it be needed.
pub struct Embedding<'a> {
    /// How to start the process that guards the cluster.
    pub guard: Guard,
    /// Told about what takes time, and about what is other than expected.
    pub progress: &'a (dyn Fn(&str) + Send + Sync),
}

impl Targets {
    /// Finds the targets and starts the embedded cluster if neither the manifest
    /// nor the environment names a database.
    pub async fn open(project: &Project, embedding: Embedding<'_>) -> Result<Self, AppError> {
        let database = &project.manifest().database;
        let role_secret = database
            .role_secret
            .as_deref()
            .map(|value| resolve("database.role-secret", value))
            .transpose()?;
        if let Some((key, url)) = configured_url(database)? {
            let pooled = endpoint(&key, &url)?;
            let direct = match direct_url(database)? {
                Some((key, url)) => endpoint(&key, &url)?,
                None => pooled.clone(),
            };
            return Ok(Self { pooled, direct, embedded: None, role_secret });
        }
        let cluster = start_embedded(project, embedding).await?;
        let pooled = endpoint("the embedded Postgres", &cluster.url())?;
        Ok(Self { direct: pooled.clone(), pooled, embedded: Some(cluster), role_secret })
    }

    /// Whether a database is configured; if not, the embedded cluster is used.
    pub fn is_configured(project: &Project) -> Result<bool, AppError> {
        Ok(configured_url(&project.manifest().database)?.is_some())
    }
}

pub(crate) async fn start_embedded(
    project: &Project,
    embedding: Embedding<'_>,
) -> Result<Cluster, AppError> {
    let progress = |step: Progress| (embedding.progress)(&described(&step));
    let options = embedded::Options {
        progress: &progress,
        binaries: std::env::var_os(BINARIES_VARIABLE).map(PathBuf::from),
        ..embedded::Options::new(project.state(), embedding.guard)
    };
    embedded::start(options).await.map_err(AppError::Embedded)
}

fn described(step: &Progress) -> String {
    match step {
        Progress::Elsewhere { folder, account } => format!(
            "the embedded Postgres is kept in {}, since the account {account} can not reach the project's folder",
            folder.display()
        ),
        Progress::Waiting => "waiting for the embedded Postgres".to_owned(),
        Progress::Initialising { version, .. } => format!("making a Postgres {version} cluster"),
        Progress::Starting { version } => format!("starting Postgres {version}"),
        _ => "starting the embedded Postgres".to_owned(),
    }
}

type Named = (String, String);

fn configured_url(database: &Database) -> Result<Option<Named>, AppError> {
    match &database.url {
        Some(value) => Ok(Some(("database.url".to_owned(), resolve("database.url", value)?))),
        None => Ok(variable("DATABASE_URL").or_else(|| variable("DB_URL"))),
    }
}

fn direct_url(database: &Database) -> Result<Option<Named>, AppError> {
    let key = "database.direct-url";
    match &database.direct_url {
        Some(value) => Ok(Some((key.to_owned(), resolve(key, value)?))),
        None => Ok(variable("DIRECT_DATABASE_URL")),
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<Named> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value))
}

/// Follows `env:NAME`.
pub(crate) fn resolve(key: &str, value: &str) -> Result<String, AppError> {
    let Some(name) = value.strip_prefix("env:") else { return Ok(value.to_owned()) };
    // Anything else may be a URL that was written there by mistake.
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(AppError::VariableName { key: key.to_owned() });
    }
    variable(name)
        .map(|(_, value)| value)
        .ok_or_else(|| AppError::Variable { key: key.to_owned(), variable: name.to_owned() })
}

pub(crate) fn endpoint(key: &str, url: &str) -> Result<Endpoint, AppError> {
    Endpoint::parse(url).map_err(|source| AppError::Url { key: key.to_owned(), source })
}
