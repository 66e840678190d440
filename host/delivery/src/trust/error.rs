//! Why a component is not trusted, and what to do about it.
//! Never: contains a key or a signature.

use std::path::PathBuf;

/// Why a key, or a component and its signature, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A key of the manifest is not one.
    #[error("key {} is not a minisign public key: {reason}", index + 1)]
    Key {
        /// Which of the keys, from 0.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A secret key stands where a public one belongs.
    #[error("key {} is a secret key", index + 1)]
    SecretKey {
        /// Which of the keys, from 0.
        index: usize,
    },
    /// A key of the manifest is there twice.
    #[error("keys {} and {} have the same id, {key_id}", first + 1, index + 1)]
    SameKey {
        /// Which of the keys, from 0.
        index: usize,
        /// The one before it that has the same id.
        first: usize,
        /// The id that they share.
        key_id: String,
    },
    /// Keys are named, and the component has no signature.
    #[error("the component is not signed")]
    Unsigned,
    /// What is given as a signature is none.
    #[error("the signature is not one of minisign: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A signature of minisign's old format, over the bytes themselves.
    #[error("the signature by key {key_id} is of minisign's old format")]
    Legacy {
        /// Whose it says it is.
        key_id: String,
    },
    /// Signed by somebody whose key the manifest does not name.
    #[error("the component is signed by key {key_id}, which is not one of the trusted keys")]
    UnknownKey {
        /// Whose the signature says it is.
        key_id: String,
    },
    /// The signature does not fit the bytes, or its comment was changed.
    #[error("the signature by key {key_id} is not for these bytes")]
    WrongSignature {
        /// Whose the signature says it is.
        key_id: String,
    },
    /// The file beside the component is there and cannot be read.
    #[error("could not read the signature {}: {reason}", path.display())]
    Unreadable {
        /// The signature's file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl TrustError {
    /// One sentence, without a full stop, on what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Key { .. } => {
                "Give each key as minisign prints it: 56 characters that begin with RW"
            }
            Self::SecretKey { .. } => {
                "Remove it, make a new pair with `minisign -G`, and give the public key"
            }
            Self::SameKey { .. } => "Remove one of the two",
            Self::Unsigned => {
                "Sign it with `minisign -Sm <component>` and keep the .minisig file beside it"
            }
            Self::Malformed { .. } => "Sign the component again with `minisign -Sm <component>`",
            Self::Legacy { .. } => {
                "Sign it again with minisign 0.10 or newer, without its option -l"
            }
            Self::UnknownKey { .. } => {
                "Sign it with a trusted key, or add the public key to the manifest if you trust it"
            }
            Self::WrongSignature { .. } => {
                "Do not use this file unless you know who changed it; if you built it anew, sign \
                 it anew"
            }
            Self::Unreadable { .. } => {
                "Make it a regular file of at most 4 KiB that the host may read"
            }
        }
    }
}
