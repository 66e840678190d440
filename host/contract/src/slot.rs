//! What a document is made for: a slot, its contract, and what the host grants its functions.

use crate::model::{Contract, Function, Interface, Type};

/// Whether a call may be made again when its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It may have an effect each time.
    No,
    /// It changes nothing.
    ReadOnly,
    /// It is one transaction, which the host repeats as a whole.
    Transactional,
}

impl Repeat {
    /// Whether a caller may send the call again.
    pub fn is_safe(self) -> bool {
        self != Self::No
    }
}

/// What the manifest says of a slot's functions, by their names in kebab-case.
pub trait SlotTraits {
    /// Whether the function may be repeated.
    fn repeat(&self, function: &str) -> Repeat;

    /// Whether the host streams the function's list, one element a line.
    fn streams(&self, function: &str) -> bool;
}

/// A slot as documents describe it.
#[derive(Clone, Copy)]
pub struct Slot<'a> {
    /// Its name, such as `chat`.
    pub name: &'a str,
    /// What its component exports.
    pub contract: &'a Contract,
    /// What the manifest says of it.
    pub traits: &'a dyn SlotTraits,
}

impl<'a> Slot<'a> {
    /// The functions that JSON can call, with their interfaces, in the order of the component.
    pub(crate) fn callable(&self) -> impl Iterator<Item = (&'a Interface, &'a Function)> + use<'a> {
        let contract = self.contract;
        let all = contract.interfaces.iter().filter(|interface| interface.exported);
        all.flat_map(|interface| interface.functions.iter().map(move |one| (interface, one)))
            .filter(move |(_, function)| contract.unsupported_in(function).is_none())
    }

    /// The elements' type of a function that is streamed.
    pub(crate) fn streamed<'f>(&'f self, function: &'f Function) -> Option<&'f Type> {
        self.traits.streams(&function.name).then(|| self.contract.streamable(function)).flatten()
    }
}
