//! Migrations: numbered SQL files, applied once each, in order, by any number of hosts at once.
//! Owns: the face. Never: generates SQL, changes an applied migration, guesses.

mod apply;
mod bare;
mod conflict;
mod drizzle;
mod error;
mod kind;
mod ledger;
mod lexer;
mod lock;
mod mark;
mod options;
mod outside;
mod plan;
mod position;
mod preview;
mod rollback;
mod rounds;
mod script;
mod settle;
mod source;
mod transaction;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};

pub(crate) use bare::{Refused, run_bare};
pub(crate) use kind::may_be_repeated;

pub use conflict::PlanError;
pub use drizzle::{Drizzle, DrizzleStatus};
pub use error::{Effect, Failure, MigrationError, RollbackFailure, SourceError};
pub use options::{ApplyOptions, Baselined, Extent, Mark, Marked, Order, Target};
pub use plan::{Applied, Plan, State, Unfinished, plan};
pub use position::Place;
pub use preview::{Preview, PreviewFile, PreviewStatement};
pub use script::HazardNote;
pub(crate) use source::NO_TRANSACTION;
pub use source::{Down, Migration, Transaction};

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
    /// A statement begins.
    Statement {
        /// The name of its file.
        file: String,
        /// Which one, from 1.
        number: usize,
        /// How many the file has.
        of: usize,
        /// Where it is.
        place: Place,
    },
    /// A file outside of a transaction goes on where it was interrupted.
    Resuming {
        /// The name of the file.
        file: String,
        /// How many of its statements have taken effect.
        statements: usize,
    },
    /// A migration is applied.
    Applied(Done),
    /// A migration is about to be undone.
    Undoing {
        /// The name of the file that undoes it.
        file: String,
    },
    /// A migration is undone.
    Undone(Done),
}

impl Migrations {
    /// Reads and checks a folder of `NNNN_name.sql` files; see [`SourceError`] for what is refused.
    /// `NNNN_name.down.sql` beside one undoes it. Sub folders, hidden files and files without the
    /// ending `.sql` that do not look like a migration (`README.md`) are ignored. Gaps between the
    /// numbers are allowed, since branches are merged and dropped; only their order counts. A number
    /// may be a time, `YYYYMMDDHHMMSS`.
    pub fn load(folder: &Path) -> Result<Self, SourceError> {
        Self::load_for(MAIN, folder)
    }

    /// The same for a component that brings migrations of its own: a sequence by itself, which
    /// shares the ledger and the lock with the others. `component` is a lower-case letter and up to
    /// 62 of those, digits, `_` and `-`.
    pub fn load_for(component: &str, folder: &Path) -> Result<Self, SourceError> {
        let component = named(component)?;
        Ok(Self { component, available: source::load(folder)? })
    }

    /// The same from names and texts of files, for a component that carries its migrations within
    /// itself.
    pub fn from_texts(component: &str, files: Vec<(String, String)>) -> Result<Self, SourceError> {
        let component = named(component)?;
        let files = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        Ok(Self { component, available: source::of_files(files)? })
    }

    /// The component they belong to.
    pub fn component(&self) -> &str {
        &self.component
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
        let applied = self.applied(endpoint, deadline).await?;
        let (pending, conflict) = match plan(&applied, &self.available) {
            Ok(plan) => (plan.pending.iter().map(|one| one.file.clone()).collect(), None),
            Err(conflict) => (Vec::new(), Some(conflict)),
        };
        Ok(Status { applied, pending, conflict })
    }

