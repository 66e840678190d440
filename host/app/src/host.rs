//! A running host: the sandbox with its slots on a database.
//!
//! Owns the order of starting: roles, then components. Never applies a
//! migration and never builds anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use avenire_engine::{Cache, Component, Limits, LoadError, Sandbox, SandboxOptions, Slot};
use avenire_postgres::{Endpoint, Pool, PoolOptions};

use crate::error::AppError;
use crate::fit;
use crate::manifest::{ComponentEntry, Roles};
use crate::project::Project;
use crate::roles;
use crate::targets::{self, Targets};

/// Components that serve.
pub struct Host {
    targets: Targets,
    slots: BTreeMap<String, Arc<Slot>>,
}

/// Which components a host serves.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All of the manifest.
    All,
    /// One, for a single call.
    One(String),
}

impl Host {
    /// Prepares the roles, compiles or fetches the components, and serves them.
    pub async fn start(
        project: &Project,
        targets: Targets,
        selection: &Selection,
    ) -> Result<Self, AppError> {
        let entries = selected(project, selection)?;
        let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
        let loading: Vec<_> =
            entries.iter().map(|(name, entry)| load(project, &sandbox, name, entry)).collect();
        let (endpoints, fits) = tokio::join!(
            endpoints(project, &targets, &entries),
            fit::check(project, &targets.direct, &entries)
        );
        // A missing table is told by whoever needs it to grant something on it.
        let endpoints = endpoints?;
        fits?;
        let mut slots = BTreeMap::new();
        for (((name, entry), component), endpoint) in entries.iter().zip(loading).zip(endpoints) {
            let component = component.await.map_err(|error| host_failure(&error))??;
            let limits = entry.limits();
            let pool = Pool::new(endpoint.clone(), pool_options(name, &endpoint, &limits));
            let slot = Slot::new(name, sandbox.clone(), Arc::new(component), pool, limits);
            slots.insert((*name).to_owned(), Arc::new(slot));
        }
        Ok(Self { targets, slots })
    }

    /// The slot of that name.
    pub fn slot(&self, project: &Project, name: &str) -> Result<&Arc<Slot>, AppError> {
        self.slots.get(name).ok_or_else(|| unknown_component(project, name))
    }

    /// All slots, by name.
    pub fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.slots.values()
    }

    /// The database it works on.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Closes every connection; the embedded cluster stops when nobody else uses it.
    pub async fn close(self) {
        for slot in self.slots.values() {
            slot.pool().close().await;
        }
    }
}

/// The defaults, within what the URL says (`connection_limit`, `connect_timeout`).
fn pool_options(name: &str, endpoint: &Endpoint, limits: &Limits) -> PoolOptions {
    let mut options = PoolOptions {
        statement_timeout: Some(limits.time),
        application_name: format!("avenire-db {name}"),
        ..PoolOptions::default()
    };
    if let Some(connections) = endpoint.connection_limit() {
        // Each lane needs one: without an exclusive one no transaction could run.
        options.shared = options.shared.min(connections / 2).max(1);
        options.exclusive =
            options.exclusive.min(connections.saturating_sub(options.shared)).max(1);
    }
    if let Some(time) = endpoint.connect_timeout() {
        options.connect_timeout = time;
    }
    options
}

fn selected<'a>(
    project: &'a Project,
    selection: &Selection,
) -> Result<Vec<(&'a str, &'a ComponentEntry)>, AppError> {
    let components = &project.manifest().components;
    match selection {
        Selection::All => {
            Ok(components.iter().map(|(name, entry)| (name.as_str(), entry)).collect())
        }
        Selection::One(name) => {
            let (name, entry) =
                components.get_key_value(name).ok_or_else(|| unknown_component(project, name))?;
            Ok(vec![(name, entry)])
        }
    }
}

/// The error for a name that the manifest does not have.
pub fn unknown_component(project: &Project, name: &str) -> AppError {
    let known = project.manifest().components.keys();
    let nearest = known
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
        .cloned();
    let name = name.chars().filter(|c| !c.is_control()).take(64).collect();
    AppError::UnknownComponent { name, nearest }
}

type Loading = tokio::task::JoinHandle<Result<Component, AppError>>;

/// Loads a component off the serving threads, all at the same time.
fn load(project: &Project, sandbox: &Sandbox, name: &str, entry: &ComponentEntry) -> Loading {
    let (sandbox, name) = (sandbox.clone(), name.to_owned());
    let (file, compiled) = (project.path(&entry.path), project.compiled());
    let contract = entry.contract.clone();
    tokio::task::spawn_blocking(move || {
        load_file(&sandbox, &file, compiled, contract.as_deref())
            .map_err(|source| AppError::Component { component: name, file, source })
    })
}

fn load_file(
    sandbox: &Sandbox,
    file: &Path,
    compiled: PathBuf,
    contract: Option<&str>,
) -> Result<Component, LoadError> {
    let component = Cache::new(compiled).load(sandbox, file)?;
    if let Some(contract) = contract {
        component.satisfies(contract)?;
    }
    Ok(component)
}

fn host_failure(error: &tokio::task::JoinError) -> AppError {
    AppError::Sandbox(LoadError::Host { reason: error.to_string() })
}

/// Checks one component as starting it would, without serving it.
pub async fn check(project: &Project, name: &str) -> Result<Component, AppError> {
    let entries = selected(project, &Selection::One(name.to_owned()))?;
    let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
    let loading = entries.first().map(|(name, entry)| load(project, &sandbox, name, entry));
    match loading {
        Some(loading) => loading.await.map_err(|error| host_failure(&error))?,
        None => Err(unknown_component(project, name)),
    }
}

/// Checks any file as a component, outside of a manifest.
pub fn check_file(file: PathBuf, contract: Option<&str>) -> Result<Component, AppError> {
    let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
    let load = || {
        let component = sandbox.load_file(&file)?;
        contract.map_or(Ok(()), |contract| component.satisfies(contract))?;
        Ok(component)
    };
    load().map_err(|source| AppError::Component {
        component: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        file,
        source,
    })
}

/// What each component logs in with: its own URL, its managed role, or the shared
/// user.
async fn endpoints(
    project: &Project,
    targets: &Targets,
    entries: &[(&str, &ComponentEntry)],
) -> Result<Vec<Endpoint>, AppError> {
    let managed: Vec<_> = match project.manifest().database.roles {
        Roles::PerComponent => entries.iter().filter(|(_, e)| e.url.is_none()).copied().collect(),
        Roles::Shared => Vec::new(),
    };
    let mut prepared = roles::prepare(targets, &managed).await?.into_iter();
    entries
        .iter()
        .map(|(name, entry)| match (&entry.url, project.manifest().database.roles) {
            (Some(url), _) => {
                let key = format!("components.{name}.url");
                targets::endpoint(&key, &targets::resolve(&key, url)?)
            }
            (None, Roles::Shared) => Ok(targets.pooled.clone()),
            // One was prepared for each; serving as the owner would be worse than not.
            (None, Roles::PerComponent) => prepared.next().ok_or_else(|| AppError::Role {
                component: (*name).to_owned(),
                message: "no role was prepared for it".to_owned(),
                hint: "this is a fault of avenire-db; please report it".to_owned(),
            }),
        })
        .collect()
}
