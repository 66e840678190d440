//! Rust types for column values where Diesel's own would lose something or do needless
//! work, and the names of those that it takes from elsewhere. Owns their translation from
//! and to Postgres' binary format. Never: knows a table.

mod json;
mod network;
mod opaque;
mod text_enum;
mod timestamp;

pub use bigdecimal::BigDecimal;
pub use chrono::{NaiveDate, NaiveTime};
#[doc(hidden)]
pub use diesel;
pub use json::Json;
pub use network::{Network, PrefixTooLong};
pub use opaque::{Opaque, OpaqueType};
pub use timestamp::Timestamp;
pub use uuid::Uuid;
