//! Contracts from folders of WIT: one folder a package, as in `wit/`.

use std::path::{Path, PathBuf};

use wit_parser::{InterfaceId, Resolve, UnresolvedPackageGroup, WorldKey};

use crate::docs::Docs;
use crate::error::ContractError;
use crate::model::Contract;

impl Contract {
    /// This contract with the documentation that the WIT packages below a folder have for its
    /// interfaces. What they do not have stays as it is.
    pub fn with_docs_of(mut self, folder: &Path) -> Result<Self, ContractError> {
        Docs::of(&interfaces(folder)?).write_into(&mut self);
        Ok(self)
    }
}

/// All interfaces of the WIT packages below a folder. Empty without any.
fn interfaces(folder: &Path) -> Result<Contract, ContractError> {
    let mut folders = Vec::new();
    packages(folder, &mut folders)?;
    let wrong = |reason: String| ContractError::Wit { folder: folder.to_owned(), reason };
    let mut groups = Vec::new();
    for folder in folders {
        let group = UnresolvedPackageGroup::parse_dir(&folder);
        groups.push(group.map_err(|error| wrong(format!("{error:#}")))?);
    }
    let Some(last) = groups.pop() else { return Ok(Contract::default()) };
    let mut resolve = Resolve::default();
    resolve.push_groups(last, groups).map_err(|error| wrong(error.to_string()))?;
    let named: Vec<(InterfaceId, String)> = resolve
        .interfaces
        .iter()
        .filter(|(_, interface)| interface.name.is_some() && interface.package.is_some())
        .map(|(id, _)| (id, resolve.name_world_key(&WorldKey::Interface(id))))
        .collect();
    Contract::of_interfaces(&resolve, named)
}

/// Folders that have WIT files of their own, in the order of their names.
fn packages(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), ContractError> {
    let unreadable = |error: std::io::Error| ContractError::Unreadable {
        path: folder.to_owned(),
        reason: error.to_string(),
    };
    let mut is_package = false;
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        // Not through links, which could lead in a circle.
        if entry.file_type().map_err(unreadable)?.is_dir() {
            folders.push(path);
        } else {
            is_package |= path.extension().is_some_and(|ending| ending == "wit");
        }
    }
    folders.sort();
    for folder in folders {
        packages(&folder, found)?;
    }
    if is_package {
        found.push(folder.to_owned());
    }
    Ok(())
}
