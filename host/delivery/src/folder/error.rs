//! What keeps a component's file from being watched or taken, and what to do about it.

use std::path::PathBuf;

use crate::trust::TrustError;

/// Why watching does not begin. The caller's, or whoever wrote the paths.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// A path ends in no name of a file.
    #[error("`{}` (slot {slot}) is not a path of a file", path.display())]
    NoName {
        /// The slot.
        slot: String,
        /// Its path, as it was given.
        path: PathBuf,
    },
    /// The folder of a component's file is missing, or is none.
    #[error("the folder {} of slot {slot} is missing", folder.display())]
    NoFolder {
        /// The slot.
        slot: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A slot is there twice.
    #[error("slot {slot} has two files")]
    Twice {
        /// The slot.
        slot: String,
    },
    /// The operating system gives us no thread, or not the current folder.
    #[error("the watching of files could not start")]
    System {
        /// Why not.
        source: std::io::Error,
    },
}

impl WatchError {
    /// One sentence, without a full stop, on what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoName { .. } => "Give the path of a .wasm file",
            Self::NoFolder { .. } => {
                "Create the folder, or correct the path in the manifest; only the file itself may \
                 come later"
            }
            Self::Twice { .. } => "Give each slot one path",
            Self::System { .. } => {
                "Look at the limits on processes and open files that the host runs under"
            }
        }
    }
}

/// What is wrong with a file that is watched. What the slot serves is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// There is no such file.
    #[error("the file is missing")]
    Missing,
    /// A folder, a pipe, a device or a socket.
    #[error("it is not a regular file")]
    NotAFile,
    /// Larger than a component may be.
    #[error("it has {size} bytes, and {limit} are the most")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The largest that is read.
        limit: u64,
    },
    /// It ends before its sections do, or exports nothing.
    #[error("it is not a whole component: it ends too early, at {size} bytes")]
    Cut {
        /// Its size in bytes.
        size: u64,
    },
    /// A core module, which a component is made from.
    #[error("it is a core WebAssembly module, not a component")]
    Module,
    /// Not WebAssembly, or of a version that is not known.
    #[error("it is not a WebAssembly component")]
    NotAComponent,
    /// Its sections make no sense.
    #[error("it is a damaged component")]
    Damaged,
    /// The operating system does not let us read it.
    #[error("it could not be read: {reason}")]
    Unreadable {
        /// What the operating system says.
        reason: String,
    },
    /// It has a signature that cannot be read.
    #[error("its signature cannot be used")]
    Signature(#[source] TrustError),
}

impl Trouble {
    /// One sentence, without a full stop, on what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "Build the component, or correct its path in the manifest",
            Self::NotAFile => "Put the component's .wasm file there",
            Self::TooLarge { .. } => "Build the component optimised and without debug information",
            Self::Cut { .. } | Self::Damaged => {
                "Copy or build the file again, best under another name and then renamed"
            }
            Self::Module | Self::NotAComponent => {
                "Build it with `avenire-db components build`, or make the module a component"
            }
            Self::Unreadable { .. } => "Let the host's user read the file and its folder",
            Self::Signature(error) => error.hint(),
        }
    }
}
