//! The database schema: what a database has, what the schema modules say it should have, the
//! migrations that lead from the one to the other, and their ledger.
//!
//! [`migrations`](Migrations) applies and undoes files. [`generate`] writes them: [`modules`] are
//! read, [`scratch`] databases are made of them and of the existing migrations, [`catalog`]s are
//! read from both, [`renames`] settled, the rest compared ([`diff`]), planned ([`plan`]) and proven
//! ([`revision`]). [`push`], [`pull`] and [`drift`] use the same parts. [`check`] judges files.
//!
//! Never: serves queries, names the Postgres driver, knows of components' code.

pub mod catalog;
pub mod check;
pub mod diff;
pub mod drift;
pub mod generate;
mod migrations;
pub mod modules;
pub mod plan;
pub mod pull;
pub mod push;
pub mod renames;
pub mod revision;
pub mod scratch;
pub mod snapshot;

pub use avenire_definitions as definitions;

pub use migrations::{
    Applied, ApplyOptions, Baselined, Done, Down, Drizzle, DrizzleStatus, Effect, Extent, Failure,
    HazardNote, Mark, Marked, Migration, MigrationError, Migrations, Order, Place, Plan, PlanError,
    Preview, PreviewFile, PreviewStatement, Progress, Report, RollbackFailure, SourceError, State,
    Status, Target, Transaction, Unfinished, plan,
};
