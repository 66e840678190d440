//! `verify`: the database against what its migrations produce.

use avenire_schema::diff::Difference;
use avenire_schema::drift;

use super::{Workbench, all_migrations};
use crate::error::AppError;
use crate::project::Project;
use crate::targets::Targets;

/// What is other in the database than the migrations that its ledger names produce.
pub async fn verify(
    project: &Project,
    targets: &Targets,
    workbench: &Workbench,
) -> Result<Difference, AppError> {
    let migrations = all_migrations(project)?;
    drift::drift(&targets.direct, &migrations, &workbench.server, &workbench.scope)
        .await
        .map_err(|error| AppError::Drift(Box::new(error)))
}
