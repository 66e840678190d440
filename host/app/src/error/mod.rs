//! What can go wrong between a manifest and a running host.

mod blame;

use std::path::PathBuf;
use std::time::Duration;

use avenire_contract::ContractError;
use avenire_delivery::registry::RegistryError;
use avenire_delivery::{TrustError, WatchError};
use avenire_engine::{CallError, LoadError, SwapError};
use avenire_postgres::embedded::EmbeddedError;
use avenire_schema::check::RenumberError;
use avenire_schema::definitions::NotADescription;
use avenire_schema::drift::DriftError;
use avenire_schema::generate::GenerateError;
use avenire_schema::modules::ModulesError;
use avenire_schema::pull::PullError;
use avenire_schema::push::PushError;
use avenire_schema::revision::RevisionError;
use avenire_schema::snapshot::SnapshotError;
use avenire_schema::{Failure, MigrationError, RollbackFailure, SourceError};
use avenire_server::ServerError;

pub(crate) use blame::migration_blame;

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
    /// Migrations could not be undone; the cause says what was undone before it.
    #[error("the migrations could not be undone{}", undone(.0))]
    RollingBack(#[source] Box<RollbackFailure>),
    /// The manifest names no schema modules.
    #[error("the manifest names no folder of schema modules")]
    NoModules,
    /// A component, or the project, has no migrations.
    #[error("{component} has no migrations")]
    NoMigrations {
        /// The component; `main` is the project itself.
        component: String,
    },
    /// The schema modules can not be read.
    #[error(transparent)]
    Modules(ModulesError),
    /// No migration could be generated.
    #[error("no migration was generated")]
    Generate(#[source] Box<GenerateError>),
    /// Drift could not be told.
    #[error("the database could not be compared with its migrations")]
    Drift(#[source] Box<DriftError>),
    /// Nothing was pushed, or not all.
    #[error("the database was not brought to what the schema modules say")]
    Push(#[source] Box<PushError>),
    /// Nothing was pulled.
    #[error("no schema modules were written")]
    Pull(#[source] Box<PullError>),
    /// A snapshot of the catalog can not be used.
    #[error("a snapshot can not be used")]
    Snapshot(#[source] SnapshotError),
    /// Parallel branches could not be put in a row.
    #[error("the migrations could not be renumbered")]
    Renumber(#[source] RenumberError),
    /// A component was compiled against other tables than there are. All that does not fit.
    #[error("the component {component} does not fit the database: {}", .misfits.join("; "))]
    Misfit {
        /// The component.
        component: String,
        /// What does not fit, each in words.
        misfits: Vec<String>,
    },
    /// What a component says of its tables can not be understood.
    #[error("the component {component} describes its tables in a way that is not understood")]
    Description {
        /// The component.
        component: String,
        /// Why not.
        #[source]
        source: NotADescription,
    },
    /// What a component carries can not be understood.
    #[error("the component's section {section} is damaged")]
    Section {
        /// The custom section.
        section: String,
    },
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
    /// A component's user lacks what its grants say.
    #[error("the database user {user} of the component {component} may not {}", .lacked.join(", "))]
    MissingGrants {
        /// The component.
        component: String,
        /// Whom it logs in as.
        user: String,
        /// What it lacks, such as `update(title) on chat`.
        lacked: Vec<String>,
    },
    /// A component's test of itself found problems.
    #[error("the component {component} found by its own test: {}", .problems.join("; "))]
    SelfTest {
        /// The component.
        component: String,
        /// In its own words, at most 50 of at most 500 characters.
        problems: Vec<String>,
    },
    /// A component's test of itself came to no end.
    #[error("the component {component} could not test itself")]
    SelfTestFailed {
        /// The component.
        component: String,
        /// What happened.
        #[source]
        source: CallError,
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
    /// A component does not keep what its slot promises.
    #[error("the component {component} breaks the contract {contract}: {}", .broken.join("; "))]
    Contract {
        /// The component.
        component: String,
        /// The interface.
        contract: String,
        /// What is missing or changed, each in words.
        broken: Vec<String>,
    },
    /// The contracts' WIT files can not be used.
    #[error("the WIT packages in {} can not be used: {reason}", .folder.display())]
    Wit {
        /// Their folder.
        folder: PathBuf,
        /// What is wrong, with its place.
        reason: String,
    },
    /// More than one thing is wrong with components.
    #[error("{}", several(.0))]
    Several(Vec<AppError>),
    /// A component is not signed by a key that the manifest trusts.
    #[error("the component {component} is not trusted")]
    Untrusted {
        /// The component.
        component: String,
        /// Why not.
        #[source]
        source: TrustError,
    },
    /// The manifest's keys can not be used.
    #[error("`trust.keys` of the manifest can not be used")]
    Keys(#[from] TrustError),
    /// The registry refused, or can not be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The components' files can not be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A file changed, but files do not count.
    #[error("the component {component} is served from the registry, and its file does not count")]
    Registered {
        /// The component.
        component: String,
    },
    /// The server can not listen, or its part of the manifest can not be used.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// What a component exports can not be told.
    #[error("what the component {component} exports can not be told")]
    Undescribed {
        /// The component.
        component: String,
        /// Why not.
        #[source]
        source: ContractError,
    },
    /// The host works without a registry.
    #[error("this host works without a registry")]
    NoRegistry,
    /// What serves was not changed.
    #[error(transparent)]
    Swap(#[from] SwapError),
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

impl From<GenerateError> for AppError {
    fn from(error: GenerateError) -> Self {
        Self::Generate(Box::new(error))
    }
}

impl AppError {
    /// Whether nothing was generated only since somebody has to answer or accept something.
    pub fn is_undecided(&self) -> bool {
        let Self::Generate(error) = self else { return false };
        matches!(
            **error,
            GenerateError::Revision(RevisionError::Unanswered(_) | RevisionError::Refused(_))
        )
    }

    /// The error and what caused it, on one line.
    pub fn with_causes(&self) -> String {
        let error: &(dyn std::error::Error + 'static) = self;
        let causes = std::iter::successors(Some(error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// What Postgres said, when a migration's statement is the cause. Other causes are in the
    /// chain of sources.
    pub fn of_migration(&self) -> Option<&avenire_postgres::Error> {
        match self {
            Self::Migration(error) => error.database(),
            Self::Migrating(failure) => failure.error.database(),
            Self::RollingBack(failure) => failure.error.database(),
            _ => None,
        }
    }
}

/// One line each, with their causes.
fn several(errors: &[AppError]) -> String {
    let lines: Vec<String> = errors.iter().map(AppError::with_causes).collect();
    format!("{} things are wrong:\n  {}", errors.len(), lines.join("\n  "))
}

fn undone(failure: &RollbackFailure) -> String {
    match failure.undone.as_slice() {
        [] => String::new(),
        undone => {
            let files: Vec<&str> = undone.iter().map(|one| one.file.as_str()).collect();
            format!("; these were undone before and stay so: {}", files.join(", "))
        }
    }
}

/// Bounds work on the database that has no deadline of its own.
pub(crate) async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, AppError> {
    tokio::time::timeout(limit, work).await.map_err(|_| AppError::Slow { doing, limit })
}
