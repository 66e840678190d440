//! The packed formats of `avenire:database/types`: parameters out, rows in. Owns the
//! bytes' layout and every check on it. Never: calls the host, knows of Diesel's queries.

mod parameters;
mod rows;

pub(crate) use parameters::{Parameter, pack};
pub(crate) use rows::{Batch, Malformed};
