//! `check` for a project: the lint of migrations, of the catalog they lead to, and conflicts
//! between branches.

use std::path::{Path, PathBuf};

use avenire_schema::check::{self, Finding};
use avenire_schema::{Migration, Migrations, SourceError, snapshot};

use crate::error::AppError;
use crate::manifest::ComponentMigrations;
use crate::project::Project;

/// What was found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// How many migrations were looked at.
    pub migrations: usize,
    /// What is wrong or deserves a look, each with its place.
    pub findings: Vec<Finding>,
    /// Why nothing can be applied as it is: two migrations have one number.
    pub conflict: Option<String>,
}

/// Looks at all migrations of the project and of its components, or only at those files.
pub fn check_migrations(project: &Project, only: &[PathBuf]) -> Result<CheckReport, AppError> {
    let manifest = project.manifest();
    let mut folders = vec![project.path(&manifest.migrations.path)];
    folders.extend(manifest.components.values().filter_map(|entry| match &entry.migrations {
        Some(ComponentMigrations::Folder(folder)) => Some(project.path(folder)),
        _ => None,
    }));
    let names: Vec<&str> =
        only.iter().filter_map(|file| file.file_name().and_then(|name| name.to_str())).collect();
    let mut report = CheckReport::default();
    for folder in folders {
        look(&folder, &names, &mut report)?;
    }
    if let Some(missing) = only.iter().find(|_| report.migrations < only.len()) {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(AppError::Read { file: missing.clone(), source });
    }
    Ok(report)
}

fn look(folder: &Path, only: &[&str], report: &mut CheckReport) -> Result<(), AppError> {
    let unreadable = |source| AppError::Read { file: folder.to_owned(), source };
    let branches = || check::branches(folder).map_err(unreadable);
    let loaded = match Migrations::load(folder) {
        // What became of a merge is told with what to do, not only that it is so.
        Err(twins @ SourceError::Twins { .. }) => {
            let findings = branches()?.findings;
            if findings.is_empty() {
                return Err(AppError::MigrationFiles(twins));
            }
            report.findings.extend(findings);
            report.conflict = Some(twins.to_string());
            return Ok(());
        }
        loaded => loaded.map_err(AppError::MigrationFiles)?,
    };
    let wanted = |one: &&Migration| only.is_empty() || only.contains(&one.file.as_str());
    let migrations: Vec<&Migration> = loaded.available().iter().filter(wanted).collect();
    report.migrations += migrations.len();
    report.findings.extend(check::files(migrations));
    if only.is_empty() {
        report.findings.extend(branches()?.findings);
        let newest = snapshot::newest(folder).map_err(AppError::Snapshot)?;
        if let Some((snapshot, _)) = newest {
            let found = check::catalog(&snapshot.catalog);
            report.findings.extend(check::unless_allowed(found, loaded.available()));
        }
    }
    Ok(())
}

/// Puts the project's migrations of parallel branches in a row: those of the branch that `moving`
/// is in come after the other's. Returns which files have another name now.
pub fn renumber_migrations(
    project: &Project,
    moving: Option<&str>,
) -> Result<Vec<(String, String)>, AppError> {
    let folder = project.path(&project.manifest().migrations.path);
    let done = check::renumber(&folder, moving).map_err(AppError::Renumber)?;
    Ok(done.files)
}
