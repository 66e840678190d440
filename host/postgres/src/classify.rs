//! Tells what an error of the driver or of the server means: who refused, whether
//! something was executed, whether trying again helps. Owns the lists of codes and
//! messages; never retries.

use std::borrow::Cow;
use std::io;

use tokio_postgres::error::{DbError, ErrorPosition, Severity};

use crate::error::{DatabaseError, Error, Execution, Unavailable, UnavailableCause};
use crate::frames::{MAXIMUM_ROW, ROW_TOO_LARGE};

/// Messages of Neon's proxy that pass by themselves. It gives all its errors the
/// code XX000, so only the text tells them apart (neondatabase/neon, proxy/src).
const PROXY_TRANSIENT: &[&str] = &[
    "couldn't connect to compute node",
    "too many connections to this endpoint",
    "failed to acquire permit",
    "too many connections attempts",
    "authentication timed out",
];

/// Messages of poolers that pass by themselves; PgBouncer gives them 08P01.
const POOLER_TRANSIENT: &[&str] = &[
    "server_login_retry",
    "server login has been failing",
    "query_wait_timeout",
    "no more connections allowed",
    "shutting down",
    "max_client_conn",
    "connect failed",
];

/// An error while connecting: nothing was executed.
pub(crate) fn connecting(server: &str, error: &tokio_postgres::Error) -> Error {
    if let Some(error) = error.as_db_error() {
        return refused(server, error);
    }
    let text = chain(error);
    let (cause, message, hint) = if text.contains("did not use channel binding") {
        (
            UnavailableCause::Authentication,
            format!("{server} does not support channel binding, which the URL requires"),
            Some(
                "poolers do not support it: use channel_binding=prefer there; otherwise check that nothing stands in between",
            ),
        )
    } else if text.contains("password missing") {
        (
            UnavailableCause::Authentication,
            format!("{server} asks for a password and the connection string has none"),
            Some("add the password to the connection string"),
        )
    } else if text.starts_with("authentication error") {
        (UnavailableCause::Authentication, format!("signing in at {server} failed: {text}"), None)
    } else {
        (
            UnavailableCause::Unreachable,
            format!("{server} broke off while connecting: {text}"),
            Some("check that host and port are those of a Postgres server"),
        )
    };
    unavailable(cause, message, None, Execution::NotExecuted, hint)
}

/// The server refused the connection with an error of its own.
fn refused(server: &str, error: &DbError) -> Error {
    let code = error.code().code();
    let message = error.message();
    let lower = message.to_ascii_lowercase();
    let (cause, hint) = connect_cause(code, &lower);
    unavailable(
        cause,
        format!("{server} refused the connection: {message}"),
        Some(code),
        Execution::NotExecuted,
        hint,
    )
}

/// What a refusal at the start of a connection means.
fn connect_cause(code: &str, message: &str) -> (UnavailableCause, Option<&'static str>) {
    use UnavailableCause as Cause;
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    match code {
        "28P01" | "28000" => (
            Cause::Authentication,
            Some(
                "check user and password in the connection string; reserved characters in it must be percent-encoded",
            ),
        ),
        "3D000" => (
            Cause::UnknownDatabase,
            Some("check the database's name at the end of the connection string, or create it"),
        ),
        "42501" => (Cause::Authentication, Some("grant the user CONNECT on the database")),
        "53300" => (
            Cause::TooManyConnections,
            Some("lower the number of connections or use the provider's pooled endpoint"),
        ),
        "57P03" | "57P01" | "57P02" | "57P05" => {
            (Cause::Starting, Some("the server is starting or stopping; try again shortly"))
        }
        _ if says(&["unsupported startup parameter", "command-line options"]) => (
            Cause::Configuration,
            Some(
                "poolers take no `options`: set it on the role (ALTER ROLE … SET …) or use the direct endpoint",
            ),
        ),
        _ if says(&[
            "password authentication failed",
            "sasl authentication failed",
            "wrong password",
        ]) =>
        {
            (Cause::Authentication, Some("check user and password in the connection string"))
        }
        _ if code == "XX000" && says(&["does not exist", "no such database"]) => (
            Cause::UnknownDatabase,
            Some("check the database's name at the end of the connection string"),
        ),
        "08P01" if says(&["no such database", "no such user"]) => (Cause::UnknownDatabase, None),
        "XX000" if says(PROXY_TRANSIENT) || message.trim() == "control plane request failed" => {
            (Cause::Starting, None)
        }
        "08P01" if says(POOLER_TRANSIENT) => (Cause::Starting, None),
        "08000" | "08001" | "08003" | "08004" | "08006" => (Cause::Starting, None),
        _ => (Cause::Refused, None),
    }
}

