//! A project: the folder with the manifest, and the folder with what the host
//! keeps beside it. Owns paths; never creates anything.

use std::path::{Path, PathBuf};

use crate::error::AppError;
use crate::manifest::{FILE_NAME, Manifest};

/// The folder for what the host keeps: the embedded cluster, compiled code.
const STATE_FOLDER: &str = ".avenire";

/// A project that was found and read.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    manifest: Manifest,
}

impl Project {
    /// What the project is called: its folder's name.
    pub fn name(&self) -> String {
        let name = self.root.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "avenire-db".to_owned())
    }

    /// Finds the manifest in `start` or the nearest folder above it.
    pub fn find(start: &Path) -> Result<Self, AppError> {
        let start = std::path::absolute(start)
            .map_err(|source| AppError::Read { file: start.to_owned(), source })?;
        let root = start
            .ancestors()
            .find(|folder| folder.join(FILE_NAME).is_file())
            .ok_or_else(|| AppError::NoManifest(start.clone()))?
            .to_owned();
        let manifest = Manifest::read(&root.join(FILE_NAME))?;
        Ok(Self { root, manifest })
    }

    /// The folder of the manifest.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The same project on another database, whatever the manifest and the
    /// environment say: for programs that embed the host.
    #[must_use]
    pub fn with_database_url(mut self, url: &str) -> Self {
        self.manifest.database.url = Some(url.to_owned());
        self.manifest.database.direct_url = Some(url.to_owned());
        self
    }

    /// The folder for what the host keeps.
    pub fn state(&self) -> PathBuf {
        self.root.join(STATE_FOLDER)
    }

    /// A path of the manifest, which is relative to its folder.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// The folder of compiled components.
    pub fn compiled(&self) -> PathBuf {
        self.state().join("compiled")
    }
}
