//! Shipping: what an operator does to the components of all hosts on a database, by way of the
//! registry. Each host acts upon it by itself.
//!
//! Never: touches what a host serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use avenire_delivery::registry::{
    CanaryTerms, Deployed, Deployment, Ended, Event, HostRecord, Registry, Rollback, RolledBack,
};
use avenire_engine::{Sandbox, SandboxOptions};

use crate::contract::Contract;
use crate::error::AppError;
use crate::host::{Accepted, Candidate, Ground, Promised, unknown_component, validate};
use crate::project::Project;
use crate::roles::Extent;
use crate::service::{PATIENCE, keys, machine, signed};
use crate::targets::Targets;

/// A component that is to be served by all hosts.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// The component of the manifest.
    pub component: String,
    /// Its file; that of the manifest without.
    pub file: Option<PathBuf>,
    /// Some of the calls at first.
    pub canary: Option<CanaryTerms>,
}

/// The registry of a database, for an operator.
pub struct Shipping<'a> {
    project: &'a Project,
    targets: &'a Targets,
    registry: Registry,
    by: String,
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// Who acts, as far as the system tells.
fn operator() -> String {
    let user =
        ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user: String =
        user.unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
    let user = if user.is_empty() { "somebody".to_owned() } else { user };
    format!("{user}@{}", machine())
}

impl<'a> Shipping<'a> {
    /// Opens the registry, which is made when there is none yet.
    pub async fn open(project: &'a Project, targets: &'a Targets) -> Result<Self, AppError> {
        let registry = Registry::open(&targets.direct, soon()).await?;
        Ok(Self { project, targets, registry, by: operator() })
    }

    fn known(&self, component: &str) -> Result<(), AppError> {
        if self.project.manifest().components.contains_key(component) {
            Ok(())
        } else {
            Err(unknown_component(self.project, component))
        }
    }

    /// Validates a component as a host would, and makes it the next generation. Another deployment
    /// that was faster refuses this one.
    pub async fn deploy(&self, shipment: &Shipment) -> Result<Deployed, AppError> {
        let (name, entry) = self
            .project
            .manifest()
            .components
            .get_key_value(&shipment.component)
            .ok_or_else(|| unknown_component(self.project, &shipment.component))?;
        let file = shipment.file.clone().unwrap_or_else(|| self.project.path(&entry.path));
        let bytes = read(name, &file)?;
        let untrusted = |source| AppError::Untrusted { component: name.clone(), source };
        let signature = avenire_delivery::read_signature(&file).map_err(untrusted)?;
        signed(&keys(self.project)?, name, &bytes, signature.as_deref())?;
        let serving = self.serving(name).await?;
        let contract = entry.contract.as_deref();
        let promised = match (serving.as_ref(), contract) {
            (Some((_, Some(bytes))), Some(contract)) => {
                Contract::of_component(bytes, contract).ok().flatten()
            }
            _ => None,
        };
        let promised = promised.map_or(Promised::Files, Promised::Serving);
        let candidate =
            Candidate { name, entry, file: file.clone(), bytes: Arc::clone(&bytes), promised };
        let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
        let (project, targets) = (self.project, self.targets);
        let ground = Ground { project, sandbox: &sandbox, targets, extent: Extent::Addition };
        for Accepted { pool, .. } in validate(ground, &[candidate], None).await? {
            if let Some(pool) = pool {
                pool.close().await;
            }
        }
        let deployment = Deployment {
            component: name,
            bytes: &bytes,
            contract,
            signature: signature.as_deref(),
            source: &shown(&file),
            by: &self.by,
            expected: Some(serving.map_or(0, |(generation, _)| generation)),
            canary: shipment.canary.clone(),
        };
        Ok(self.registry.deploy(&deployment, soon()).await?)
    }

    /// The generation that the registry serves, and its bytes. Bytes that are damaged, or not there
    /// any more, promise nothing.
    async fn serving(&self, name: &str) -> Result<Option<(i64, Option<Vec<u8>>)>, AppError> {
        let slots = self.registry.slots(soon()).await?;
        let record = slots.slots.into_iter().find(|one| one.component == name);
        let Some(serving) = record.and_then(|record| record.serving) else { return Ok(None) };
        let bytes = match self.registry.artifact(&serving.sha256, soon()).await {
            Ok(bytes) => Some(bytes),
            Err(error) if error.is_damage() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Some((serving.number, bytes)))
    }

    /// Makes a former generation serve again.
    pub async fn rollback(
        &self,
        component: &str,
        to: Option<i64>,
        reason: Option<&str>,
    ) -> Result<RolledBack, AppError> {
        self.known(component)?;
        let rollback = Rollback { component, to, expected: None, by: &self.by, reason };
        Ok(self.registry.rollback(&rollback, soon()).await?)
    }

    /// Gives all calls to the canary.
    pub async fn promote(&self, component: &str) -> Result<Ended, AppError> {
        self.known(component)?;
        Ok(self.registry.promote(component, None, &self.by, soon()).await?)
    }

    /// Gives the canary up.
    pub async fn abandon(&self, component: &str, reason: Option<&str>) -> Result<Ended, AppError> {
        self.known(component)?;
        Ok(self.registry.abandon(component, None, &self.by, reason, soon()).await?)
    }

    /// What happened lately, the newest first.
    pub async fn history(
        &self,
        component: Option<&str>,
        limit: u16,
    ) -> Result<Vec<Event>, AppError> {
        component.map_or(Ok(()), |component| self.known(component))?;
        Ok(self.registry.history(component, limit, soon()).await?)
    }

    /// The hosts on this database, and what each serves.
    pub async fn fleet(&self) -> Result<Vec<HostRecord>, AppError> {
        Ok(self.registry.fleet(soon()).await?)
    }
}

fn read(component: &str, file: &Path) -> Result<Arc<[u8]>, AppError> {
    let bytes = avenire_engine::read(file).map_err(|source| {
        let (component, file) = (component.to_owned(), file.to_owned());
        AppError::Component { component, file, source }
    })?;
    Ok(bytes.into())
}

/// What the registry keeps of where a component came from.
fn shown(file: &Path) -> String {
    file.to_string_lossy().chars().filter(|c| !c.is_control()).take(500).collect()
}
