//! Exit codes: one for each class of failure.

use std::process::ExitCode;

use avenire_app::AppError;
use avenire_app::engine::{Blame, CallError};

/// How the program ends. The numbers are part of the command line's contract;
/// 2 is clap's, for a wrong command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The function answered with its failure case, or a check found something.
    Failure = 1,
    /// The caller is at fault.
    Caller = 3,
    /// A component is at fault.
    Component = 4,
    /// The database is.
    Database = 5,
    /// The host or its machine is.
    Host = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Caller => Self::Caller,
            Blame::Guest => Self::Component,
            Blame::Database => Self::Database,
            Blame::Host => Self::Host,
        }
    }
}

impl Exit {
    /// The code for an error, by whose fault it is.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        blame(error).map_or(Self::Host, Self::from)
    }
}

/// Whose fault an error is, if it says so.
pub(crate) fn blame(error: &anyhow::Error) -> Option<Blame> {
    error
        .downcast_ref::<AppError>()
        .map(AppError::blame)
        .or_else(|| error.downcast_ref::<CallError>().map(CallError::blame))
        .or_else(|| error.downcast_ref::<BadArgument>().map(|_| Blame::Caller))
}

/// What to do about an error, if it says so.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error
        .downcast_ref::<AppError>()
        .and_then(AppError::hint)
        .or_else(|| error.downcast_ref::<CallError>()?.hint().map(str::to_owned))
        .or_else(|| error.downcast_ref::<BadArgument>().map(|error| error.hint.clone()))
}

/// Something typed that clap can not judge.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct BadArgument {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// SQLSTATE and the objects concerned, when the database is the cause.
pub(crate) fn database_facts(error: &anyhow::Error) -> Option<serde_json::Value> {
    let of_migration = error.downcast_ref::<AppError>().and_then(AppError::of_migration);
    let in_chain = || error.chain().find_map(|e| e.downcast_ref::<avenire_app::postgres::Error>());
    let error = of_migration.or_else(in_chain)?;
    let avenire_app::postgres::Error::Database(error) = error else { return None };
    Some(serde_json::json!({
        "code": error.code, "message": error.message, "schema": error.schema, "table": error.table,
        "column": error.column, "constraint": error.constraint,
    }))
}
