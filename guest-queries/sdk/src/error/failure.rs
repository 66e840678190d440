//! From Diesel's errors to the failures that contracts return, and short ways to make one.
//!
//! | what happened | failure |
//! | --- | --- |
//! | `NotFound`: no row where one was expected | `not-found("row")` |
//! | unique, foreign key, exclusion and restrict violations | `conflict` with the constraint |
//! | check violation | `invalid`; the argument is the column in a constraint that is named as Postgres does, `users_email_check`, otherwise the constraint |
//! | not-null violation | `invalid`, the column as argument |
//! | a value that Postgres can not read or hold, such as text with a NUL | `invalid`, argument `arguments` |
//! | everything else | `database`, with all that the host said |
//!
//! A function that knows better says so itself, before `?` does it this way.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::database::shared_host_error;
use crate::bindings::avenire::database::types::{DatabaseError, Error};
pub use crate::bindings::avenire::types::failures::Failure;
use crate::bindings::avenire::types::failures::{Conflict, InvalidArgument};

/// What the call is about does not exist.
pub fn not_found(what: &str) -> Failure {
    Failure::NotFound(what.to_owned())
}

/// It belongs to another user.
pub fn forbidden(what: &str) -> Failure {
    Failure::Forbidden(what.to_owned())
}

/// The caller's argument is at fault.
pub fn invalid(argument: &str, message: impl Into<String>) -> Failure {
    Failure::Invalid(InvalidArgument { argument: argument.to_owned(), message: message.into() })
}

/// A constraint refuses it.
pub fn conflict(constraint: &str, message: impl Into<String>) -> Failure {
    Failure::Conflict(Conflict { constraint: constraint.to_owned(), message: message.into() })
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        if let Some(host) = shared_host_error(&error) {
            return match (&error, &*host) {
                (DieselError::DatabaseError(kind, _), Error::Database(error)) => {
                    from_database(*kind, error)
                }
                _ => Self::Database((*host).clone()),
            };
        }
        match error {
            DieselError::NotFound => not_found("row"),
            other => Self::Database(Error::Other(other.to_string())),
        }
    }
}

fn from_database(kind: DatabaseErrorKind, error: &DatabaseError) -> Failure {
    let constraint = error.constraint.as_deref().unwrap_or_default();
    match kind {
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::ExclusionViolation
        | DatabaseErrorKind::RestrictViolation => conflict(constraint, &error.message),
        DatabaseErrorKind::CheckViolation => {
            let table = error.table.as_deref().unwrap_or_default();
            invalid(&argument_of_check(constraint, table), &error.message)
        }
        DatabaseErrorKind::NotNullViolation => {
            invalid(&kebab(error.column.as_deref().unwrap_or_default()), &error.message)
        }
        _ if is_unacceptable_value(&error.code) => invalid("arguments", &error.message),
        _ => Failure::Database(Error::Database(error.clone())),
    }
}

/// What a check constraint is about: the column, when the constraint is named after it as
/// Postgres names them (PostgreSQL documentation, "Constraints"), otherwise its own name.
fn argument_of_check(constraint: &str, table: &str) -> String {
    constraint
        .strip_prefix(table)
        .and_then(|rest| rest.strip_prefix('_')?.strip_suffix("_check"))
        .map_or_else(|| constraint.to_owned(), kebab)
}

/// A column's name as contracts write names.
fn kebab(column: &str) -> String {
    column.replace('_', "-")
}

/// Data exceptions that only a value from outside causes (PostgreSQL documentation,
/// "PostgreSQL Error Codes", class 22). The others of the class, such as a division by
/// zero, are the statement's fault.
fn is_unacceptable_value(code: &str) -> bool {
    matches!(
        code,
        "22001" // string too long
            | "22003" // number out of range
            | "22007" | "22008" // date and time
            | "22021" // not in the character set, such as NUL
            | "22032" // invalid JSON text
            | "22P02" // invalid text representation, such as of JSON
            | "22P03" // invalid binary representation
            | "22P05" // untranslatable character, such as \u0000 in jsonb
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::from_host;

    #[test]
    fn a_check_is_about_the_column_it_is_named_after() {
        assert_eq!(argument_of_check("users_display_name_check", "users"), "display-name");
        assert_eq!(argument_of_check("an_old_name", "users"), "an_old_name");
        assert_eq!(argument_of_check("users_email_check", "other"), "users_email_check");
    }

    fn failure(code: &str) -> Failure {
        Failure::from(from_host(Error::Database(DatabaseError {
            code: code.into(),
            severity: "ERROR".into(),
            message: "the message".into(),
            detail: None,
            hint: None,
            schema: None,
            table: None,
            column: Some("the column".into()),
            data_type: None,
            constraint: Some("the constraint".into()),
            position: None,
        })))
    }

    #[test]
    fn broken_keys_are_conflicts_with_their_constraint() {
        for code in ["23505", "23503", "23P01", "23001"] {
            let Failure::Conflict(conflict) = failure(code) else { panic!("{code}") };
            assert_eq!(conflict.constraint, "the constraint");
            assert_eq!(conflict.message, "the message");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_invalid_arguments() {
        for (code, expected) in
            [("23514", "the constraint"), ("23502", "the column"), ("22P05", "arguments")]
        {
            let Failure::Invalid(invalid) = failure(code) else { panic!("{code}") };
            assert_eq!(invalid.argument, expected);
        }
    }

    #[test]
    fn all_else_keeps_its_sqlstate() {
        for code in ["40001", "40P01", "57014", "42501", "22012"] {
            let Failure::Database(Error::Database(error)) = failure(code) else { panic!("{code}") };
            assert_eq!(error.code, code);
        }
        let timeout = from_host(Error::Timeout("an answer".into()));
        assert!(matches!(Failure::from(timeout), Failure::Database(Error::Timeout(_))));
    }

    #[test]
    fn a_missing_row_is_not_found() {
        assert!(matches!(Failure::from(DieselError::NotFound), Failure::NotFound(_)));
    }
}
