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

use avenire_delivery::{Keys, Serving};
use avenire_engine::{CanaryTerms, Published, Sandbox, SandboxOptions, Slot};

use crate::contract::Contract;
use crate::error::AppError;
use crate::manifest::ComponentEntry;
use crate::project::Project;
use crate::roles::Extent;
use crate::service::{keys, signed};
use crate::targets::Targets;
use candidate::Code;

pub(crate) use candidate::{Candidate, Promised};
pub use check::{Checked, check, check_file};
pub(crate) use validate::{Accepted, Ground, validate};

/// Components that serve.
pub struct Host {
    sandbox: Sandbox,
    targets: Targets,
    slots: BTreeMap<String, Arc<Slot>>,
    promises: Promises,
    /// What the files held that components came from.
    files: BTreeMap<String, Serving>,
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
        // A single call takes nothing from the roles that hosts serve by.
        let extent = match selection {
            Selection::All => Extent::Exact,
            Selection::One(_) => Extent::Addition,
        };
        Self::start_with(project, targets, selection, extent, &BTreeMap::new()).await
    }

    /// The same with other components than the manifest's files, under their numbers.
    pub(crate) async fn start_with(
        project: &Project,
        targets: Targets,
        selection: &Selection,
        extent: Extent,
        stored: &BTreeMap<String, (u64, Artifact)>,
    ) -> Result<Self, AppError> {
        let sandbox = Sandbox::new(&SandboxOptions::default()).map_err(AppError::Sandbox)?;
        let mut candidates = Vec::new();
        let mut unread = Vec::new();
        let mut files = BTreeMap::new();
        let keys = keys(project)?;
        for (name, entry) in selected(project, selection)? {
            let candidate = match stored.get(name) {
                Some((_, artifact)) => Ok(Candidate {
                    name,
                    entry,
                    file: artifact.from.clone(),
                    bytes: Arc::clone(&artifact.bytes),
                    promised: Promised::Itself,
                }),
                None => Candidate::of_manifest(project, name, entry).and_then(|candidate| {
                    files.insert(name.to_owned(), trusted(&keys, &candidate)?);
                    Ok(candidate)
                }),
            };
            match candidate {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => unread.push(error),
            }
        }
        validate::refuse(unread)?;
        let ground = Ground { project, sandbox: &sandbox, targets: &targets, extent };
        let accepted = validate::validate(ground, &candidates, None).await?;
        let mut slots = BTreeMap::new();
        let promises = Promises::default();
        for (candidate, Accepted { code, pool }) in candidates.iter().zip(accepted) {
            let (name, terms) = (candidate.name, candidate.entry.terms());
            let Some(pool) = pool else { return Err(unprepared(name)) };
            let number = stored.get(name).map_or(1, |(number, _)| *number);
            let slot = Slot::new(name, sandbox.clone(), code.component, number, pool, terms);
            promises.made(&slot, number, code.contract, code.described);
            slots.insert(name.to_owned(), Arc::new(slot));
        }
        Ok(Self { sandbox, targets, slots, promises, files })
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
        self.promises.made(slot, number, code.contract, code.described);
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
        self.promises.made(slot, number, code.contract, code.described);
        Ok(())
    }

    async fn accept(
        &self,
        project: &Project,
        name: &str,
        artifact: &Artifact,
    ) -> Result<Code, AppError> {
        let slot = self.slot(project, name)?;
        let promised = self.promises.of(name, slot.generation()).and_then(|one| one.contract);
        let candidate = Candidate {
            name,
            entry: entry(project, name)?,
            file: artifact.from.clone(),
            bytes: Arc::clone(&artifact.bytes),
            promised: promised.map_or(Promised::Files, Promised::Serving),
        };
        let Self { sandbox, targets, .. } = self;
        let ground = Ground { project, sandbox, targets, extent: Extent::Addition };
        let accepted = validate::validate(ground, &[candidate], Some(slot.pool())).await?;
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

    /// What the generations that serve export, by slot.
    pub(crate) fn contracts(&self) -> Vec<(String, Arc<avenire_contract::Contract>)> {
        let of = |slot: &Arc<Slot>| {
            let promise = self.promises.of(slot.name(), slot.generation())?;
            Some((slot.name().to_owned(), promise.described?))
        };
        self.slots.values().filter_map(of).collect()
    }

    /// The components that came from files, and what these held then.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Serving)> {
        self.files.iter().map(|(name, serving)| (name.as_str(), serving))
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

/// What the generations that a slot has in memory promise their callers.
#[derive(Default)]
struct Promises(Mutex<BTreeMap<String, BTreeMap<u64, Promise>>>);

/// What one generation promises.
#[derive(Clone)]
struct Promise {
    /// Of the manifest's contract; none when it names none.
    contract: Option<Contract>,
    described: Option<Arc<avenire_contract::Contract>>,
}

impl Promises {
    fn made(
        &self,
        slot: &Slot,
        generation: u64,
        contract: Option<Contract>,
        described: Option<Arc<avenire_contract::Contract>>,
    ) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generations = slots.entry(slot.name().to_owned()).or_default();
        generations.insert(generation, Promise { contract, described });
        // What was replaced meanwhile, and can not come back without being checked again.
        let kept = [Some(generation), Some(slot.generation()), slot.former(), slot.canary()];
        generations.retain(|number, _| kept.contains(&Some(*number)));
    }

    fn of(&self, slot: &str, generation: u64) -> Option<Promise> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(slot)?.get(&generation).cloned()
    }
}

fn unprepared(component: &str) -> AppError {
    AppError::Role {
        component: component.to_owned(),
        message: "no role was prepared for it".to_owned(),
        hint: "this is a fault of avenire-db; please report it".to_owned(),
    }
}

/// Refuses a file that none of the manifest's keys has signed, when there are any. What it holds.
fn trusted(keys: &Keys, candidate: &Candidate<'_>) -> Result<Serving, AppError> {
    let Candidate { name, file, bytes, .. } = candidate;
    let untrusted = |source| AppError::Untrusted { component: (*name).to_owned(), source };
    let signature = match avenire_delivery::read_signature(file) {
        Err(_) if keys.is_empty() => None,
        read => read.map_err(untrusted)?,
    };
    signed(keys, name, bytes, signature.as_deref())?;
    Ok(Serving::of(bytes, signature.as_deref()))
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
