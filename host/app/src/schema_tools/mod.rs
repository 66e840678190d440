//! The schema toolkit for a project: which modules, which migrations, which server for scratch
//! databases.
//!
//! Never: knows how a catalog is read or compared; that is `avenire-schema`'s.

pub(crate) mod blame;
mod drift;
mod generate;
mod history;
mod lint;
mod pull;
mod push;

use std::time::Duration;

use avenire_postgres::Endpoint;
use avenire_postgres::embedded::Cluster;
use avenire_schema::Migrations;
use avenire_schema::catalog::Scope;
use avenire_schema::definitions::Definitions;

use crate::error::AppError;
use crate::manifest::{ComponentEntry, ComponentMigrations};
use crate::project::Project;
use crate::sections;
use crate::targets::{self, Embedding};

pub use drift::verify;
pub use generate::{Changes, empty_migration, generate};
pub use history::{
    Adopted, BaselineOptions, Rollback, baseline, mark, migrate, migration_plan, migration_status,
    rollback,
};
pub use lint::{CheckReport, check_migrations, renumber_migrations};
pub use pull::{PullOptions, Pulled, pull};
pub use push::{Push, push};

/// How long reading the ledger or a catalog may take.
const SHORT_TIME: Duration = Duration::from_mins(1);

/// The server where scratch databases are made and dropped.
pub struct Workbench {
    server: Endpoint,
    scope: Scope,
    /// Kept running by this value.
    _cluster: Option<Cluster>,
}

impl Workbench {
    /// The server of `database.scratch-url`, or the embedded cluster, which is started.
    pub async fn open(project: &Project, embedding: Embedding<'_>) -> Result<Self, AppError> {
        let manifest = project.manifest();
        let scope = match &manifest.schema.only {
            Some(schemas) => Scope::Schemas(schemas.clone()),
            None => Scope::All,
        };
        if let Some(value) = &manifest.database.scratch_url {
            let key = "database.scratch-url";
            let server = targets::endpoint(key, &targets::resolve(key, value)?)?;
            return Ok(Self { server, scope, _cluster: None });
        }
        let cluster = targets::start_embedded(project, embedding).await?;
        let server = targets::endpoint("the embedded Postgres", &cluster.url())?;
        Ok(Self { server, scope, _cluster: Some(cluster) })
    }
}

/// The schema modules of the manifest.
fn definitions(project: &Project) -> Result<Definitions, AppError> {
    let Some(folder) = &project.manifest().schema.modules else {
        return Err(AppError::NoModules);
    };
    avenire_schema::modules::load(&project.path(folder)).map_err(AppError::Modules)
}

/// The project's own migrations and those of its components, in the order in which they are
/// applied: components build on what the project has.
fn all_migrations(project: &Project) -> Result<Vec<Migrations>, AppError> {
    let manifest = project.manifest();
    let mut all = vec![own_migrations(project)?];
    for (name, entry) in &manifest.components {
        all.extend(of_component(project, name, entry)?);
    }
    Ok(all)
}

/// The migrations that a component brings, from its folder or from within itself.
fn of_component(
    project: &Project,
    name: &str,
    entry: &ComponentEntry,
) -> Result<Option<Migrations>, AppError> {
    match &entry.migrations {
        None => Ok(None),
        Some(ComponentMigrations::Embedded) => {
            let file = project.path(&entry.path);
            let read = std::fs::read(&file);
            let component = read.map_err(|source| AppError::Read { file, source })?;
            sections::migrations(&component, name)
        }
        Some(ComponentMigrations::Folder(folder)) => {
            let loaded = Migrations::load_for(name, &project.path(folder));
            loaded.map(Some).map_err(AppError::MigrationFiles)
        }
    }
}

fn own_migrations(project: &Project) -> Result<Migrations, AppError> {
    let folder = project.path(&project.manifest().migrations.path);
    Migrations::load(&folder).map_err(AppError::MigrationFiles)
}

/// The migrations of one component; `main` is the project itself.
fn migrations_of(project: &Project, component: &str) -> Result<Migrations, AppError> {
    if component == "main" {
        return own_migrations(project);
    }
    let entry = project.manifest().components.get(component);
    let brought = entry.map(|entry| of_component(project, component, entry)).transpose()?;
    brought.flatten().ok_or_else(|| AppError::NoMigrations { component: component.to_owned() })
}
