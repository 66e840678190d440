//! Why a contract can not be read or described.

use std::path::PathBuf;

/// Why there is no contract, or no document of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The bytes are no component.
    #[error("the bytes are not a component: {reason}")]
    NoComponent {
        /// What the decoder says.
        reason: String,
    },
    /// The bytes are a component's interface alone.
    #[error("the bytes are an encoded WIT package, not a component")]
    WitPackage,
    /// A folder or file of WIT can not be read.
    #[error("{} can not be read: {reason}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A WIT text is not valid.
    #[error("the WIT below {} is not valid: {reason}", folder.display())]
    Wit {
        /// Where the packages were looked for.
        folder: PathBuf,
        /// What the parser says, with file and line.
        reason: String,
    },
    /// The custom section of documentation is larger than is read.
    #[error("the documentation in the component has {size} bytes, more than {maximum}")]
    DocsTooLarge {
        /// Bytes found.
        size: usize,
        /// Bytes allowed.
        maximum: usize,
    },
    /// The custom section of documentation does not have its form.
    #[error("the documentation in the component can not be read")]
    DocsMalformed,
    /// Types nest deeper than can be described.
    #[error("a type of the contract nests deeper than {maximum} levels")]
    TooDeep {
        /// Levels allowed.
        maximum: usize,
    },
    /// More types than can be described.
    #[error("the contract has more than {maximum} types")]
    TooManyTypes {
        /// Types allowed.
        maximum: usize,
    },
}

impl ContractError {
    /// What to do about it: one sentence without a full stop.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoComponent { .. } => {
                "give a file that `avenire-db components build` made, or any wasm component"
            }
            Self::WitPackage => "encode the component itself, not only its WIT",
            Self::Unreadable { .. } => "check that the folder exists and may be read",
            Self::Wit { .. } => "mend the WIT where the message points to",
            Self::DocsTooLarge { .. } => "shorten the doc comments of the contract",
            Self::DocsMalformed => "build the component again with this version",
            Self::TooDeep { .. } => "give the contract flatter types",
            Self::TooManyTypes { .. } => "make two contracts of it",
        }
    }
}
