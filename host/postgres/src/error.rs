//! What can go wrong between the host and Postgres, in one type. Owns the error
//! enum and its questions (retryable? executed? what to do?). Never holds a
//! password or SQL text, and never decides whether to retry.

use std::borrow::Cow;
use std::fmt;

use crate::endpoint::UrlError;

/// Why a statement or a connection has no result.
///
/// `Display` is one clause without the hint; [`Error::hint`] says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Postgres refused or aborted the statement. Nothing of it took effect.
    #[error("{0}")]
    Database(Box<DatabaseError>),
    /// The statement returned more rows than it may.
    #[error("the statement returned more than {maximum} rows")]
    RowLimit {
        /// How many it might have returned.
        maximum: u64,
    },
    /// The statement returned more bytes of rows than it may.
    #[error("the statement returned more than {maximum} bytes of rows")]
    ByteLimit {
        /// How many it might have returned.
        maximum: u64,
    },
    /// The deadline passed.
    #[error("the deadline passed while waiting for {waiting_for}")]
    Timeout {
        /// What was waited for.
        waiting_for: WaitingFor,
    },
    /// No connection could be had, or it was lost.
    #[error("{0}")]
    Unavailable(Box<Unavailable>),
    /// The statement is not allowed here. Nothing was executed.
    #[error("the statement `{statement}` is not allowed here: {instead}")]
    Denied {
        /// The keywords that were refused, in upper case.
        statement: String,
        /// What to use instead.
        instead: &'static str,
    },
    /// The request itself is malformed. Nothing was executed.
    #[error("{reason}")]
    Invalid {
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// The connection string can not be used.
    #[error("{0}")]
    Url(#[from] UrlError),
}

/// What a deadline cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// A connection: nothing was executed.
    Connection,
    /// Postgres' answer: outside of a transaction it is unknown whether a writing
    /// statement took effect.
    Answer,
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WaitingFor::Connection => "a connection",
            WaitingFor::Answer => "an answer",
        })
    }
}

/// Everything Postgres says of a failure (PostgreSQL documentation, "Error and
/// Notice Message Fields").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseError {
    /// SQLSTATE, five characters.
    pub code: String,
    /// `ERROR`, `FATAL` or `PANIC`, not localised where the server tells.
    pub severity: String,
    /// The primary message.
    pub message: String,
    /// A secondary message; may contain values, so it is passed on and not logged.
    pub detail: Option<String>,
    /// What Postgres suggests to do.
    pub hint: Option<String>,
    /// Schema of the object concerned.
    pub schema: Option<String>,
    /// Table concerned.
    pub table: Option<String>,
    /// Column concerned.
    pub column: Option<String>,
    /// Data type concerned.
    pub data_type: Option<String>,
    /// Constraint that was violated.
    pub constraint: Option<String>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)
    }
}

/// Why there is no connection, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The class of the failure.
    pub cause: UnavailableCause,
    /// One clause: which server, what happened. Without the password.
    pub message: String,
    /// SQLSTATE, where Postgres or a pooler gave one.
    pub code: Option<String>,
    /// Whether the statement may have been executed.
    pub execution: Execution,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Whether a statement that has no result may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// It never reached Postgres, or Postgres refused it: safe to run again.
    NotExecuted,
    /// It was sent and the answer is missing.
    Unknown,
}

/// The classes of connection failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnavailableCause {
    /// Nothing listens there, or the network refuses.
    Unreachable,
    /// The name of the host has no address.
    UnknownHost,
    /// The TLS handshake or its verification failed.
    Tls,
    /// Wrong user or password, or a rule of `pg_hba.conf` or of the provider.
    Authentication,
    /// The database does not exist.
    UnknownDatabase,
    /// All connections are taken.
    TooManyConnections,
    /// The server is starting, stopping, or waking up.
    Starting,
    /// A setting in the URL is refused by the server or the pooler.
    Configuration,
    /// The connection was established and broke.
    Lost,
    /// The pool was closed.
    Closed,
    /// Anything else the server said while connecting.
    Refused,
}

