//! The database schema over time: the migrations and their ledger.
//! Never: serves queries, names the Postgres driver, knows of components' code.

mod migrations;

pub use migrations::{
    Applied, Done, Effect, Failure, Migration, MigrationError, Migrations, Place, Plan, PlanError,
    Progress, Report, SourceError, State, Status, Transaction, plan,
};
