//! A running host: the sandbox with its slots on a database.
//!
//! Owns the order of starting, and what serves: roles, then components; a new generation is
//! validated before anything that serves is touched. Never applies a migration and never builds
//! anything.

mod candidate;
mod check;
mod login;
mod validate;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use avenire_delivery::Keys;
use avenire_engine::{CanaryTerms, Published, Sandbox, SandboxOptions, Slot};
use avenire_postgres::Pool;

use crate::contract::Contract;
use crate::error::AppError;
use crate::manifest::ComponentEntry;
use crate::project::Project;
use crate::service::{keys, signed};
use crate::targets::Targets;
use validate::Accepted;

pub(crate) use candidate::Candidate;
use candidate::Code;
pub use check::{check, check_file};
pub(crate) use validate::validate;

/// Components that serve.
pub struct Host {
    sandbox: Sandbox,
    targets: Targets,
    slots: BTreeMap<String, Arc<Slot>>,
    promises: Promises,
}

/// Which components a host serves.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All of the manifest.
    All,
    /// One, for a single call.
    One(String),
}

/// A component's bytes, and where they come from.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// For messages: a file, or what else is known of where it was.
    pub from: PathBuf,
    /// The component.
    pub bytes: Arc<[u8]>,
}

impl Host {
    /// Prepares the roles, compiles or fetches the components, and serves them.
    pub async fn start(
        project: &Project,
        targets: Targets,
        selection: &Selection,
    ) -> Result<Self, AppError> {
        Self::start_with(project, targets, selection, &BTreeMap::new()).await
    }

    /// The same with other components than the manifest's files, under their numbers.
    pub(crate) async fn start_with(
        project: &Project,
        targets: Targets,
        selection: &Selection,
        stored: &BTreeMap<String, (u64, Artifact)>,
    ) -> Result<Self, AppError> {
        let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
        let mut candidates = Vec::new();
        let mut unread = Vec::new();
        let keys = keys(project)?;
        for (name, entry) in selected(project, selection)? {
            let candidate = match stored.get(name) {
                Some((_, artifact)) => Ok(Candidate {
                    name,
                    entry,
                    file: artifact.from.clone(),
                    bytes: Arc::clone(&artifact.bytes),
                    promised: None,
                }),
                None => Candidate::of_manifest(project, name, entry).and_then(|candidate| {
                    trusted(&keys, &candidate)?;
                    Ok(candidate)
                }),
            };
            match candidate {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => unread.push(error),
            }
        }
        validate::refuse(unread)?;
        let accepted = validate::validate(project, &sandbox, &targets, &candidates).await?;
        let mut slots = BTreeMap::new();
        let promises = Promises::default();
        for (candidate, Accepted { code, endpoint }) in candidates.iter().zip(accepted) {
            let (name, limits) = (candidate.name, candidate.entry.limits());
            let options = login::pool_options(name, &endpoint, &limits);
            let pool = Pool::new(endpoint, options);
            let number = stored.get(name).map_or(1, |(number, _)| *number);
            let slot = Slot::new(name, sandbox.clone(), code.component, number, pool, limits);
            slots.insert(name.to_owned(), Arc::new(slot));
            promises.made(name, number, code.contract);
        }
        Ok(Self { sandbox, targets, slots, promises })
    }

    /// Validates a component, and serves it in place of the one that serves: to all calls that start
    /// from then on, as generation `number`. Whatever is wrong with it leaves the slot as it was.
    pub async fn swap(
        &self,
        project: &Project,
        name: &str,
        artifact: &Artifact,
        number: u64,
    ) -> Result<Published, AppError> {
        let slot = self.slot(project, name)?;
        let code = self.accept(project, name, artifact).await?;
        let published = slot.publish(code.component, number, entry(project, name)?.probation());
        self.promises.made(name, number, code.contract);
        Ok(published)
    }

    /// The same for some of the calls, until it is promoted or abandoned.
    pub async fn try_out(
        &self,
        project: &Project,
        name: &str,
        artifact: &Artifact,
        number: u64,
        terms: CanaryTerms,
    ) -> Result<(), AppError> {
        let slot = self.slot(project, name)?;
        let code = self.accept(project, name, artifact).await?;
        let probation = entry(project, name)?.probation();
        slot.start_canary(code.component, number, terms, probation);
        self.promises.made(name, number, code.contract);
        Ok(())
    }

    async fn accept(
        &self,
        project: &Project,
        name: &str,
        artifact: &Artifact,
    ) -> Result<Code, AppError> {
        let candidate = Candidate {
            name,
            entry: entry(project, name)?,
            file: artifact.from.clone(),
            bytes: Arc::clone(&artifact.bytes),
            promised: self.promises.of(name, self.slot(project, name)?.generation()),
        };
        let candidates = [candidate];
        let accepted =
            validate::validate(project, &self.sandbox, &self.targets, &candidates).await?;
        // One candidate is accepted or refused as one.
        let accepted = accepted.into_iter().next();
        accepted.map(|one| one.code).ok_or_else(|| unknown_component(project, name))
    }

    /// Serves the former generation of a slot again, which is still in memory.
    pub fn roll_back(&self, project: &Project, name: &str) -> Result<Published, AppError> {
        Ok(self.slot(project, name)?.roll_back()?)
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
        self.close_connections().await;
    }

    pub(crate) async fn close_connections(&self) {
        for slot in self.slots.values() {
            slot.pool().close().await;
        }
    }
}

/// How many generations of a slot are remembered: the serving one, the former, a canary, and some
/// room for swaps that overtake each other.
const REMEMBERED: usize = 8;

/// What the latest generations of each slot promise their callers.
#[derive(Default)]
struct Promises(Mutex<BTreeMap<String, BTreeMap<u64, Contract>>>);

impl Promises {
    fn made(&self, slot: &str, generation: u64, contract: Option<Contract>) {
        let Some(contract) = contract else { return };
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generations = slots.entry(slot.to_owned()).or_default();
        generations.insert(generation, contract);
        if generations.len() > REMEMBERED {
            let oldest = generations.keys().copied().find(|number| *number != generation);
            generations.retain(|number, _| Some(*number) != oldest);
        }
    }

    fn of(&self, slot: &str, generation: u64) -> Option<Contract> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(slot)?.get(&generation).cloned()
    }
}

/// Refuses a file that none of the manifest's keys has signed, when there are any.
fn trusted(keys: &Keys, candidate: &Candidate<'_>) -> Result<(), AppError> {
    if keys.is_empty() {
        return Ok(());
    }
    let signature = avenire_delivery::read_signature(&candidate.file)
        .map_err(|source| AppError::Untrusted { component: candidate.name.to_owned(), source })?;
    signed(keys, candidate.name, &candidate.bytes, signature.as_deref())
}

fn entry<'a>(project: &'a Project, name: &str) -> Result<&'a ComponentEntry, AppError> {
    project.manifest().components.get(name).ok_or_else(|| unknown_component(project, name))
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
