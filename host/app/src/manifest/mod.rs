//! `avenire.toml`: which database, which migrations, which components with which
//! rights and limits.
//!
//! Owns the manifest's form and its errors, with the place of each. Never reads
//! the environment and never opens a connection.

mod grants;
mod limits;
mod place;
mod probation;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use avenire_server::ServerConfig;
use serde::Deserialize;

pub use grants::{Grants, Privilege, TableGrant};
use limits::LimitsTable;
use probation::ProbationTable;

use crate::error::AppError;

/// The file's name.
pub const FILE_NAME: &str = "avenire.toml";

/// A whole manifest. See `avenire.toml` of this repository for every key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Where the database is.
    #[serde(default)]
    pub database: Database,
    /// Where the migrations are.
    #[serde(default)]
    pub migrations: Migrations,
    /// Where the schema modules are.
    #[serde(default)]
    pub schema: Schema,
    /// What components promise their callers.
    #[serde(default)]
    pub contracts: Contracts,
    /// Whose components are served.
    #[serde(default)]
    pub trust: Trust,
    /// How components are called over HTTP.
    #[serde(default)]
    pub server: ServerConfig,
    /// What `avenire-db dev` does beside serving.
    #[serde(default)]
    pub dev: Dev,
    /// The components, by slot.
    #[serde(default)]
    pub components: BTreeMap<String, ComponentEntry>,
}

/// `[database]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Database {
    /// The target of queries: a URL, or `env:NAME`. Without it `DATABASE_URL` and
    /// `DB_URL` count, and without these the embedded cluster.
    pub url: Option<String>,
    /// The target of migrations and role management, without a pooler: a URL, or
    /// `env:NAME`. Without it `DIRECT_DATABASE_URL` counts, and without that the
    /// target of queries.
    pub direct_url: Option<String>,
    /// How components log in.
    #[serde(default)]
    pub roles: Roles,
    /// What the roles' passwords are derived from: a text, or `env:NAME`. Without
    /// it the password of `direct-url`.
    pub role_secret: Option<String>,
    /// A server for scratch databases, which `generate`, `verify`, `push` and `pull`
    /// make and drop: a URL whose user may create databases, or `env:NAME`. Without
    /// it the embedded cluster. It should be of the production's major version.
    pub scratch_url: Option<String>,
}

/// How components log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Roles {
    /// Each as a role of its own with the grants of the manifest.
    #[default]
    PerComponent,
    /// All as the user of the URL. Grants are not enforced.
    Shared,
}

/// `[migrations]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Migrations {
    /// Folder of the migrations.
    #[serde(default = "default_migrations")]
    pub path: PathBuf,
    /// SQL file with sample data for development.
    pub sample: Option<PathBuf>,
}

fn default_migrations() -> PathBuf {
    "migrations".into()
}

impl Default for Migrations {
    fn default() -> Self {
        Self { path: default_migrations(), sample: None }
    }
}

/// `[schema]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Schema {
    /// Folder of the schema modules: Rust files with `schema!` blocks.
    pub modules: Option<PathBuf>,
    /// The Postgres schemas that the modules are about; all by default. What is in
    /// other schemas of the database is left alone.
    pub only: Option<Vec<String>>,
}

/// `[contracts]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contracts {
    /// Folder of WIT packages. What they say of a component's contract must be exported by the
    /// first generation of its slot; every later one must keep what the one before it exported.
    pub path: Option<PathBuf>,
}

/// `[trust]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trust {
    /// Public keys as minisign prints them (`RW…`). When there are any, a component must be signed
    /// by one of them: `minisign -Sm chat.wasm` makes `chat.wasm.minisig` beside it.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// `[dev]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dev {
    /// Calls to show when it is ready: `COMPONENT.FUNCTION {"name":"value"}`.
    #[serde(default)]
    pub tour: Vec<String>,
}

/// `[components.NAME]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ComponentEntry {
    /// The component's file.
    pub path: PathBuf,
    /// The cargo package that `components build` builds it from.
    pub package: Option<String>,
    /// The interface it must export, such as `avenire:chat/queries@0.1.0`.
    pub contract: Option<String>,
    /// Migrations of its own, which are recorded under its name.
    pub migrations: Option<ComponentMigrations>,
    /// A URL of its own to log in with, or `env:NAME`. The role is not managed then.
    pub url: Option<String>,
    /// What its role may do to which tables.
    #[serde(default)]
    pub grants: Grants,
    /// Functions that only read, such as `get-*`: they may be repeated.
    #[serde(default)]
    read_only: Vec<String>,
    /// Functions that are one transaction each, such as `save-*`.
    #[serde(default)]
    transactional: Vec<String>,
    /// What each of its calls may use.
    #[serde(default)]
    limits: LimitsTable,
    /// When a new generation is taken back.
    #[serde(default)]
    probation: ProbationTable,
}

/// Where a component's migrations are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "PathBuf")]
pub enum ComponentMigrations {
    /// `embedded`: in the component itself, where `components build` has put those of its folder.
    Embedded,
    /// In this folder.
    Folder(PathBuf),
}

impl From<PathBuf> for ComponentMigrations {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("embedded") { Self::Embedded } else { Self::Folder(path) }
    }
}

impl ComponentEntry {
    /// What each of its calls may use: the defaults, changed by `limits`.
    pub fn limits(&self) -> avenire_engine::Limits {
        self.limits.over_defaults()
    }

    /// Which of its functions only read, and which are one transaction.
    pub fn declared(&self) -> avenire_engine::Declared {
        let (read_only, transactional) = (self.read_only.clone(), self.transactional.clone());
        avenire_engine::Declared { read_only, transactional }
    }

