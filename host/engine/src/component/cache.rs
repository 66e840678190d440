//! Compiled code on disk, so that a component is compiled once.
//!
//! Compiled code is machine code that runs as the host: whoever can write the
//! folder can run anything. So the folder must belong to this user and be
//! writable by nobody else, or it is not used; and a file's name is the digest
//! of the component and of everything the compilation depended on. A file ends in
//! the digest of what is before it, so that a damaged one is noticed and made anew.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::Component as Code;

use super::{Component, MAX_COMPONENT_BYTES, check_header, hex};
use crate::error::LoadError;
use crate::sandbox::Sandbox;

/// A folder with compiled components.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Uses that folder, which is created on the first store.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Loads a component file, compiling it only if this engine has not compiled
    /// the same bytes before. A cache that can not be used costs time, never the
    /// component.
    pub fn load(&self, sandbox: &Sandbox, file: &Path) -> Result<Component, LoadError> {
        let bytes = read(file)?;
        self.load_bytes(sandbox, &bytes)
    }

    /// As [`Cache::load`], for bytes that are at hand.
    pub fn load_bytes(&self, sandbox: &Sandbox, bytes: &[u8]) -> Result<Component, LoadError> {
        check_header(bytes)?;
        let name = self.file_name(sandbox, bytes);
        if let Some(code) = self.fetch(sandbox, &name)
            && let Ok(component) = Component::link(sandbox, &code, bytes)
        {
            return Ok(component);
        }
        let code = Code::from_binary(sandbox.engine(), bytes)
            .map_err(|error| LoadError::Malformed { reason: format!("{error:#}") })?;
        let component = Component::link(sandbox, &code, bytes)?;
        if let Err(error) = self.store(&code, &name) {
            tracing::warn!(folder = %self.folder.display(), %error, "could not cache the compiled component");
        }
        Ok(component)
    }

    /// The digest of the component, and a hash of the engine's version and settings.
    fn file_name(&self, sandbox: &Sandbox, bytes: &[u8]) -> PathBuf {
        let mut engine = DefaultHasher::new();
        sandbox.engine().precompile_compatibility_hash().hash(&mut engine);
        let digest = hex(&Sha256::digest(bytes));
        self.folder.join(format!("{digest}-{:016x}.cwasm", engine.finish()))
    }

    #[expect(unsafe_code, reason = "compiled code is trusted as far as its folder is")]
    fn fetch(&self, sandbox: &Sandbox, name: &Path) -> Option<Code> {
        if !name.exists() {
            return None;
        }
        if let Err(error) = check_owner(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "the cache of compiled components is not used");
            return None;
        }
        let file = fs::read(name).ok()?;
        let (compiled, digest) = file.split_last_chunk::<32>()?;
        if Sha256::digest(compiled).as_slice() != digest {
            tracing::warn!(file = %name.display(), "a cached component is damaged and is compiled again");
            return None;
        }
        // SAFETY: the bytes were made by `store` of a process of this user with this
        // engine: the folder belongs to this user and nobody else may write to it,
        // which was checked just now, the name holds the engine's own hash, and the
        // digest shows that they are whole. They are in memory of our own, which
        // nobody changes while they are used.
        let code = unsafe { Code::deserialize(sandbox.engine(), compiled) };
        code.inspect_err(|error| tracing::warn!(file = %name.display(), error = %format!("{error:#}"), "a cached component is not usable"))
            .ok()
    }

    fn store(&self, code: &Code, name: &Path) -> io::Result<()> {
        create_private(&self.folder)?;
        check_owner(&self.folder)?;
        let compiled = code.serialize().map_err(|error| io::Error::other(format!("{error:#}")))?;
        let mut partial = tempfile::NamedTempFile::new_in(&self.folder)?;
        partial.write_all(&compiled)?;
        partial.write_all(&Sha256::digest(&compiled))?;
        partial.as_file().sync_all()?;
        partial.persist(name)?;
        Ok(())
    }
}

/// Reads a file that may be a component, but no more than the 64 MiB that a component may have.
pub fn read(file: &Path) -> Result<Vec<u8>, LoadError> {
    let input = fs::File::open(file).map_err(LoadError::Unreadable)?;
    let metadata = input.metadata().map_err(LoadError::Unreadable)?;
    if !metadata.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(LoadError::Unreadable(error));
    }
    // A file may grow while it is read.
    let mut bytes = Vec::new();
    let mut input = input.take(MAX_COMPONENT_BYTES + 1);
    input.read_to_end(&mut bytes).map_err(LoadError::Unreadable)?;
    if bytes.len() as u64 > MAX_COMPONENT_BYTES {
        let bytes = metadata.len().max(bytes.len() as u64);
        return Err(LoadError::TooLarge { bytes, maximum: MAX_COMPONENT_BYTES });
    }
    Ok(bytes)
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn check_owner(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(folder)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the folder belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("other users may write to the folder"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Without Unix permissions there is no cheap proof: the cache is not used.
#[cfg(not(unix))]
fn check_owner(_folder: &Path) -> io::Result<()> {
    Err(io::Error::other("the folder's permissions can not be checked on this system"))
}
