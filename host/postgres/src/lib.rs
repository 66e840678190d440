//! Postgres as the host uses it.

pub mod embedded;
