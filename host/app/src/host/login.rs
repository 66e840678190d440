//! What each component's connections log in with, and how many there may be.
//! Never: opens one for a call.

use avenire_engine::Limits;
use avenire_postgres::{Endpoint, PoolOptions};
use futures_util::future::join_all;

use crate::direct::Direct;
use crate::error::AppError;
use crate::manifest::{self as config, ComponentEntry};
use crate::project::Project;
use crate::roles::{self, Extent, User};
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

/// What components log in with, looked at: their own URLs, their managed roles, or the shared user.
pub(super) struct Logins<'a> {
    project: &'a Project,
    targets: &'a Targets,
    direct: &'a Direct<'a>,
    entries: Vec<(&'a str, &'a ComponentEntry)>,
    managed: roles::Roles<'a>,
}

impl<'a> Logins<'a> {
    /// Looks at the roles without changing anything. All that is wrong.
    pub(super) async fn look(
        project: &'a Project,
        targets: &'a Targets,
        direct: &'a Direct<'a>,
        entries: Vec<(&'a str, &'a ComponentEntry)>,
    ) -> Result<Self, Vec<AppError>> {
        let managed: Vec<_> = match project.manifest().database.roles {
            config::Roles::PerComponent => {
                entries.iter().filter(|(_, e)| e.url.is_none()).copied().collect()
            }
            config::Roles::Shared => Vec::new(),
        };
        let managed = roles::Roles::look(targets, direct, &managed).await?;
        Ok(Self { project, targets, direct, entries, managed })
    }

    /// Makes the roles what the manifest says, and sees whether each component then has what its
    /// grants say. In order; none for a component whose role does not exist and was not to be made.
    pub(super) async fn make(self, extent: Extent) -> Result<Vec<Option<Endpoint>>, Vec<AppError>> {
        let Self { project, targets, direct, entries, managed } = self;
        let mut managed = managed.make(extent).await.map_err(|error| vec![error])?.into_iter();
        let (mut endpoints, mut errors) = (Vec::with_capacity(entries.len()), Vec::new());
        let roles = project.manifest().database.roles;
        for (name, entry) in &entries {
            let endpoint = match (&entry.url, roles) {
                (Some(url), _) => own(name, url).map(Some),
                (None, config::Roles::Shared) => Ok(Some(targets.pooled.clone())),
                (None, config::Roles::PerComponent) => Ok(managed.next().flatten()),
            };
            let endpoint = match endpoint {
                Ok(endpoint) => endpoint,
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            };
            endpoints.push(endpoint);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let checks = entries.iter().zip(&endpoints).map(|((name, entry), endpoint)| async move {
            let Some(endpoint) = endpoint else { return Ok(()) };
            let is_managed = entry.url.is_none() && roles == config::Roles::PerComponent;
            let user =
                if is_managed { User::Role(direct, endpoint.user()) } else { User::Own(endpoint) };
            roles::check_held(name, entry, user).await
        });
        errors.extend(join_all(checks).await.into_iter().filter_map(Result::err));
        if errors.is_empty() { Ok(endpoints) } else { Err(errors) }
    }
}

fn own(component: &str, url: &str) -> Result<Endpoint, AppError> {
    let key = format!("components.{component}.url");
    targets::endpoint(&key, &targets::resolve(&key, url)?)
}
