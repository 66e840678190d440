//! Schemas that others have published: SQL in packages of crates.io and npm, for the toolkit to prove
//! itself on. Never: keeps a copy of them, compiles them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::logto::logto;
use crate::repository;

/// The platform that dependencies are resolved for. Nothing is built, so that any will do; naming
/// one keeps cargo from fetching what only other platforms need.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Where a package has its scripts, and what they need.
struct Source {
    package: &'static str,
    /// In the order of their execution.
    steps: &'static [Step],
    /// Text that stands for something, and what it stands for.
    stands_for: &'static [(&'static str, &'static str)],
    /// The first major version of Postgres that refuses it.
    before: Option<i32>,
}

enum Step {
    /// A script, or a folder of scripts in the order of their names.
    Place(&'static str),
    /// What the package's own code does.
    Sql(&'static str),
}

const SOURCES: &[Source] = &[
    Source::plain("apalis-postgres", &[Step::Place("migrations")]),
    Source::plain("atuin-server-postgres", &[Step::Place("migrations")]),
    Source::plain("fang", &[Step::Place("postgres_migrations/migrations")]),
    Source {
        package: "graphile_worker_migrations",
        steps: &[Step::Sql("create schema graphile_worker"), Step::Place("src/sql")],
        stands_for: &[(":GRAPHILE_WORKER_SCHEMA", "graphile_worker")],
        before: None,
    },
    Source::plain(
        "lemmy_db_schema",
        &[
            Step::Place("migrations"),
            Step::Sql("create schema r"),
            Step::Place("replaceable_schema/utils.sql"),
            Step::Place("replaceable_schema/triggers.sql"),
        ],
    ),
    Source::plain("pgmq", &[Step::Place("src/install/embedded/sql/pgmq.sql")]),
    Source {
        // Its indexes call functions that find no others without a search path, which they are
        // built without from 17 on (release notes of PostgreSQL 17, Migration).
        before: Some(17),
        ..Source::plain("sqlxmq", &[Step::Place("migrations")])
    },
    Source::plain(
        "underway",
        // The first script moves the ledger of the program that runs it.
        &[
            Step::Sql("create table _sqlx_migrations (version bigint primary key)"),
            Step::Place("migrations"),
        ],
    ),
];

impl Source {
    const fn plain(package: &'static str, steps: &'static [Step]) -> Self {
        Self { package, steps, stands_for: &[], before: None }
    }
}

/// A schema that somebody has published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The first major version of Postgres that refuses it.
    pub before: Option<i32>,
    /// What leads to the schema, in order. Each is run by itself.
    pub scripts: Vec<Script>,
}

/// A script of a published schema.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where it is in the package, for messages.
    pub name: String,
    /// What to run.
    pub sql: String,
}

/// Fetches what is not there yet and reads it. Versions and checksums are those of
/// `published/Cargo.lock`.
pub fn published() -> Result<Vec<Published>> {
    let packages = packages()?;
    let read = |source: &Source| {
        let (version, folder) = packages
            .get(source.package)
            .with_context(|| format!("{} is not in published/Cargo.toml", source.package))?;
        let scripts = scripts(source, folder)?;
        let (name, version) = (source.package.to_owned(), version.clone());
        Ok(Published { name, version, before: source.before, scripts })
    };
    SOURCES.iter().map(read).chain([logto()]).collect()
}

/// Version and folder of each package.
fn packages() -> Result<BTreeMap<String, (String, PathBuf)>> {
    let manifest = repository().join("tests/schema/published/Cargo.toml");
    let locked = ["--locked", "--manifest-path"];
    cargo(
        Command::new("cargo").arg("fetch").args(locked).arg(&manifest).args(["--target", PLATFORM]),
    )?;
    let metadata = cargo(
        Command::new("cargo")
            .arg("metadata")
            .args(["--offline", "--format-version", "1", "--filter-platform", PLATFORM])
            .args(locked)
            .arg(&manifest),
    )?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let text = |package: &Value, key: &str| {
        package.get(key).and_then(Value::as_str).map(str::to_owned).context("an odd package")
    };
    let all = metadata.get("packages").and_then(Value::as_array).context("no packages")?;
    let mut packages = BTreeMap::new();
    for package in all {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let folder = manifest.parent().context("a manifest without a folder")?.to_owned();
        packages.insert(text(package, "name")?, (text(package, "version")?, folder));
    }
    Ok(packages)
}

fn cargo(command: &mut Command) -> Result<Vec<u8>> {
    let done = command.output().context("cargo could not be started")?;
    if !done.status.success() {
        bail!("cargo failed: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(done.stdout)
}

fn scripts(source: &Source, package: &Path) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for step in source.steps {
        let place = match step {
            Step::Place(place) => place,
            Step::Sql(sql) => {
                scripts.push(Script { name: (*sql).into(), sql: (*sql).into() });
                continue;
            }
        };
        let mut paths = Vec::new();
        collect(&package.join(place), &mut paths)?;
        paths.sort();
        if paths.is_empty() {
            bail!("{} has no scripts in {place}", source.package);
        }
        for path in paths {
            let mut sql = fs::read_to_string(&path)?;
            for (text, meaning) in source.stands_for {
                sql = sql.replace(text, meaning);
            }
            let name = path.strip_prefix(package).unwrap_or(&path).display().to_string();
            scripts.push(Script { name, sql });
        }
    }
    Ok(scripts)
}

/// The scripts in a place, without those that undo another.
fn collect(place: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if place.is_dir() {
        for entry in fs::read_dir(place)? {
            collect(&entry?.path(), found)?;
        }
        return Ok(());
    }
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let undoes = name == "down.sql" || name.ends_with(".down.sql");
    if place.extension().is_some_and(|ending| ending == "sql") && !undoes {
        found.push(place.to_owned());
    }
    Ok(())
}
