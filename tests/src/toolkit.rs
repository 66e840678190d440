//! A project for tests of the schema toolkit: schema modules and migrations of its own, an empty
//! database, and the tests' cluster for scratch databases.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{Finished, Harness, TestDatabase, TestProject};

/// A folder with a manifest, `src/` for schema modules and `migrations/`, both empty.
pub struct ToolkitProject {
    project: TestProject,
}

impl Harness {
    /// A toolkit project on an empty database.
    pub async fn toolkit(&self) -> Result<ToolkitProject> {
        self.toolkit_with("").await
    }

    /// The same with more in its manifest.
    pub async fn toolkit_with(&self, more: &str) -> Result<ToolkitProject> {
        let manifest = format!(
            "[database]\nscratch-url = \"{}\"\n[schema]\nmodules = \"src\"\n[migrations]\npath = \"own\"\n{more}",
            self.cluster().url()
        );
        let project = self.project_with(&manifest, self.empty_database().await?)?;
        fs::create_dir(project.folder().join("src"))?;
        fs::create_dir(project.folder().join("own"))?;
        Ok(ToolkitProject { project })
    }
}

impl ToolkitProject {
    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        self.project.database()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.project.folder()
    }

    /// Replaces the schema module by one with this in its `schema!` block.
    pub fn schema(&self, body: &str) -> Result<()> {
        let text =
            format!("//! The application's tables.\n\navenire_macros::schema! {{\n{body}\n}}\n");
        Ok(fs::write(self.folder().join("src/app.rs"), text)?)
    }

    /// Writes a migration file.
    pub fn migration(&self, name: &str, sql: &str) -> Result<PathBuf> {
        let file = self.folder().join("own").join(name);
        fs::write(&file, sql)?;
        Ok(file)
    }

    /// The text of a migration file.
    pub fn text(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.folder().join("own").join(name))?)
    }

    /// The names of the migration files, sorted; without snapshots.
    pub fn files(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = fs::read_dir(self.folder().join("own"))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| Path::new(name).extension() == Some("sql".as_ref()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Runs the program in its folder.
    pub fn run(&self, arguments: &[&str]) -> Result<Finished> {
        self.project.run(arguments)
    }

    /// As [`ToolkitProject::run`], with further environment variables.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Finished> {
        self.project.run_with(arguments, variables)
    }

    /// Runs the program and expects it to succeed.
    pub fn done(&self, arguments: &[&str]) -> Result<Finished> {
        let finished = self.run(arguments)?;
        anyhow::ensure!(finished.code == 0, "{arguments:?}: {finished:?}");
        Ok(finished)
    }

    /// Runs the program and expects that exit code and each of these texts on standard error or
    /// output.
    pub fn refused(&self, arguments: &[&str], code: i32, parts: &[&str]) -> Result<Finished> {
        let finished = self.run(arguments)?;
        anyhow::ensure!(finished.code == code, "{arguments:?}, not {code}: {finished:?}");
        for part in parts {
            let there = finished.stderr.contains(part) || finished.stdout.contains(part);
            anyhow::ensure!(there, "{arguments:?}: no {part:?} in {finished:?}");
        }
        Ok(finished)
    }
}