/// A socket could not be opened.
pub(crate) fn unreachable(server: &str, error: &io::Error) -> Error {
    let (message, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            format!("nothing accepts connections at {server}"),
            Some(
                "check that the server runs and listens there, and that no firewall is in between",
            ),
        ),
        io::ErrorKind::NotFound => (
            format!("there is no socket at {server}"),
            Some("check that the server runs and that `host` names its socket folder"),
        ),
        io::ErrorKind::PermissionDenied => (format!("access to {server} is denied: {error}"), None),
        io::ErrorKind::TimedOut => {
            (format!("{server} does not answer"), Some("check host, port and firewalls"))
        }
        _ => (format!("{server} can not be reached: {error}"), None),
    };
    unavailable(UnavailableCause::Unreachable, message, None, Execution::NotExecuted, hint)
}

/// A name has no address.
pub(crate) fn unresolved(name: &str, error: Option<&io::Error>) -> Error {
    let text = error.map(io::Error::to_string).unwrap_or_default();
    // EAI_AGAIN reaches us as text only.
    let cause = if text.contains("emporary failure") || text.contains("try again") {
        UnavailableCause::Unreachable
    } else {
        UnavailableCause::UnknownHost
    };
    unavailable(
        cause,
        format!("the host name {name} has no address"),
        None,
        Execution::NotExecuted,
        Some("check the spelling of the host in the connection string, and the network"),
    )
}

/// The stage at which a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// While preparing: Postgres has executed nothing of it.
    Preparing,
    /// After it was sent for execution.
    Executing,
}

/// An error of a statement on an established connection. `farewell` is what the
/// server said when it closed the connection, if it did.
pub(crate) fn statement(
    error: &tokio_postgres::Error,
    stage: Stage,
    farewell: Option<&str>,
) -> Error {
    let Some(database) = error.as_db_error() else {
        let execution = match stage {
            Stage::Preparing => Execution::NotExecuted,
            Stage::Executing => Execution::Unknown,
        };
        let message = match farewell {
            Some(farewell) => format!("the connection was lost: {farewell}"),
            None => format!("the connection was lost: {}", chain(error)),
        };
        return unavailable(UnavailableCause::Lost, message, None, execution, None);
    };
    if database.routine() == Some(ROW_TOO_LARGE) {
        return Error::ByteLimit { maximum: u64::try_from(MAXIMUM_ROW).unwrap_or(u64::MAX) };
    }
    let code = database.code().code();
    // Bind with another number of parameters than the statement has.
    if code == "08P01" && database.routine() == Some("exec_bind_message") {
        return Error::invalid(database.message().to_owned());
    }
    if is_fatal(database) {
        let lower = database.message().to_ascii_lowercase();
        let transient = POOLER_TRANSIENT.iter().any(|text| lower.contains(text));
        // A pooler that could not reach its server has executed nothing.
        let execution = if stage == Stage::Preparing || (code == "08P01" && transient) {
            Execution::NotExecuted
        } else {
            Execution::Unknown
        };
        let message = format!("the connection was lost: {}", database.message());
        return unavailable(UnavailableCause::Lost, message, Some(code), execution, None);
    }
    Error::Database(Box::new(convert(database)))
}

/// The error of a connection that ended while nothing was asked of it.
pub(crate) fn lost_idle(farewell: Option<&str>) -> Error {
    let message = match farewell {
        Some(farewell) => format!("the connection was lost: {farewell}"),
        None => "the connection was lost".to_owned(),
    };
    unavailable(UnavailableCause::Lost, message, None, Execution::NotExecuted, None)
}

/// Whether the server ends the connection with this error.
fn is_fatal(error: &DbError) -> bool {
    match error.parsed_severity() {
        Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
        None => matches!(error.severity(), "FATAL" | "PANIC"),
    }
}

