//! From the host's errors to Diesel's, and back to the host's.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use std::sync::Arc;

use super::registry::{self, Registered};
use crate::bindings::avenire::database::types::{DatabaseError, Error, LimitError, LimitKind};
use crate::wire::Malformed;

/// The host's error as Diesel has it. `DatabaseErrorKind::Unknown` where Diesel has no
/// kind of its own; `sqlstate` tells more.
pub(crate) fn from_host(error: Error) -> DieselError {
    let kind = kind(&error);
    let summary = summary(&error);
    DieselError::DatabaseError(kind, Registered::new(error, summary))
}

/// The host broke the packed format.
pub(crate) fn from_malformed(malformed: &Malformed) -> DieselError {
    from_host(Error::Other(malformed.to_string()))
}

/// The host's error behind one of Diesel's, complete with everything Postgres said. None
/// for errors that arose in the component, such as `NotFound`.
pub fn host_error(error: &DieselError) -> Option<Error> {
    shared_host_error(error).map(|error| (*error).clone())
}

/// The SQLSTATE behind one of Diesel's errors (PostgreSQL documentation, "PostgreSQL Error
/// Codes"). None for errors that are not Postgres'.
pub fn sqlstate(error: &DieselError) -> Option<String> {
    match &*shared_host_error(error)? {
        Error::Database(error) => Some(error.code.clone()),
        _ => None,
    }
}

pub(super) fn shared_host_error(error: &DieselError) -> Option<Arc<Error>> {
    match error {
        DieselError::DatabaseError(_, information) => registry::find(&**information),
        DieselError::RollbackErrorOnCommit { commit_error, .. } => shared_host_error(commit_error),
        _ => None,
    }
}

impl Registered {
    fn database(&self) -> Option<&DatabaseError> {
        match self.error() {
            Error::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl DatabaseErrorInformation for Registered {
    fn message(&self) -> &str {
        self.database().map_or(self.summary(), |error| &error.message)
    }

    fn details(&self) -> Option<&str> {
        self.database()?.detail.as_deref()
    }

    fn hint(&self) -> Option<&str> {
        self.database()?.hint.as_deref()
    }

    fn table_name(&self) -> Option<&str> {
        self.database()?.table.as_deref()
    }

    fn column_name(&self) -> Option<&str> {
        self.database()?.column.as_deref()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.database()?.constraint.as_deref()
    }

    fn statement_position(&self) -> Option<i32> {
        self.database()?.position.and_then(|position| position.try_into().ok())
    }
}

fn kind(error: &Error) -> DatabaseErrorKind {
    match error {
        Error::Database(error) => kind_of_code(&error.code),
        Error::Unavailable(_) => DatabaseErrorKind::ClosedConnection,
        Error::Invalid(_) => DatabaseErrorKind::UnableToSendCommand,
        Error::Limit(_) | Error::Timeout(_) | Error::Denied(_) | Error::Other(_) => {
            DatabaseErrorKind::Unknown
        }
    }
}

fn kind_of_code(code: &str) -> DatabaseErrorKind {
    match code {
        "23001" => DatabaseErrorKind::RestrictViolation,
        "23502" => DatabaseErrorKind::NotNullViolation,
        "23503" => DatabaseErrorKind::ForeignKeyViolation,
        "23505" => DatabaseErrorKind::UniqueViolation,
        "23514" => DatabaseErrorKind::CheckViolation,
        "23P01" => DatabaseErrorKind::ExclusionViolation,
        "25006" => DatabaseErrorKind::ReadOnlyTransaction,
        "40001" => DatabaseErrorKind::SerializationFailure,
        // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout.
        "57P01" | "57P02" | "57P03" | "57P05" => DatabaseErrorKind::ClosedConnection,
        _ if code.starts_with("08") => DatabaseErrorKind::ClosedConnection,
        _ => DatabaseErrorKind::Unknown,
    }
}

fn summary(error: &Error) -> String {
    match error {
        // Its own message is used.
        Error::Database(_) => String::new(),
        Error::Limit(LimitError { kind, maximum }) => {
            let of = match kind {
                LimitKind::Statements => "statements a call",
                LimitKind::Rows => "rows a call",
                LimitKind::ResultBytes => "bytes of rows a call",
                LimitKind::StatementBytes => "bytes a statement",
                LimitKind::Handles => "open cursors and transactions",
            };
            format!("the budget of {maximum} {of} is used up")
        }
        Error::Timeout(text) => format!("the deadline passed: {text}"),
        Error::Unavailable(text) => format!("the database can not be reached: {text}"),
        Error::Denied(text) => format!("the host does not allow this: {text}"),
        Error::Invalid(text) => format!("the request is malformed: {text}"),
        Error::Other(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(code: &str) -> Error {
        Error::Database(DatabaseError {
            code: code.into(),
            severity: "ERROR".into(),
            message: "the message".into(),
            detail: Some("the detail".into()),
            hint: Some("the hint".into()),
            schema: Some("the schema".into()),
            table: Some("the table".into()),
            column: Some("the column".into()),
            data_type: None,
            constraint: Some("the constraint".into()),
            position: Some(7),
        })
    }

    #[test]
    fn diesel_learns_everything_it_asks_for() {
        let DieselError::DatabaseError(kind, information) = from_host(violation("23505")) else {
            panic!("not a database error");
        };
        assert_eq!(kind, DatabaseErrorKind::UniqueViolation);
        assert_eq!(information.message(), "the message");
        assert_eq!(information.details(), Some("the detail"));
        assert_eq!(information.hint(), Some("the hint"));
        assert_eq!(information.table_name(), Some("the table"));
        assert_eq!(information.column_name(), Some("the column"));
        assert_eq!(information.constraint_name(), Some("the constraint"));
        assert_eq!(information.statement_position(), Some(7));
    }

    #[test]
    fn the_host_s_error_comes_back_whole() {
        let error = from_host(violation("40P01"));
        assert_eq!(sqlstate(&error).as_deref(), Some("40P01"));
        let Some(Error::Database(whole)) = host_error(&error) else { panic!("lost") };
        assert_eq!(whole.schema.as_deref(), Some("the schema"));
        assert_eq!(whole.severity, "ERROR");
    }

    #[test]
    fn errors_that_are_not_postgres_say_what_they_are() {
        let error = Error::Limit(LimitError { kind: LimitKind::Rows, maximum: 3 });
        let DieselError::DatabaseError(_, information) = from_host(error) else { panic!() };
        assert_eq!(information.message(), "the budget of 3 rows a call is used up");
        assert!(host_error(&DieselError::NotFound).is_none());
    }

    #[test]
    fn lost_connections_are_told_from_refused_statements() {
        assert_eq!(kind_of_code("57P01"), DatabaseErrorKind::ClosedConnection);
        assert_eq!(kind_of_code("08006"), DatabaseErrorKind::ClosedConnection);
        assert_eq!(kind_of_code("57014"), DatabaseErrorKind::Unknown);
    }
}
