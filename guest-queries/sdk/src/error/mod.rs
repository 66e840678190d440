//! Errors on their way from the host through Diesel to a contract's `failure`. Owns both
//! translations. Never: drops what Postgres said; SQLSTATE and constraint survive.

mod database;
mod failure;
mod registry;

pub use database::{host_error, sqlstate};
pub use failure::{Failure, conflict, forbidden, invalid, not_found};

pub(crate) use database::{from_host, from_malformed};
