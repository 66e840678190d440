//! `generate` for a project.

use std::path::PathBuf;

use avenire_schema::generate::{self, Generated, Numbering, Request};
use avenire_schema::plan::HazardKind;
use avenire_schema::renames::Answers;
use avenire_schema::revision::{Ask, Terms};

use super::{Workbench, definitions};
use crate::error::AppError;
use crate::project::Project;

/// What a caller says of changes before they are made.
pub struct Changes<'a> {
    /// What is known of renames.
    pub answers: Answers,
    /// Hazards that are accepted.
    pub accept: Vec<HazardKind>,
    /// Asked when the answers do not suffice.
    pub ask: Ask<'a>,
}

impl<'a> Changes<'a> {
    pub(super) fn terms(&'a self, workbench: &'a Workbench) -> Terms<'a> {
        Terms {
            scratch: &workbench.server,
            scope: &workbench.scope,
            answers: &self.answers,
            accept: &self.accept,
            ask: self.ask,
        }
    }
}

/// The next migration of the project: compared, planned and proven, not yet written.
pub async fn generate(
    project: &Project,
    workbench: &Workbench,
    changes: &Changes<'_>,
    name: Option<&str>,
    numbering: Numbering,
) -> Result<Generated, AppError> {
    let definitions = definitions(project)?;
    let folder = project.path(&project.manifest().migrations.path);
    let request = Request {
        definitions: &definitions,
        folder: &folder,
        name,
        numbering,
        terms: changes.terms(workbench),
    };
    generate::generate(&request).await.map_err(|error| AppError::Generate(Box::new(error)))
}

/// Writes a migration to be filled by hand. Returns its file.
pub fn empty_migration(
    project: &Project,
    name: &str,
    numbering: Numbering,
) -> Result<PathBuf, AppError> {
    let folder = project.path(&project.manifest().migrations.path);
    generate::empty(&folder, name, numbering).map_err(|error| AppError::Generate(Box::new(error)))
}
