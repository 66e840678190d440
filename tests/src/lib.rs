//! The ground that integration tests and benchmarks stand on: a real Postgres
//! that is started here, a private database for each test, the components built
//! from source, and projects that use them.
//!
//! Nothing is skipped when something is missing: what can be built or started is,
//! and the rest fails with what to install.

mod cluster;
mod components;
mod database;
pub mod life;
mod project;
mod toolkit;

pub use cluster::Harness;
pub use database::TestDatabase;
pub use project::{Finished, TestHost, TestProject};
pub use toolkit::ToolkitProject;

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
