//! How components reach a host: from a watched folder, and from the registry in the database, signed
//! or not.
//!
//! Owns what is stored of components in the database, and how a host hears of a change. Never:
//! compiles or runs a component, reads a manifest, decides whether a component fits.

mod file;
mod folder;
pub mod registry;
mod sources;
mod trust;

pub use folder::{
    Changed, Event, Problem, Serving, Trouble, Watch, WatchError, WatchOptions, Watched,
};
pub use sources::Sources;
pub use trust::{Keys, TrustError, Trusted, read_signature, signature_file};