/// Whether a prepared statement outlived what it was prepared for: dropped by a
/// pooler (26000), or its result has other columns now (0A000; the routine names
/// it in every language).
pub(crate) fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| match error.code().code() {
        "26000" => true,
        "0A000" => error.routine() == Some("RevalidateCachedQuery"),
        _ => false,
    })
}

pub(crate) fn convert(error: &DbError) -> DatabaseError {
    let text = |value: Option<&str>| value.map(str::to_owned);
    DatabaseError {
        code: error.code().code().to_owned(),
        severity: match error.parsed_severity() {
            Some(severity) => severity.to_string(),
            None => error.severity().to_owned(),
        },
        message: without_value(error.code().code(), error.message()),
        detail: text(error.detail()),
        hint: text(error.hint()),
        schema: text(error.schema()),
        table: text(error.table()),
        column: text(error.column()),
        data_type: text(error.datatype()),
        constraint: text(error.constraint()),
        position: match error.position() {
            Some(ErrorPosition::Original(position)) => Some(*position),
            _ => None,
        },
    }
}

pub(crate) fn unavailable(
    cause: UnavailableCause,
    message: String,
    code: Option<&str>,
    execution: Execution,
    hint: Option<&'static str>,
) -> Error {
    Error::Unavailable(Box::new(Unavailable {
        cause,
        message,
        code: code.map(str::to_owned),
        execution,
        hint: hint.map(Cow::Borrowed),
    }))
}

/// The driver's errors keep their reasons in their sources.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The message without the value that Postgres quotes at its end when a value does not fit its
/// type (class 22, data exceptions): `invalid input syntax for type integer: "…"`.
fn without_value(code: &str, message: &str) -> String {
    match message.split_once(": \"") {
        Some((what, _)) if code.starts_with("22") => format!("{what}: \"…\""),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_fit_is_not_repeated() {
        let message = "invalid input syntax for type integer: \"s3cret\"";
        assert_eq!(without_value("22P02", message), "invalid input syntax for type integer: \"…\"");
        assert_eq!(without_value("42601", "a: \"b\""), "a: \"b\"");
    }

    #[test]
    fn refusals_are_told_apart_by_code_and_by_a_proxys_text() {
        use UnavailableCause as Cause;
        for (code, message, cause) in [
            ("28P01", "password authentication failed for user \"a\"", Cause::Authentication),
            ("XX000", "password authentication failed for user 'a'", Cause::Authentication),
            ("3D000", "database \"a\" does not exist", Cause::UnknownDatabase),
            ("XX000", "database \"a\" does not exist", Cause::UnknownDatabase),
            ("53300", "sorry, too many clients already", Cause::TooManyConnections),
            ("57P03", "the database system is starting up", Cause::Starting),
            ("XX000", "Couldn't connect to compute node", Cause::Starting),
            ("XX000", "Control plane request failed", Cause::Starting),
            ("XX000", "Control plane request failed: endpoint is disabled", Cause::Refused),
            ("XX000", "ERROR: endpoint cannot be found", Cause::Refused),
            (
                "08P01",
                "server login has been failing, cached error: connect failed (server_login_retry)",
                Cause::Starting,
            ),
            ("08P01", "unsupported startup parameter in options: x", Cause::Configuration),
            ("08P01", "unsupported startup parameter: options", Cause::Configuration),
            (
                "0A000",
                "Feature not supported: RDS Proxy currently doesn't support command-line options",
                Cause::Configuration,
            ),
            ("XX999", "what", Cause::Refused),
        ] {
            let found = connect_cause(code, &message.to_ascii_lowercase()).0;
            assert_eq!(found, cause, "{code} {message}");
        }
    }

    #[test]
    fn a_refused_socket_is_retryable_and_an_unknown_name_is_not() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = unreachable("db:5432", &refused);
        assert!(error.is_retryable_connect());
        assert!(error.hint().is_some());
        let unknown = io::Error::other("Name or service not known");
        assert!(!unresolved("db", Some(&unknown)).is_retryable_connect());
        let temporary = io::Error::other("Temporary failure in name resolution");
        assert!(unresolved("db", Some(&temporary)).is_retryable_connect());
    }
}
