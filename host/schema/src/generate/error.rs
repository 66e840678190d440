//! What can go wrong when a migration is generated.

use std::path::PathBuf;

use crate::migrations::{Failure, SourceError};
use crate::revision::RevisionError;
use crate::scratch::ScratchError;
use crate::snapshot::SnapshotError;

/// Why nothing was generated. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The folder of migrations can not be used.
    #[error("the migrations can not be used")]
    Source(#[from] SourceError),
    /// A snapshot can not be used.
    #[error("the newest snapshot can not be used")]
    Snapshot(#[from] SnapshotError),
    /// The existing migrations do not run in an empty database.
    #[error("the existing migrations do not run in an empty database")]
    Replay(#[from] Failure),
    /// The catalogs of the two sides could not be brought together.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// A scratch database could not be made.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The snapshot could not be put into words: a fault of this program.
    #[error("the snapshot could not be written as JSON")]
    Text(#[source] serde_json::Error),
    /// The name is no name of a migration.
    #[error("`{name}` can not be the name of a migration")]
    Name {
        /// What was given.
        name: String,
    },
    /// A file that would be written is there.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be written; none was put in place.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl GenerateError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => Some(error.hint()),
            Self::Snapshot(error) => Some(error.hint()),
            Self::Replay(failure) => failure.error.hint(),
            Self::Revision(error) => error.hint(),
            Self::Scratch(error) => error.hint(),
            Self::Name { .. } => {
                Some("use up to 60 letters, digits, underscores and hyphens".into())
            }
            Self::Exists { .. } => Some("choose another name, or remove the file".into()),
            Self::Text(_) | Self::Write { .. } => None,
        }
    }
}
