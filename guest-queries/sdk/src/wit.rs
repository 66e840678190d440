//! The types that all contracts share, as the WIT packages `avenire:types` and
//! `avenire:database` name them. Nothing of its own.

pub use crate::bindings::avenire::database::types::{DatabaseError, Error, LimitError, LimitKind};
pub use crate::bindings::avenire::types::failures::{Conflict, Failure, InvalidArgument};
pub use crate::bindings::avenire::types::values::{Json, Timestamp};
