//! `push` for a project.

use avenire_postgres::Endpoint;
use avenire_schema::plan::HazardKind;
use avenire_schema::push;
use avenire_schema::revision::Revision;

use super::generate::Changes;
use super::{Workbench, definitions};
use crate::error::AppError;
use crate::project::Project;
use crate::targets::Targets;

/// A change of the database that is planned and proven, and not done.
pub struct Push {
    live: Endpoint,
    revision: Revision,
}

impl Push {
    /// What would be done.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Does it. A hazard of losing data that is not in `allowed` refuses all of it.
    pub async fn carry_out(
        &self,
        allowed: &[HazardKind],
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), AppError> {
        let done = push::carry_out(&self.live, &self.revision, allowed, progress).await;
        done.map_err(|error| AppError::Push(Box::new(error)))
    }
}

/// Plans what brings the database to what the schema modules say.
pub async fn push(
    project: &Project,
    targets: &Targets,
    workbench: &Workbench,
    changes: &Changes<'_>,
) -> Result<Push, AppError> {
    let definitions = definitions(project)?;
    let revision = push::prepare(&targets.direct, &definitions, &changes.terms(workbench)).await;
    let revision = revision.map_err(|error| AppError::Push(Box::new(error)))?;
    Ok(Push { live: targets.direct.clone(), revision })
}