    /// What its calls may use, and what is declared of its functions.
    pub fn terms(&self) -> avenire_engine::Terms {
        avenire_engine::Terms { limits: self.limits(), declared: self.declared() }
    }

    /// The terms on which a new generation serves at first; none when it is never taken back.
    pub fn probation(&self) -> Option<avenire_engine::Probation> {
        self.probation.over_defaults()
    }
}

impl Manifest {
    /// Reads and checks a manifest.
    pub fn read(file: &Path) -> Result<Self, AppError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| AppError::Read { file: file.to_owned(), source })?;
        Self::parse(file, &text)
    }

    /// Checks a manifest's text; `file` is for errors only.
    pub fn parse(file: &Path, text: &str) -> Result<Self, AppError> {
        let manifest: Self = toml::from_str(text).map_err(|e| place::error(file, text, &e))?;
        for name in manifest.components.keys() {
            if !is_slot_name(name) {
                let message = format!("`{name}` can not be a component's name");
                let hint = "use 1 to 32 lower-case letters, digits and hyphens, a letter first";
                return Err(place::at(file, text, name, message, hint));
            }
        }
        Ok(manifest)
    }
}

/// Names become part of role names, paths and URLs.
fn is_slot_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(Path::new("avenire.toml"), text).map_err(|error| {
            let hint = error.hint().map_or_else(String::new, |hint| format!(" | {hint}"));
            format!("{error}{hint}")
        })
    }

    #[test]
    fn an_empty_manifest_is_a_project_without_components() {
        let manifest = parse("").unwrap();
        assert!(manifest.components.is_empty());
        assert_eq!(manifest.migrations.path, Path::new("migrations"));
        assert_eq!(manifest.database.roles, Roles::PerComponent);
    }

    #[test]
    fn every_key_is_understood() {
        let manifest = parse(
            r#"
            [database]
            url = "env:A"
            direct-url = "env:B"
            roles = "shared"
            role-secret = "env:C"
            scratch-url = "env:E"
            [migrations]
            path = "m"
            sample = "s.sql"
            [schema]
            modules = "s/src"
            only = ["public"]
            [components.chat]
            path = "chat.wasm"
            package = "chat"
            contract = "a:b/c@0.1.0"
            migrations = "chat/migrations"
            url = "env:D"
            read-only = ["get-*"]
            transactional = ["save-chat"]
            grants = { chat = "all", users = ["select(id, name)", "update"], "audit.log" = ["insert"] }
            limits = { memory = "64MiB", time = "250ms", rows = 5, bytes = "1MB", statements = 1, statement-bytes = "1KiB", handles = 2, transfer = "2MiB", concurrency = 3, queue = 4, log = "1KiB" }
            probation = { time = "1min", calls = 10, faults = 0.5 }
            [contracts]
            path = "wit"
            "#,
        )
        .unwrap();
        let declared = manifest.components["chat"].declared();
        assert_eq!(declared.of("get-chat"), avenire_engine::Repeat::ReadOnly);
        assert_eq!(declared.of("save-chat"), avenire_engine::Repeat::Transactional);
        let limits = manifest.components["chat"].limits();
        assert_eq!(limits.memory, 64 << 20);
        assert_eq!(limits.time, Duration::from_millis(250));
        assert_eq!((limits.rows, limits.bytes, limits.concurrency), (5, 1_000_000, 3));
        let probation = manifest.components["chat"].probation().unwrap();
        assert_eq!((probation.calls, probation.faults_per_mille), (10, 500));
    }

    #[test]
    fn a_typo_is_told_with_its_place_and_the_nearest_key() {
        let error = parse("[components.chat]\npath = \"x\"\ngrant = {}\n").unwrap_err();
        assert!(error.starts_with("avenire.toml:3:1: unknown field `grant`"), "{error}");
        assert!(error.ends_with("| did you mean `grants`?"), "{error}");
        let error = parse("[databse]\n").unwrap_err();
        assert!(error.contains("did you mean `database`?"), "{error}");
    }

    #[test]
    fn a_url_in_the_wrong_place_is_not_repeated() {
        for text in [
            "database = \"postgres://u:s3cret@h/db\"",
            "[database]\nroles = \"postgres://u:s3cret@h/db\"",
            "[database]\n\"postgres://u:s3cret@h/db\" = 1",
            "[components.a]\npath = \"x\"\ngrants = \"u:s3cret@h\"",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_can_not_be_is_refused_where_it_stands() {
        let refused = |text: &str, part: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("[components.Chat]\npath='x'", "avenire.toml:1:13: `Chat` can not be");
        refused("[components.a]\npath='x'\nlimits={memory='lots'}", "avenire.toml:3:");
        refused("[components.a]\npath='x'\nlimits={memory='2GiB'}", "at most 1GiB");
        refused("[components.a]\npath='x'\nlimits={time='0s'}", "more than nothing");
        refused("[components.a]\npath='x'\ngrants={t=['drop']}", "`drop`");
        refused("[components.a]\npath='x'\ngrants={\"t;\"='all'}", "`t;`");
        refused("[components.a]\npath='x'\ngrants={t=['delete(id)']}", "columns");
        refused("[components.a]\npath='x'\nprobation={faults=1.5}", "between 0 and 1");
        refused("[components.a]\npath='x'\nprobation={calls=0}", "at least 1 call");
        refused("[components.a]\n", "missing field `path`");
        refused("a = = b", "avenire.toml:1:");
    }
}
