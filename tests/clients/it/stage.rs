//! What is tested: the repository's own contracts and one with every type, and what is made of
//! them.

use avenire_client_tests::{component, of_repository, wit_folder};
use avenire_contract::{Contract, Info, Repeat, Slot, SlotTraits, openapi, typescript};
use serde_json::Value;

/// Traits by the functions' names, as a manifest would have them.
pub(crate) struct ByName;

impl SlotTraits for ByName {
    fn repeat(&self, function: &str) -> Repeat {
        let begins = |words: &[&str]| words.iter().any(|word| function.starts_with(word));
        if begins(&["get-", "list-", "search", "count", "page"]) {
            Repeat::ReadOnly
        } else if begins(&["save-", "update-", "echo"]) {
            Repeat::Transactional
        } else {
            Repeat::No
        }
    }

    fn streams(&self, _function: &str) -> bool {
        true
    }
}

/// Slots with their contracts.
pub(crate) struct Stage {
    contracts: Vec<(&'static str, Contract)>,
}

impl Stage {
    /// The slots `chat`, `auth`, `settings` and `every`.
    pub(crate) fn new() -> Self {
        let own = |package: &'static str| {
            let contract = Contract::of_component(&of_repository(package)).unwrap();
            (package, contract.with_docs_of(&wit_folder()).unwrap())
        };
        let contracts = vec![own("chat"), own("auth"), own("settings"), ("every", every())];
        Self { contracts }
    }

    fn slots(&self) -> Vec<Slot<'_>> {
        let slot = |(name, contract)| Slot { name, contract, traits: &ByName };
        self.contracts.iter().map(|(name, contract)| slot((*name, contract))).collect()
    }

    pub(crate) fn openapi(&self) -> Value {
        let info = Info {
            title: "avenire".to_owned(),
            version: "0.1.0".to_owned(),
            description: "Chats.".to_owned(),
            servers: vec!["https://db.example.com".to_owned()],
        };
        openapi(&self.slots(), &info)
    }

    pub(crate) fn typescript(&self) -> String {
        typescript(&self.slots())
    }
}

/// The contract with every type, documented by its own folder.
fn every() -> Contract {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/wit");
    let wit = std::fs::read_to_string(format!("{folder}/every.wit")).unwrap();
    let contract = Contract::of_component(&component(&wit)).unwrap();
    contract.with_docs_of(folder.as_ref()).unwrap()
}
