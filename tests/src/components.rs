//! Builds the components once for all tests, as a user would.

use anyhow::{Context as _, Result};
use avenire_app::Project;

use crate::{Harness, repository};

impl Harness {
    /// Sees to it that the repository's own components are built.
    pub async fn components(&self) -> Result<()> {
        self.components.get_or_try_init(|| build("")).await.copied()
    }

    /// Sees to it that the components that only tests use are built.
    pub async fn test_components(&self) -> Result<()> {
        self.test_components.get_or_try_init(|| build("tests/guests")).await.copied()
    }
}

async fn build(folder: &str) -> Result<()> {
    let project = Project::find(&repository().join(folder))?;
    avenire_app::build(&project, &[], &|_| {}).await.context("building the components")?;
    Ok(())
}
