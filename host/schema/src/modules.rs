//! Finds the schema modules in a folder of Rust source.
//! Never: compiles anything; follows `mod` lines, macros or `cfg`s.

use std::path::{Path, PathBuf};

use avenire_definitions::{DefinitionError, Definitions, parse_file};

use crate::revision::listed;

/// The largest file that is read, in bytes.
const MAXIMUM: u64 = 4 << 20;

/// Why the schema modules could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModulesError {
    /// A file or the folder can not be read.
    #[error("could not read {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is too large to be a schema module.
    #[error("{} is larger than {} MiB", path.display(), MAXIMUM >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// No file has a `schema!` block.
    #[error("no Rust file in {} has a schema! block", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// Files that can not be understood; all of them.
    #[error("{}", listed("the schema modules are not understood:", .0))]
    Wrong(Vec<DefinitionError>),
}

impl ModulesError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check `schema.modules` in the manifest".into(),
            Self::TooLarge { .. } => "split it".into(),
            Self::None { .. } => {
                "name the folder of the schema modules in `schema.modules` of the manifest, or \
                 write them from a database with `avenire-db pull`"
                    .into()
            }
            Self::Wrong(errors) => {
                errors.first().map_or_else(String::new, |error| error.hint().to_owned())
            }
        }
    }
}

/// Reads all `.rs` files below a folder, in the order of their paths.
pub fn load(folder: &Path) -> Result<Definitions, ModulesError> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let (mut modules, mut wrong) = (Vec::new(), Vec::new());
    for path in files {
        match parse_file(&text(&path)?, &path) {
            Ok(module) if module.items.is_empty() => {}
            Ok(module) => modules.push(module),
            Err(error) => wrong.push(error),
        }
    }
    if !wrong.is_empty() {
        return Err(ModulesError::Wrong(wrong));
    }
    if modules.is_empty() {
        return Err(ModulesError::None { path: folder.to_owned() });
    }
    Ok(Definitions { modules })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), ModulesError> {
    let unreadable = |source| ModulesError::Unreadable { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        // A link to a folder could lead in a circle.
        if entry.file_name().to_string_lossy().starts_with('.') {
            // An editor's own.
        } else if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(&path, files)?;
        } else if path.extension() == Some("rs".as_ref()) {
            files.push(path);
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, ModulesError> {
    let unreadable = |source| ModulesError::Unreadable { path: path.to_owned(), source };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        // A pipe or a device may never end.
        return Err(unreadable(std::io::Error::other("it is not a regular file")));
    }
    if about.len() > MAXIMUM {
        return Err(ModulesError::TooLarge { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
