//! Checking a component without serving it.
//! Never: writes to the database.

use std::path::PathBuf;
use std::sync::Arc;

use avenire_engine::{Component, Sandbox, SandboxOptions};

use super::candidate::Candidate;
use super::validate::{self, Accepted, Ground};
use super::{entry, unknown_component};
use crate::error::AppError;
use crate::project::Project;
use crate::roles::Extent;
use crate::targets::Targets;

/// A component that would be accepted.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The component.
    pub component: Arc<Component>,
    /// What was not looked at.
    pub unchecked: Option<&'static str>,
}

/// What is told of a check without a database.
const NO_DATABASE: &str = "whether it fits the database was not looked at";
const NO_ROLE: &str = "its role does not exist yet, so its grants and its own test were not \
     looked at; starting a host makes it";

/// Checks a component of the manifest, or another file for it, as starting it would; against the
/// database too when there are targets.
pub async fn check(
    project: &Project,
    targets: Option<&Targets>,
    name: &str,
    file: Option<PathBuf>,
) -> Result<Checked, AppError> {
    let entry = entry(project, name)?;
    let file = file.unwrap_or_else(|| project.path(&entry.path));
    let candidate = Candidate::of_file(name, entry, file)?;
    let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
    let Some(targets) = targets else {
        return match candidate.examine(project, &sandbox).finish().await {
            Ok(code) => Ok(Checked { component: code.component, unchecked: Some(NO_DATABASE) }),
            Err(errors) => {
                validate::refuse(errors)?;
                Err(unknown_component(project, name))
            }
        };
    };
    let ground = Ground { project, sandbox: &sandbox, targets, extent: Extent::Nothing };
    let accepted = validate::validate(ground, &[candidate], None).await?;
    let accepted = accepted.into_iter().next();
    let Accepted { code, pool } = accepted.ok_or_else(|| unknown_component(project, name))?;
    let unchecked = pool.is_none().then_some(NO_ROLE);
    if let Some(pool) = pool {
        pool.close().await;
    }
    Ok(Checked { component: code.component, unchecked })
}

/// Checks any file as a component, outside of a manifest.
pub fn check_file(file: PathBuf, contract: Option<&str>) -> Result<Arc<Component>, AppError> {
    let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
    let load = || {
        let component = sandbox.load_file(&file)?;
        contract.map_or(Ok(()), |contract| component.satisfies(contract))?;
        Ok(component)
    };
    load().map(Arc::new).map_err(|source| AppError::Component {
        component: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        file,
        source,
    })
}
