//! What can go wrong between a manifest and a running host.

use std::path::PathBuf;
use std::time::Duration;

use avenire_engine::{Blame, LoadError};
use avenire_postgres::embedded::EmbeddedError;
use avenire_schema::{Failure, MigrationError, SourceError};

/// Why the host can not do what was asked. Never carries a password or SQL text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// No manifest here or above.
    #[error("there is no avenire.toml in {} or any folder above it", .0.display())]
    NoManifest(PathBuf),
    /// A file of the project can not be read.
    #[error("could not read {}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of the project can not be written.
    #[error("could not write {}", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The manifest says something that can not be.
    #[error("{}:{line}:{column}: {message}", .file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// An environment variable that the manifest refers to is not set.
    #[error("the manifest takes {key} from the environment variable {variable}, which is not set")]
    Variable {
        /// The manifest's key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// What follows `env:` is no name of a variable; it is not repeated, since it may
    /// be a URL.
    #[error("the manifest's {key} does not name an environment variable after `env:`")]
    VariableName {
        /// The manifest's key.
        key: String,
    },
    /// A grant names a table that is not there.
    #[error("the grants of the component {component} name the table {table}, which does not exist")]
    MissingTable {
        /// The component.
        component: String,
        /// The table, with its schema.
        table: String,
    },
    /// No slot of that name.
    #[error("there is no component {name}{}", .nearest.as_ref().map_or_else(String::new, |n| format!("; the nearest is {n}")))]
    UnknownComponent {
        /// The name asked for.
        name: String,
        /// The most similar one there is.
        nearest: Option<String>,
    },
    /// A database URL can not be understood.
    #[error("the database URL of {key} can not be used")]
    Url {
        /// Where it comes from, such as `DATABASE_URL`.
        key: String,
        /// What is wrong with it.
        #[source]
        source: avenire_postgres::UrlError,
    },
    /// The embedded cluster does not run.
    #[error("the embedded Postgres could not be started")]
    Embedded(#[source] EmbeddedError),
    /// The database refused or can not be reached.
    #[error("{doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// What happened.
        #[source]
        source: avenire_postgres::Error,
    },
    /// The database did not answer in time.
    #[error("{doing} took longer than {} s", .limit.as_secs())]
    Slow {
        /// What was being done.
        doing: &'static str,
        /// How long it might have taken.
        limit: Duration,
    },
    /// The folder of migrations can not be used.
    #[error("the migrations can not be used")]
    MigrationFiles(#[source] SourceError),
    /// The ledger could not be read.
    #[error("the state of the migrations could not be read")]
    Migration(#[source] MigrationError),
    /// A migration could not be applied; the cause says what was applied before it.
    #[error("the migrations could not be applied")]
    Migrating(#[source] Box<Failure>),
    /// A role or a grant could not be made.
    #[error("the role of the component {component} could not be prepared: {message}")]
    Role {
        /// The component.
        component: String,
        /// What happened.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A component file was refused.
    #[error("the component {component} ({}) was refused", .file.display())]
    Component {
        /// Its name in the manifest.
        component: String,
        /// Its file.
        file: PathBuf,
        /// Why.
        #[source]
        source: LoadError,
    },
    /// The sandbox itself can not be made.
    #[error("the sandbox could not be prepared")]
    Sandbox(#[source] LoadError),
    /// Building a component failed.
    #[error("building failed: {message}")]
    Build {
        /// What happened.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl AppError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Migrating(failure) => migration_blame(&failure.error),
            Self::Migration(error) => migration_blame(error),
            Self::NoManifest(_)
            | Self::Manifest { .. }
            | Self::Variable { .. }
            | Self::VariableName { .. }
            | Self::MissingTable { .. }
            | Self::UnknownComponent { .. }
            | Self::MigrationFiles(_)
            | Self::Url { .. }
            | Self::Component { source: LoadError::Unreadable(_), .. } => Blame::Caller,
            Self::Component { .. } | Self::Build { .. } => Blame::Guest,
            Self::Database { .. } | Self::Slow { .. } | Self::Role { .. } => Blame::Database,
            Self::Read { .. } | Self::Write { .. } | Self::Embedded(_) | Self::Sandbox(_) => {
                Blame::Host
            }
        }
    }

    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest(_) => {
                Some("run the command inside a project, or name one with --project".to_owned())
            }
            Self::Variable { variable, .. } => {
                Some(format!("set {variable}, or remove the key to use the embedded Postgres"))
            }
            Self::VariableName { .. } => {
                Some("write `env:NAME` with letters, digits and underscores".to_owned())
            }
            Self::MissingTable { .. } => Some(
                "correct `grants` in avenire.toml, or see `avenire-db migrate` for what is pending"
                    .to_owned(),
            ),
            Self::Manifest { hint, .. } => hint.clone(),
            Self::UnknownComponent { .. } => {
                Some("`avenire-db components list` shows them".to_owned())
            }
            Self::Url { source, .. } => source.hint().map(Into::into),
            Self::Embedded(source) => source.hint(),
            Self::Database { source, .. } => source.hint().map(Into::into),
            Self::Slow { .. } => Some(
                "look for a lock that somebody holds: pg_stat_activity shows who waits for whom"
                    .to_owned(),
            ),
            Self::MigrationFiles(source) => Some(source.hint()),
            Self::Migration(source) => source.hint(),
            Self::Migrating(failure) => failure.error.hint(),
            Self::Role { hint, .. } | Self::Build { hint, .. } => Some(hint.clone()),
            Self::Component { source: LoadError::Unreadable(_), .. } => {
                Some("build it: `avenire-db components build`".to_owned())
            }
            Self::Component { source, .. } => source.hint(),
            Self::Read { .. } | Self::Write { .. } | Self::Sandbox(_) => None,
        }
    }
}

/// A folder that contradicts what was applied is the caller's to mend.
fn migration_blame(error: &MigrationError) -> Blame {
    if matches!(error, MigrationError::Plan(_)) { Blame::Caller } else { Blame::Database }
}

/// Bounds work on the database that has no deadline of its own.
pub(crate) async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, AppError> {
    tokio::time::timeout(limit, work).await.map_err(|_| AppError::Slow { doing, limit })
}
