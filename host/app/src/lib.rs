//! From a manifest to a running host.
//!
//! Owns the manifest, the choice of the database, the components' roles, the
//! building of components, and the order of starting. Never prints, never parses
//! arguments, and names neither the WebAssembly engine nor the Postgres driver:
//! those are `avenire-engine`'s and `avenire-postgres`'.

mod build;
mod contract;
mod data;
mod direct;
mod doctor;
mod error;
mod fit;
mod host;
mod http;
pub mod manifest;
mod project;
mod roles;
mod schema_tools;
mod sections;
mod service;
mod ship;
mod signatures;
mod targets;

pub use build::{Built, build};
pub use data::{seed, seed_once};
pub use doctor::{Check, Verdict, doctor};
pub use error::AppError;
pub use host::{Artifact, Checked, Host, Selection, check, check_file, unknown_component};
pub use http::{bind, openapi, typescript};
pub use project::Project;
pub use roles::role_name;
pub use schema_tools::{
    Adopted, BaselineOptions, Changes, CheckReport, PullOptions, Pulled, Push, Rollback, Workbench,
    baseline, check_migrations, empty_migration, generate, mark, migrate, migration_plan,
    migration_status, pull, push, renumber_migrations, rollback, verify,
};
pub use sections::with_migrations;
pub use service::{Notice, ServeOptions, Service};
pub use ship::{Shipment, Shipping};
pub use signatures::{Signature, signatures};
pub use targets::{BINARIES_VARIABLE, Embedding, Targets};

pub use avenire_delivery as delivery;
pub use avenire_engine as engine;
pub use avenire_postgres as postgres;
pub use avenire_schema as schema;
pub use avenire_server as server;
