//! Runs a file in the transaction that is open, and tells which failure means what.
//! Never: begins or ends a transaction, writes to the ledger.

use std::time::{Duration, Instant};

use avenire_postgres::{Error, Session, UnavailableCause};

use super::Progress;
use super::conflict::PlanError;
use super::error::{Effect, MigrationError};
use super::lexer::Statement;
use super::position::Place;
use super::script::Script;

/// Who is told of each step.
pub(super) type Told<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// What came of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// All of it, in so much time.
    Through(Duration),
    /// A table was in use; it is to be tried again.
    Locked,
}

/// Runs all statements of a file. After a failure, and when it is to be tried again, the caller
/// rolls back.
pub(super) async fn run(
    session: &Session,
    script: Script<'_>,
    deadline: Instant,
    told: Told<'_>,
) -> Result<Ran, MigrationError> {
    let begun = Instant::now();
    let statements = statements(script)?;
    for (number, statement) in statements.iter().enumerate() {
        told(step(script, &statements, number));
        match session.batch(statement.text).await {
            Err(error) if is_lock_conflict(&error) => return Ok(Ran::Locked),
            Err(error) if ran_out_of_time(&error, deadline) => {
                let (file, place) = (script.file.to_owned(), script.place(*statement));
                return Err(MigrationError::Deadline { file, place });
            }
            Err(error) => return Err(failed(script, *statement, error, Effect::None)),
            Ok(()) => {}
        }
    }
    // A migration may have changed who we are or where names are looked up.
    session.batch("reset role; set local search_path = pg_catalog").await?;
    Ok(Ran::Through(begun.elapsed()))
}

/// They were read without a complaint when the file was.
pub(super) fn statements(script: Script<'_>) -> Result<Vec<Statement<'_>>, MigrationError> {
    let changed = |_| PlanError::Changed { file: script.file.to_owned() };
    Ok(script.statements().map_err(changed)?)
}

/// That a statement begins; `number` counts from 0.
pub(super) fn step(script: Script<'_>, all: &[Statement<'_>], number: usize) -> Progress {
    let place = all.get(number).map_or(Place { line: 1, column: 1 }, |one| script.place(*one));
    Progress::Statement { file: script.file.to_owned(), number: number + 1, of: all.len(), place }
}

pub(super) fn failed(
    script: Script<'_>,
    statement: Statement<'_>,
    error: Error,
    effect: Effect,
) -> MigrationError {
    let position = match &error {
        Error::Database(about) => about.position.and_then(|at| usize::try_from(at).ok()),
        _ => None,
    };
    // Without a position the statement is all that is known.
    let place = Place::of_position(script.sql, statement.start, position.unwrap_or(1));
    MigrationError::Statement { file: script.file.to_owned(), place, error, effect }
}

/// Either our clock says so, or Postgres, which was told the deadline (`query_canceled`).
pub(super) fn ran_out_of_time(error: &Error, deadline: Instant) -> bool {
    let soon = Instant::now() + Duration::from_millis(100);
    matches!(error, Error::Timeout { .. })
        || (error.sqlstate() == Some("57014") && soon >= deadline)
}

/// `lock_not_available` and `deadlock_detected` (PostgreSQL documentation, Appendix A).
pub(super) fn is_lock_conflict(error: &Error) -> bool {
    matches!(error, Error::Database(_)) && matches!(error.sqlstate(), Some("55P03" | "40P01"))
}

pub(super) fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Unavailable(about) if about.cause == UnavailableCause::Lost)
}

/// Whether the connection is gone, and a new one may go on.
pub(super) fn lost_connection(error: &MigrationError) -> bool {
    match error {
        MigrationError::Database(error) | MigrationError::Statement { error, .. } => is_lost(error),
        _ => false,
    }
}
