//! The documents of what serves: OpenAPI, and the TypeScript client.

use std::sync::Arc;

use avenire_contract::{Contract, Info, Repeat, Slot as Described, SlotTraits};
use avenire_engine::Declared;
use serde_json::Value;

use crate::error::AppError;
use crate::host::Host;
use crate::project::Project;

/// What the manifest declares of a component's functions, for its documents.
struct Traits(Declared);

impl SlotTraits for Traits {
    fn repeat(&self, function: &str) -> Repeat {
        match self.0.of(function) {
            avenire_engine::Repeat::No => Repeat::No,
            avenire_engine::Repeat::ReadOnly => Repeat::ReadOnly,
            avenire_engine::Repeat::Transactional => Repeat::Transactional,
        }
    }

    /// Every list can be had line by line.
    fn streams(&self, _function: &str) -> bool {
        true
    }
}

fn described<T>(
    contracts: &[(String, Arc<Contract>, Traits)],
    make: impl FnOnce(&[Described<'_>]) -> T,
) -> T {
    let slots = contracts.iter().map(|(name, contract, traits)| Described {
        name,
        contract,
        traits: traits as &dyn SlotTraits,
    });
    make(&slots.collect::<Vec<_>>())
}

/// The OpenAPI document of what serves at the moment.
pub fn openapi(project: &Project, host: &Host) -> Value {
    let components = &project.manifest().components;
    let contracts: Vec<_> = host
        .contracts()
        .into_iter()
        .filter_map(|(name, contract)| {
            let traits = Traits(components.get(&name)?.declared());
            Some((name, contract, traits))
        })
        .collect();
    let info = Info {
        title: project.name(),
        version: "v1".to_owned(),
        description: "The query functions of this host.".to_owned(),
        servers: Vec::new(),
    };
    described(&contracts, |slots| avenire_contract::openapi(slots, &info))
}

/// The TypeScript client of the manifest's components, from their files.
pub fn typescript(project: &Project) -> Result<String, AppError> {
    let mut contracts = Vec::new();
    for (name, entry) in &project.manifest().components {
        let file = project.path(&entry.path);
        let bytes = avenire_engine::read(&file).map_err(|source| {
            let (component, file) = (name.clone(), file.clone());
            AppError::Component { component, file, source }
        })?;
        let contract = Contract::of_component(&bytes)
            .map_err(|source| AppError::Undescribed { component: name.clone(), source })?;
        contracts.push((name.clone(), Arc::new(contract), Traits(entry.declared())));
    }
    Ok(described(&contracts, avenire_contract::typescript))
}
