//! The language in which a schema is written: the `schema! { … }` blocks of schema modules.
//!
//! Owns the syntax tree, the parser, the checks, the DDL, the description that components carry,
//! and the printer. Never: touches a database or a compiler; that is left to the host and to the
//! proc macro, which share this crate so that both understand the same thing.

mod builtin;
mod check;
mod clauses;
mod ddl;
mod definitions;
pub mod description;
mod error;
mod parse;
mod print;
pub mod rust;
#[cfg(feature = "serde")]
mod section;
mod syntax;

pub use check::{Problem, check_block};
pub use ddl::{Ddl, ddl};
pub use definitions::Definitions;
pub use description::Description;
pub use error::DefinitionError;
pub use parse::{Block, Spans, parse_block, parse_file};
pub use print::print;
#[cfg(feature = "serde")]
pub use section::NotADescription;
pub use syntax::*;
