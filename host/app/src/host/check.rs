//! Checking a component without serving it.
//! Never: talks to a database.

use std::path::PathBuf;
use std::sync::Arc;

use avenire_engine::{Component, Sandbox, SandboxOptions};

use super::candidate::Candidate;
use super::{entry, validate};
use crate::error::AppError;
use crate::project::Project;

/// Checks a component of the manifest as starting it would, as far as that needs no database.
pub async fn check(project: &Project, name: &str) -> Result<Arc<Component>, AppError> {
    let candidate = Candidate::of_manifest(project, name, entry(project, name)?)?;
    let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
    match candidate.examine(project, &sandbox).finish().await {
        Ok(code) => Ok(code.component),
        Err(errors) => {
            validate::refuse(errors)?;
            Err(super::unknown_component(project, name))
        }
    }
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
