//! A contract from a component's own type section, with the documentation that it carries.

use wit_component::DecodedWasm;
use wit_parser::{InterfaceId, Resolve, WorldItem};

use super::interface::Reader;
use crate::docs;
use crate::error::ContractError;
use crate::model::Contract;

/// The package whose functions are the host's to call (`wit/component`).
const OF_THE_HOST: &str = "avenire:component/";

impl Contract {
    /// What a component exports. The documentation is that of its custom section, if it has one
    /// ([`crate::with_docs`]): a component's types say nothing of it.
    pub fn of_component(bytes: &[u8]) -> Result<Self, ContractError> {
        let decoded = wit_component::decode(bytes)
            .map_err(|error| ContractError::NoComponent { reason: format!("{error:#}") })?;
        let DecodedWasm::Component(resolve, world) = decoded else {
            return Err(ContractError::WitPackage);
        };
        let Some(world) = resolve.worlds.get(world) else { return Err(ContractError::WitPackage) };
        let exported: Vec<(InterfaceId, String)> = world
            .exports
            .iter()
            .filter_map(|(key, item)| match item {
                WorldItem::Interface { id, .. } => Some((*id, resolve.name_world_key(key))),
                _ => None,
            })
            .filter(|(_, name)| !name.starts_with(OF_THE_HOST))
            .collect();
        let mut contract = Self::of_interfaces(&resolve, exported)?;
        if let Some(docs) = docs::carried_by(bytes)? {
            docs.write_into(&mut contract);
        }
        Ok(contract)
    }

    /// Interfaces as exported ones, with the types that they use.
    pub(super) fn of_interfaces(
        resolve: &Resolve,
        exported: Vec<(InterfaceId, String)>,
    ) -> Result<Self, ContractError> {
        let mut reader = Reader::new(resolve, &exported);
        for (id, name) in exported {
            reader.exported(id, &name)?;
        }
        Ok(reader.finish())
    }
}
