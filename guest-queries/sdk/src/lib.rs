//! What a query component is written with: Diesel over the `avenire:database` interface.
//!
//! Two lines write any query:
//!
//! ```no_run
//! use avenire_sdk::{prelude::*, schema::chat::{Chat, chat}};
//!
//! fn newest() -> Result<Vec<Chat>, Failure> {
//!     Ok(chat::table.order(chat::created_at.desc()).limit(10).load(&mut database())?)
//! }
//! ```
//!
//! Owns the mapping between Diesel and the host's interface, of queries, transactions,
//! rows and errors. Never: knows a domain, keeps anything between calls.

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod component;
pub mod connection;
#[doc(hidden)]
pub mod describe;
pub mod error;
pub mod log;
pub mod packed;
pub mod prelude;
pub mod wit;

mod memory;
mod self_test;
mod values;
mod wire;

/// The tables of the application.
pub use avenire_tables as schema;
pub use connection::HostConnection;
pub use diesel;
pub use error::Failure;
pub use self_test::Checks;
#[doc(hidden)]
pub use wit_bindgen;

/// The database, outside of any transaction. Costs nothing: connections belong to the
/// host, which lends them to statements.
pub fn database() -> HostConnection {
    HostConnection::new()
}
