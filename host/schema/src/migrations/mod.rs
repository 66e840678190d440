//! Migrations: numbered SQL files, applied once each, in order, by any number of hosts at once.
//! Owns: the face. Never: generates SQL, changes an applied migration, guesses.

mod apply;
mod error;
mod ledger;
mod lexer;
mod lock;
mod plan;
mod position;
mod source;

use std::path::Path;
use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};

pub use error::{Effect, Failure, MigrationError, SourceError};
pub use plan::{Applied, Plan, PlanError, State, plan};
pub use position::Place;
pub use source::{Migration, Transaction};

/// The component that the project's own migrations belong to.
const MAIN: &str = "main";

/// The migrations of one component, the lowest version first.
#[derive(Clone, Debug)]
pub struct Migrations {
    component: String,
    available: Vec<Migration>,
}

/// A migration that [`Migrations::apply`] has applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its number.
    pub version: i64,
    /// The name of its file.
    pub file: String,
    /// How long its statements took, the waiting for locks included.
    pub took: Duration,
}

/// What [`Migrations::apply`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What it applied, in order.
    pub applied: Vec<Done>,
    /// How many migrations had been applied before, by whomever.
    pub already: usize,
    /// Something that works but could be better, one sentence without a full stop.
    pub advice: Option<String>,
}

/// What the ledger and the folder say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What the ledger has, the lowest version first.
    pub applied: Vec<Applied>,
    /// The files of the migrations that are not applied, in order; empty when `conflict` is some.
    pub pending: Vec<String>,
    /// Why nothing can be applied.
    pub conflict: Option<PlanError>,
}

/// A step of [`Migrations::apply`], told as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another host migrates; we wait for it.
    WaitingForOther,
    /// A migration begins.
    Applying {
        /// The name of its file.
        file: String,
    },
    /// The migration could not get a lock on a table; it was rolled back and is tried again.
    WaitingForLocks {
        /// The name of its file.
        file: String,
    },
    /// A migration is applied.
    Applied(Done),
}

impl Migrations {
    /// Reads and checks a folder of `NNNN_name.sql` files; see [`SourceError`] for what is refused.
    /// Sub folders, hidden files and files without the ending `.sql` that do not look like a
    /// migration (`README.md`) are ignored. Gaps between the numbers are allowed, since branches
    /// are merged and dropped; only their order counts.
    pub fn load(folder: &Path) -> Result<Self, SourceError> {
        Ok(Self { component: MAIN.to_owned(), available: source::load(folder)? })
    }

    /// The migrations, the lowest version first.
    pub fn available(&self) -> &[Migration] {
        &self.available
    }

    /// Compares the ledger with the folder. Changes nothing: a database without a ledger has
    /// applied nothing.
    pub async fn status(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Status, MigrationError> {
        let session = Session::connect(endpoint, deadline).await?;
        let applied = lock::within(deadline, ledger::read(&session, &self.component)).await?;
        let (pending, conflict) = match plan(&applied, &self.available) {
            Ok(plan) => (plan.pending.iter().map(|one| one.file.clone()).collect(), None),
            Err(conflict) => (Vec::new(), Some(conflict)),
        };
        Ok(Status { applied, pending, conflict })
    }

    /// Applies what is pending, each migration exactly once, also when many hosts do it at the same
    /// time. A migration and its row in the ledger are one transaction, so that a failure leaves the
    /// database as it was before that migration.
    ///
    /// Meant for a direct endpoint. A pooled one works, except for migrations that run outside of a
    /// transaction, which are refused there before anything is applied.
    pub async fn apply(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Report, Failure> {
        apply::apply(&self.component, &self.available, endpoint, deadline, progress).await
    }
}
