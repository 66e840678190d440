//! `pull` for a project.

use std::path::{Path, PathBuf};
use std::time::Instant;

use avenire_postgres::Session;
use avenire_schema::catalog::{LeftOut, Scope};
use avenire_schema::diff::Difference;
use avenire_schema::pull::{self, Proof};

use super::{SHORT_TIME, Workbench};
use crate::error::AppError;
use crate::project::Project;
use crate::targets::Targets;

/// What is pulled, and where to.
pub struct PullOptions<'a> {
    /// Folder for the modules; that of the manifest without.
    pub into: Option<&'a Path>,
    /// Only these Postgres schemas; those of the manifest when empty.
    pub schemas: &'a [String],
    /// Whether a baseline migration is written, which must be the first.
    pub baseline: bool,
    /// Whether files that are there may be replaced.
    pub overwrite: bool,
    /// Whether what is written is run in scratch databases before.
    pub proven: bool,
}

/// What was written.
#[derive(Debug)]
pub struct Pulled {
    /// The files.
    pub files: Vec<PathBuf>,
    /// What the database has besides.
    pub left_out: Vec<LeftOut>,
    /// What the modules make other than it is in the database; none when that was not tried.
    pub difference: Option<Difference>,
}

/// Writes schema modules, and a baseline, from the database.
pub async fn pull(
    project: &Project,
    targets: &Targets,
    workbench: &Workbench,
    options: &PullOptions<'_>,
) -> Result<Pulled, AppError> {
    let manifest = project.manifest();
    let folder = match (options.into, &manifest.schema.modules) {
        (Some(folder), _) => project.path(folder),
        (None, Some(folder)) => project.path(folder),
        (None, None) => return Err(AppError::NoModules),
    };
    let scope = match options.schemas {
        [] => workbench.scope.clone(),
        schemas => Scope::Schemas(schemas.to_vec()),
    };
    let session = Session::connect(&targets.direct, Instant::now() + SHORT_TIME).await;
    let session = session.map_err(|source| AppError::Database {
        doing: "the database could not be reached".to_owned(),
        source,
    })?;
    let failed = |error| AppError::Pull(Box::new(error));
    let proof = match (options.proven, options.baseline) {
        (false, _) => Proof::None,
        (true, false) => Proof::Modules,
        (true, true) => Proof::Both,
    };
    let adoption = pull::adopt(&session, &workbench.server, &scope, proof).await.map_err(failed)?;
    let migrations = project.path(&manifest.migrations.path);
    let baseline = options.baseline.then_some(migrations.as_path());
    let files = adoption.write(&folder, baseline, options.overwrite).map_err(failed)?;
    let left_out = adoption.left_out().to_vec();
    Ok(Pulled { files, left_out, difference: adoption.difference })
}
