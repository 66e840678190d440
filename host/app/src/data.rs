//! Sample data of a project, on the direct target.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use avenire_postgres::Session;

use crate::error::{AppError, within};
use crate::project::Project;
use crate::targets::Targets;

/// How long loading sample data may take.
const SHORT_TIME: Duration = Duration::from_mins(1);

/// Loads the project's sample data in one transaction. It is written so that it
/// can be loaded again. Returns the file, or nothing when the project has none.
pub async fn seed(project: &Project, targets: &Targets) -> Result<Option<PathBuf>, AppError> {
    let Some(sample) = &project.manifest().migrations.sample else { return Ok(None) };
    let file = project.path(sample);
    let sql = std::fs::read_to_string(&file)
        .map_err(|source| AppError::Read { file: file.clone(), source })?;
    let error = |source| AppError::Database {
        doing: format!("the sample data of {} could not be loaded", sample.display()),
        source,
    };
    let loading = async {
        let session = Session::connect(&targets.direct, Instant::now() + SHORT_TIME).await?;
        // The simple protocol runs a script as one transaction (PostgreSQL
        // documentation, "Multiple Statements in a Simple Query").
        session.batch(&sql).await
    };
    within(SHORT_TIME, "loading the sample data", loading).await?.map_err(error)?;
    Ok(Some(file))
}

/// Remembers that the embedded cluster has had its sample data, so that deleted
/// rows do not come back at the next start.
pub async fn seed_once(project: &Project, targets: &Targets) -> Result<Option<PathBuf>, AppError> {
    let Some(cluster) = &targets.embedded else { return Ok(None) };
    let mark = cluster.data_folder().join("avenire-sample-data");
    if mark.exists() {
        return Ok(None);
    }
    let seeded = seed(project, targets).await?;
    std::fs::write(&mark, "loaded\n").map_err(|source| AppError::Write { file: mark, source })?;
    Ok(seeded)
}
