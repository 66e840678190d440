//! Runs definitions whose order is not known to be right, in a database that is thrown away.
//! Never: undoes what came before a failure.

use avenire_postgres::{Error, Session};

/// One statement that defines something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The statement, with or without a semicolon.
    pub sql: String,
    /// What it defines, such as `table chat`.
    pub what: String,
    /// Where it was written, such as `guest-queries/schema/src/chat.rs:12:5`.
    pub place: String,
}

/// Why definitions could not be run. The database is of no use then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionsError {
    /// Postgres refused one.
    #[error("{place}: {what} is refused: {error}")]
    Refused {
        /// What is defined.
        what: String,
        /// Where.
        place: String,
        /// What Postgres says.
        error: Error,
    },
    /// The database could not be reached, or failed otherwise.
    #[error(transparent)]
    Database(#[from] Error),
}

impl DefinitionsError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        let (Self::Refused { error, .. } | Self::Database(error)) = self;
        error.hint().map(std::borrow::Cow::into_owned)
    }

    /// SQLSTATE, where Postgres gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        let (Self::Refused { error, .. } | Self::Database(error)) = self;
        error.sqlstate()
    }
}

/// Names are looked up where generated SQL has them looked up, the bodies of functions may mention
/// what is defined later, and nobody misses what a crash loses.
const BEGIN: &str = "
set search_path = public;
set check_function_bodies = off;
set synchronous_commit = off";

const END: &str = "reset search_path; reset check_function_bodies; reset synchronous_commit";

/// Runs statements in rounds: what fails because something is not there yet is put off until the
/// next. When a round gets nowhere, its first failure is the error. Each is a transaction of its
/// own, since a large schema needs more locks than one may take. The session must not be inside of
/// a transaction.
///
/// # Errors
/// [`DefinitionsError`], with what came before it defined.
pub async fn run_definitions(
    session: &Session,
    statements: &[Statement],
) -> Result<(), DefinitionsError> {
    session.batch(BEGIN).await?;
    let ran = rounds(session, statements).await;
    let ended = session.batch(END).await;
    ran?;
    Ok(ended?)
}

async fn rounds(session: &Session, statements: &[Statement]) -> Result<(), DefinitionsError> {
    let mut open: Vec<&Statement> = statements.iter().collect();
    while !open.is_empty() {
        let mut put_off = Vec::new();
        let mut first = None;
        for statement in &open {
            match session.batch(&statement.sql).await {
                Ok(()) => {}
                Err(error) if is_missing(&error) => {
                    put_off.push(*statement);
                    first.get_or_insert((*statement, error));
                }
                Err(error) => return Err(refused(statement, error)),
            }
        }
        match first {
            Some((statement, error)) if put_off.len() == open.len() => {
                return Err(refused(statement, error));
            }
            _ => open = put_off,
        }
    }
    Ok(())
}

/// Something is not there: a table, a function, another object, a schema, a column, or the key that
/// a foreign key refers to (PostgreSQL documentation, Appendix A).
fn is_missing(error: &Error) -> bool {
    let code = error.sqlstate();
    matches!(error, Error::Database(_))
        && matches!(code, Some("42P01" | "42883" | "42704" | "3F000" | "42703" | "42830"))
}

fn refused(statement: &Statement, error: Error) -> DefinitionsError {
    let Statement { what, place, .. } = statement.clone();
    match error {
        Error::Database(_) => DefinitionsError::Refused { what, place, error },
        error => DefinitionsError::Database(error),
    }
}
