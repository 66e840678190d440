//! What each component's connections log in with, and how many there may be.
//! Never: opens one.

use avenire_engine::Limits;
use avenire_postgres::{Endpoint, PoolOptions};

use crate::error::AppError;
use crate::manifest::{ComponentEntry, Roles};
use crate::project::Project;
use crate::roles;
use crate::targets::{self, Targets};

/// The defaults, within what the URL says (`connection_limit`, `connect_timeout`).
pub(super) fn pool_options(name: &str, endpoint: &Endpoint, limits: &Limits) -> PoolOptions {
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

/// What each component logs in with: its own URL, its managed role, or the shared
/// user.
pub(super) async fn endpoints(
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
