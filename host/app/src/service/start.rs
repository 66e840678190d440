//! What a host that starts takes from the registry.
//!
//! Never: changes the registry.

use std::collections::BTreeMap;
use std::time::Instant;

use avenire_delivery::Keys;
use avenire_delivery::registry::{GenerationRecord, Registry, State};

use avenire_engine::Blame;

use super::{PATIENCE, slot, stored};
use crate::error::AppError;
use crate::host::Artifact;
use crate::project::Project;

/// How far back an intact generation is looked for when the one that should serve is damaged.
const BACK: u16 = 20;

/// What the registry has for a component.
pub(super) enum Start {
    /// A generation, with its number.
    Generation(u64, Artifact),
    /// Nothing that can be used, so that the component's file has to do until there is.
    Damaged,
}

/// For each component of the manifest that the registry knows. What is damaged keeps no other from
/// being served: then the nearest generation before it that is intact does.
pub(super) async fn at_start(
    project: &Project,
    registry: &Registry,
    keys: &Keys,
) -> Result<BTreeMap<String, Start>, AppError> {
    let slots = registry.slots(Instant::now() + PATIENCE).await?;
    let is_known = |name: &String| project.manifest().components.contains_key(name);
    let mut starts = BTreeMap::new();
    for record in slots.slots.into_iter().filter(|one| is_known(&one.component)) {
        let Some(serving) = record.serving else { continue };
        let start = match stored(registry, keys, &serving).await {
            Ok(artifact) => Start::Generation(slot::number(serving.number), artifact),
            Err(error) if !is_its_own_fault(&error) => return Err(error),
            Err(error) => {
                let component = &record.component;
                tracing::error!(
                    component,
                    error = error.with_causes(),
                    "what should serve is damaged"
                );
                intact(registry, keys, component, Some(serving.number)).await?
            }
        };
        starts.insert(record.component, start);
    }
    for component in slots.unreadable.into_iter().filter(is_known) {
        tracing::error!(component, "what the registry says of it can not be read");
        let start = intact(registry, keys, &component, None).await?;
        starts.insert(component, start);
    }
    Ok(starts)
}

/// The newest generation before that one that served once and is intact.
async fn intact(
    registry: &Registry,
    keys: &Keys,
    component: &str,
    before: Option<i64>,
) -> Result<Start, AppError> {
    let generations = registry.generations(component, BACK, Instant::now() + PATIENCE).await?;
    let served = |one: &&GenerationRecord| matches!(one.state, State::Former | State::Serving);
    let is_before = |one: &&GenerationRecord| before.is_none_or(|before| one.number < before);
    for generation in generations.iter().filter(served).filter(is_before) {
        match stored(registry, keys, generation).await {
            Ok(artifact) => {
                return Ok(Start::Generation(slot::number(generation.number), artifact));
            }
            Err(error) if !is_its_own_fault(&error) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(Start::Damaged)
}

/// Whether it is what the registry holds that is wrong, and not the way to it.
fn is_its_own_fault(error: &AppError) -> bool {
    match error {
        AppError::Registry(error) => error.is_damage(),
        other => other.blame() != Blame::Database,
    }
}
