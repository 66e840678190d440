//! What components promise, as data: functions, types and their documentation; and the documents
//! made of it: JSON Schema, OpenAPI and a TypeScript client.
//!
//! Owns the model of a contract and the description of its JSON form, which is that of the
//! engine. Never runs a component, never opens a connection. Pure: the same input gives the same
//! bytes.

mod docs;
mod error;
mod model;
mod names;
mod openapi;
pub mod protocol;
mod read;
mod slot;
mod typescript;
mod usage;

pub use docs::{DOCS_SECTION, with_docs};
pub use error::ContractError;
pub use model::{
    Case, Contract, Definition, Field, Function, Interface, Label, NamedType, Type, TypeName,
};
pub use names::camel_case;
pub use openapi::{Info, openapi};
pub use slot::{Repeat, Slot, SlotTraits};
pub use typescript::typescript;
