//! An existing database as schema modules and a baseline, proven in scratch databases and written.
//! Never: changes the database it reads; replaces a file unless that is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use avenire_definitions::Definitions;
use avenire_postgres::{Endpoint, Error, Session};

use super::{Pulled, pull};
use crate::catalog::{IntrospectError, Introspected, LeftOut, Scope, introspect};
use crate::diff::{self, Difference};
use crate::migrations::run_bare;
use crate::plan::{self, PlannedFile};
use crate::revision::{self, RevisionError};
use crate::scratch::{Scratch, ScratchError};
use crate::snapshot::{self, Snapshot};

/// The name of the migrations that make what was there before the first one.
const BASELINE: &str = "baseline";

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// A catalog could not be read.
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
    /// A scratch database could not be made.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// A scratch database failed.
    #[error("the scratch database failed")]
    Database(#[source] Error),
    /// Postgres refused the baseline in an empty database.
    #[error("the baseline does not run in an empty database")]
    Baseline(#[source] Error),
    /// The baseline makes something else than what is there: a fault of this program.
    #[error("the baseline does not make the schema that is there:\n{0}")]
    Unlike(Difference),
    /// The modules are refused: a fault of this program.
    #[error("the schema modules are refused")]
    Modules(#[from] RevisionError),
    /// A file is there, and was not to be replaced.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The folder of migrations has some: a baseline comes before all.
    #[error("{} has migrations, and a baseline would come before them", path.display())]
    NotFirst {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The snapshot could not be put into words: a fault of this program.
    #[error("the snapshot could not be written as JSON")]
    Text(#[source] serde_json::Error),
}

impl PullError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Introspect(error) => error.hint(),
            Self::Scratch(error) => error.hint(),
            Self::Database(error) | Self::Baseline(error) => error.hint().map(Into::into),
            Self::Modules(error) => error.hint(),
            Self::Exists { .. } => {
                Some("repeat with --overwrite to replace it, or choose another folder".into())
            }
            Self::NotFirst { .. } => {
                Some("repeat with --no-baseline to write the modules only".into())
            }
            Self::Unlike(_) => Some("report this; nothing was written".into()),
            Self::Write { .. } | Self::Text(_) => None,
        }
    }
}

/// What is run in scratch databases before anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The modules and the baseline, each in a database of its own.
    Both,
    /// The modules only, for whoever writes no baseline.
    Modules,
    /// Nothing. Making a large schema twice takes Postgres longer than reading it.
    None,
}

/// What was read from a database, as text.
#[derive(Debug)]
pub struct Adoption {
    /// The modules.
    pub pulled: Pulled,
    /// The baseline: no file for an empty database, several for one so large that one transaction
    /// has no room for it.
    pub baseline: Vec<PlannedFile>,
    /// What the modules make other than it is there. All of it is in `pulled.left_out` in words.
    /// None when that was not tried.
    pub difference: Option<Difference>,
    introspected: Introspected,
}

impl Adoption {
    /// What the database has, and modules or baseline have not.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.pulled.left_out
    }
}

/// Reads a database and makes sure that what is to be written makes the same schema.
pub async fn adopt(
    session: &Session,
    server: &Endpoint,
    scope: &Scope,
    proof: Proof,
) -> Result<Adoption, PullError> {
    let introspected = introspect(session, scope).await?;
    let pulled = pull(&introspected);
    let baseline = plan::baseline(&introspected).files();
    let definitions = Definitions { modules: pulled.modules.clone() };
    let baseline_runs = async {
        match proof {
            Proof::Both => run(&baseline, server, scope).await.map(Some),
            Proof::Modules | Proof::None => Ok(None),
        }
    };
    let modules_run = async {
        match proof {
            Proof::Both | Proof::Modules => {
                revision::desired(&definitions, server, scope).await.map(Some)
            }
            Proof::None => Ok(None),
        }
    };
    let (made, desired) = tokio::join!(baseline_runs, modules_run);
    if let Some(made) = made? {
        let difference = diff::compare(&introspected.catalog, &made.catalog);
        if !difference.is_empty() {
            return Err(PullError::Unlike(difference));
        }
    }
    let difference = desired?.map(|desired| diff::compare(&introspected.catalog, &desired.catalog));
    Ok(Adoption { pulled, baseline, difference, introspected })
}

async fn run(
    files: &[PlannedFile],
    server: &Endpoint,
    scope: &Scope,
) -> Result<Introspected, PullError> {
    let scratch = Scratch::create(server, "the baseline").await?;
    let session = scratch.session().await?;
    for file in files {
        let ran = run_bare(&session, &file.up, &|_| {}).await;
        ran.map_err(|refused| PullError::Baseline(refused.source))?;
    }
    let made = introspect(&session, scope).await?;
    drop(session);
    scratch.drop().await?;
    Ok(made)
}

impl Adoption {
    /// Writes the modules into `modules`, and into the folder of migrations, when there is one to
    /// write to, the baseline with its snapshot. What is there is refused before anything is
    /// written, unless it may be replaced; a baseline never replaces anything. Returns the files.
    pub fn write(
        &self,
        modules: &Path,
        migrations: Option<&Path>,
        replace: bool,
    ) -> Result<Vec<PathBuf>, PullError> {
        let mut files: Vec<(PathBuf, String)> = self
            .pulled
            .files
            .iter()
            .map(|file| (modules.join(&file.path), file.text.clone()))
            .collect();
        if let Some((path, _)) = files.iter().find(|(path, _)| path.exists() && !replace) {
            return Err(PullError::Exists { path: path.clone() });
        }
        if let Some(folder) = migrations.filter(|_| !self.baseline.is_empty()) {
            files.extend(self.baseline_files(folder)?);
        }
        for (path, text) in &files {
            let failed = |source| PullError::Write { path: path.clone(), source };
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            std::fs::write(path, text).map_err(failed)?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    fn baseline_files(&self, folder: &Path) -> Result<Vec<(PathBuf, String)>, PullError> {
        let migrations = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_sql = |path: &Path| path.extension().is_some_and(|ending| ending == "sql");
        if migrations.into_iter().any(|entry| is_sql(&entry.path())) {
            return Err(PullError::NotFirst { path: folder.to_owned() });
        }
        let mut files = Vec::new();
        let mut digests = BTreeMap::new();
        let mut stem = String::new();
        for (number, file) in (1..).zip(&self.baseline) {
            let suffix = file.suffix.as_ref().map_or_else(String::new, |part| format!("_{part}"));
            stem = format!("{number:04}_{BASELINE}{suffix}");
            digests.insert(format!("{stem}.sql"), snapshot::sha256(&file.up));
            files.push((folder.join(format!("{stem}.sql")), file.up.clone()));
        }
        let snapshot = Snapshot {
            format: snapshot::FORMAT,
            parent: None,
            files: digests,
            postgres: self.introspected.version,
            objects: BTreeMap::new(),
            catalog: self.introspected.catalog.clone(),
        };
        let text = snapshot.text().map_err(PullError::Text)?;
        files.push((folder.join(snapshot::FOLDER).join(format!("{stem}.json")), text));
        Ok(files)
    }
}