impl UnavailableCause {
    /// Whether connecting again may help without anyone changing anything.
    pub(crate) fn is_transient(self) -> bool {
        matches!(
            self,
            UnavailableCause::Unreachable
                | UnavailableCause::TooManyConnections
                | UnavailableCause::Starting
                | UnavailableCause::Lost
        )
    }
}

impl Error {
    /// SQLSTATE of the failure, where there is one.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Error::Database(error) => Some(&error.code),
            Error::Unavailable(error) => error.code.as_deref(),
            _ => None,
        }
    }

    /// What to do about it, as a sentence without a full stop.
    pub fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Error::Database(error) => error.hint.as_deref().map(Cow::Borrowed),
            Error::Unavailable(error) => error.hint.as_deref().map(Cow::Borrowed),
            Error::Timeout { waiting_for: WaitingFor::Connection } => Some(Cow::Borrowed(
                "all connections were busy or the server did not answer; raise the deadline or the number of connections, or end transactions sooner",
            )),
            Error::Url(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether connecting again may succeed: nothing was executed and the cause
    /// passes by itself.
    pub fn is_retryable_connect(&self) -> bool {
        matches!(self, Error::Unavailable(error)
            if error.execution == Execution::NotExecuted && error.cause.is_transient())
    }

    /// Whether Postgres asks to run the whole transaction again
    /// (PostgreSQL documentation, "Serialization Failure Handling").
    pub fn is_serialization_failure(&self) -> bool {
        matches!(self.sqlstate(), Some("40001" | "40P01"))
    }

    /// Whether the statement may have taken effect although it has no result.
    pub fn execution(&self) -> Execution {
        match self {
            Error::Unavailable(error) => error.execution,
            Error::Timeout { waiting_for: WaitingFor::Answer }
            | Error::RowLimit { .. }
            | Error::ByteLimit { .. } => Execution::Unknown,
            _ => Execution::NotExecuted,
        }
    }

    /// A request that is wrong by itself; nothing was sent.
    pub fn invalid(reason: impl Into<Cow<'static, str>>) -> Error {
        Error::Invalid { reason: reason.into() }
    }

    /// The answer Postgres gives inside of a failed transaction.
    pub(crate) fn failed_transaction(message: &str) -> Error {
        Error::Database(Box::new(DatabaseError {
            code: "25P02".to_owned(),
            severity: "ERROR".to_owned(),
            message: message.to_owned(),
            ..DatabaseError::default()
        }))
    }

    pub(crate) fn closed_pool() -> Error {
        Error::Unavailable(Box::new(Unavailable {
            cause: UnavailableCause::Closed,
            message: "the connection pool is closed".to_owned(),
            code: None,
            execution: Execution::NotExecuted,
            hint: None,
        }))
    }
}

/// The first failure of an atomic batch; nothing of the batch took effect.
#[derive(Debug, Clone, thiserror::Error)]
#[error("statement {index} of the batch failed: {error}")]
pub struct BatchError {
    /// Position of the statement from 0; the number of statements when the
    /// failure is not one statement's.
    pub index: usize,
    /// What happened.
    pub error: Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_before_execution_may_be_connected_again() {
        let unavailable = |cause, execution| {
            Error::Unavailable(Box::new(Unavailable {
                cause,
                message: String::new(),
                code: None,
                execution,
                hint: None,
            }))
        };
        let lost = UnavailableCause::Lost;
        assert!(unavailable(lost, Execution::NotExecuted).is_retryable_connect());
        assert!(!unavailable(lost, Execution::Unknown).is_retryable_connect());
        let tls = UnavailableCause::Tls;
        assert!(!unavailable(tls, Execution::NotExecuted).is_retryable_connect());
    }

    #[test]
    fn a_deadlock_asks_for_the_transaction_to_be_run_again() {
        let error = Error::Database(Box::new(DatabaseError {
            code: "40P01".to_owned(),
            ..DatabaseError::default()
        }));
        assert!(error.is_serialization_failure());
        assert!(!Error::invalid("x").is_serialization_failure());
    }
}
