//! All modules of a schema together.

use crate::syntax::{Item, Module};

/// The modules of a schema, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// One a file.
    pub modules: Vec<Module>,
}

impl Definitions {
    /// What the modules define, in their order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.modules.iter().flat_map(|module| &module.items)
    }
}
