//! Tools from npm, of the versions in `npm/package-lock.json`, installed once below the target
//! folder; and a way to run them. Never runs an install script of theirs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

const PACKAGE: &str = include_str!("../npm/package.json");
const LOCK: &str = include_str!("../npm/package-lock.json");

/// A new folder of its own in which scripts and compilers find the packages.
pub(crate) fn folder() -> Result<tempfile::TempDir> {
    let place = installed()?;
    Ok(tempfile::Builder::new().prefix("work-").tempdir_in(place)?)
}

/// Copies a file of this crate into a folder.
pub(crate) fn copy(from: &str, folder: &Path) -> Result<()> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
    let name = from.file_name().context("a file has a name")?;
    fs::copy(&from, folder.join(name)).with_context(|| from.display().to_string())?;
    Ok(())
}

/// Runs one of the packages' commands, such as `tsc`, in a folder. The error has all it printed.
pub(crate) fn run(folder: &Path, script: &str, arguments: &[&str]) -> Result<String> {
    let script = folder.join("../node_modules").join(script);
    let mut arguments = arguments.to_vec();
    let script = script.to_str().context("the target folder's name is UTF-8")?.to_owned();
    arguments.insert(0, &script);
    node(folder, &arguments)
}

/// Runs Node in a folder. The error has all it printed.
pub(crate) fn node(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("node")
        .args(arguments)
        .current_dir(folder)
        .output()
        .context("`node` does not run: install Node 20 or later")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "node {arguments:?} failed:\n{text}\n{errors}");
    Ok(text)
}

/// A folder that was made of `source`: by an earlier test or run, or now.
pub(crate) fn once(
    name: &str,
    source: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let place = installed()?;
    let lock = File::create(place.join(format!("{name}.lock")))?;
    lock.lock()?;
    let (folder, marker) = (place.join(name), place.join(format!("{name}.made-of")));
    if fs::read_to_string(&marker).is_ok_and(|made| made == source) {
        return Ok(folder);
    }
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&folder)?,
    }
    make(&folder)?;
    fs::write(marker, source)?;
    Ok(folder)
}

/// The folder with `node_modules`, which gets its marker when it is complete. Several processes
/// may want it at once.
fn installed() -> Result<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm");
    fs::create_dir_all(&place)?;
    let lock = File::create(place.join("install.lock"))?;
    lock.lock()?;
    let marker = place.join("installed.json");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == LOCK) {
        return Ok(place);
    }
    fs::write(place.join("package.json"), PACKAGE)?;
    fs::write(place.join("package-lock.json"), LOCK)?;
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&place)
        .output()
        .context("`npm` does not run: it comes with Node")?;
    ensure!(
        output.status.success(),
        "`npm ci` failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    fs::write(marker, LOCK)?;
    Ok(place)
}