    async fn applied(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Vec<Applied>, MigrationError> {
        let session = Session::connect(endpoint, deadline).await?;
        let entries = lock::within(deadline, ledger::glance(&session)).await?;
        Ok(ledger::of(&entries, &self.component))
    }

    /// Applies what is pending, each migration exactly once, also when many hosts do it at the same
    /// time. A migration and its row in the ledger are one transaction, so that a failure leaves the
    /// database as it was before that migration. One that runs outside of a transaction goes on, the
    /// next time, where it was interrupted.
    ///
    /// Meant for a direct endpoint. A pooled one works, except for migrations that run outside of a
    /// transaction, which are refused there before anything is applied.
    ///
    /// With nothing pending it connects and asks one question of the ledger.
    pub async fn apply(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Report, Failure> {
        self.apply_with(ApplyOptions::default(), endpoint, deadline, progress).await
    }

    /// The same up to a version, or whatever the order.
    pub async fn apply_with(
        &self,
        options: ApplyOptions,
        endpoint: &Endpoint,
        deadline: Instant,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Report, Failure> {
        let mut reports = apply::apply(&[self], options, endpoint, deadline, progress).await?;
        Ok(reports.pop().unwrap_or_default())
    }

    /// Applies what is pending of several components, in the order given. What could not be applied
    /// of any of them is refused before anything is. One report for each.
    pub async fn apply_all(
        components: &[&Migrations],
        order: Order,
        endpoint: &Endpoint,
        deadline: Instant,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Vec<Report>, Failure> {
        let options = ApplyOptions { order, to: Target::Latest };
        apply::apply(components, options, endpoint, deadline, progress).await
    }

    /// What [`Self::apply_with`] would do. Changes nothing.
    pub async fn preview(
        &self,
        options: ApplyOptions,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Preview, MigrationError> {
        let applied = self.applied(endpoint, deadline).await?;
        let plan = plan::plan_with(&applied, &self.available, options)?;
        let mut files = Vec::new();
        for (number, migration) in plan.pending.iter().enumerate() {
            let resume = plan.resume.as_ref().filter(|_| number == 0);
            let done = resume.map_or(0, |unfinished| unfinished.statements);
            files.push(preview::file(migration.version, migration.script(), done)?);
        }
        Ok(Preview { files, already: plan.already })
    }

    /// Undoes applied migrations by the files beside them, the newest first, each together with its
    /// row in the ledger. Refused, before anything happens, when one of them has no such file, was
    /// changed, or deletes data and `accept` does not contain `deletes-data`. What it undid, in
    /// that order.
    pub async fn rollback(
        &self,
        extent: Extent,
        accept: &BTreeSet<String>,
        endpoint: &Endpoint,
        deadline: Instant,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Vec<Done>, RollbackFailure> {
        rollback::rollback(self, extent, accept, endpoint, deadline, progress).await
    }

    /// What [`Self::rollback`] would do, hazards included. Changes nothing.
    pub async fn preview_rollback(
        &self,
        extent: Extent,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Preview, MigrationError> {
        let applied = self.applied(endpoint, deadline).await?;
        let mut files = Vec::new();
        for (migration, down) in rollback::list(&applied, &self.available, extent)? {
            let row = applied.iter().find(|row| row.version == migration.version);
            let unfinished = row.and_then(|row| row.unfinished.as_ref());
            let done = unfinished.map_or(0, |unfinished| unfinished.statements);
            files.push(preview::file(migration.version, down.script(), done)?);
        }
        Ok(Preview { files, already: applied.len() })
    }

    /// Records a migration as applied or as not applied, without running it; also one that was
    /// interrupted. There must be a file with that number.
    pub async fn mark(
        &self,
        version: i64,
        mark: Mark,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Marked, MigrationError> {
        mark::mark(self, version, mark, endpoint, deadline).await
    }

    /// Adopts a database that has its schema already: records all migrations up to a version as
    /// applied. Refused when the ledger has others, or changed ones. With Drizzle's migrations also
    /// when one of those is pending.
    pub async fn baseline(
        &self,
        up_to: i64,
        drizzle: Option<&Drizzle>,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<Baselined, MigrationError> {
        mark::baseline(self, up_to, drizzle, endpoint, deadline).await
    }
}

fn named(component: &str) -> Result<String, SourceError> {
    if options::names_a_component(component) {
        return Ok(component.to_owned());
    }
    let component = component.chars().take(80).collect();
    Err(SourceError::BadComponent { component })
}

/// The statements of a text, without their semicolons; nothing of one that is never closed.
pub(crate) fn statements_of(text: &str) -> Vec<&str> {
    let statements = lexer::statements(text).unwrap_or_default();
    statements.into_iter().map(|statement| statement.text).collect()
}

impl Drizzle {
    /// Which of Drizzle's migrations a database has. Changes nothing.
    pub async fn status(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<DrizzleStatus, MigrationError> {
        let session = Session::connect(endpoint, deadline).await?;
        let rows = lock::within(deadline, drizzle::rows(&session)).await?;
        Ok(self.compare(&rows))
    }
}
