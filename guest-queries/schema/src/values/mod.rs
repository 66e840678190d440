//! Rust types for column values where Diesel's own would lose something or do needless
//! work. Owns their translation from and to Postgres' binary format.

mod json;
mod network;
mod text_enum;
mod timestamp;

pub use json::Json;
pub use network::{Network, PrefixTooLong};
pub use timestamp::Timestamp;

pub(crate) use text_enum::text_enum;
