//! Loads query components and calls their functions inside a sandbox.
//!
//! The crate owns the WebAssembly engine, the database interface that guests
//! import, and the limits of every call. It is the only place that names
//! `wasmtime`. It never opens a connection itself (that is `avenire-postgres`),
//! never reads a manifest, never prints, and knows no domain: a component is
//! known by what it exports.
//!
//! The way of one call: a [`Slot`] holds the serving [`Component`]; a call takes
//! a place in the slot's queue, gets a fresh instance with its own [`Limits`],
//! turns JSON into the function's argument types, runs, and turns the result
//! back. Nothing of an instance outlives its call.

mod component;
mod database;
mod declared;
mod error;
mod json;
mod limits;
mod sandbox;
mod slot;
mod state;
mod turns;

pub use component::{Cache, Component, Function, is_compatible, read};
pub use declared::{Declared, Repeat};
pub use error::{Blame, CallError, Doing, LoadError};
pub use json::{PARSERS_OWN_KEY, camel_case, type_name};
pub use limits::{Limits, Terms};
pub use sandbox::{Sandbox, SandboxOptions};
pub use slot::{
    Call, CanaryTerms, Drained, Fault, FellBack, Outcome, Probation, Published, Slot, SlotFigures,
    SwapError, Tally,
};
pub use state::Usage;
