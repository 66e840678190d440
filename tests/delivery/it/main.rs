//! Tests of how components reach a host, against a real Postgres and a real file system.

mod folder;
mod listen;
mod registry;
mod trust;
