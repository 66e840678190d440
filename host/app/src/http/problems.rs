//! What a failed call is over HTTP. Pure functions.

use std::time::Duration;

use avenire_engine::{CallError, Doing};
use avenire_server::{Blame, Kind, Problem};

use crate::error::AppError;

/// When a call that found its slot full may try again.
const SOON: Duration = Duration::from_secs(1);

/// A call without a result.
pub(super) fn of_call(error: &CallError) -> Problem {
    let detail = sentence(&error.to_string());
    let problem = match error {
        CallError::UnknownFunction { .. } => Problem::new(Kind::UnknownFunction, detail),
        CallError::Argument { .. } => Problem::new(Kind::Arguments, detail),
        CallError::Busy { .. } => Problem::new(Kind::Busy, detail).after(SOON),
        CallError::Deadline { doing: Doing::Connection, .. } => {
            Problem::new(Kind::DatabaseUnreachable, detail)
        }
        CallError::Deadline { .. } => {
            Problem { blame: Blame::Component, ..Problem::new(Kind::Deadline, detail) }
        }
        CallError::Memory { .. }
        | CallError::StackOverflow { .. }
        | CallError::TransferTooLarge { .. } => Problem::new(Kind::Limit, detail),
        CallError::Panicked { .. } | CallError::Trapped { .. } | CallError::LeftOpen { .. } => {
            Problem::new(Kind::Component, detail)
        }
        CallError::NotCommitted { source, .. } => match source.sqlstate() {
            Some(code) => Problem::database(code, detail),
            None => Problem::new(Kind::DatabaseUnreachable, detail),
        },
        _ => Problem::new(Kind::Internal, detail),
    };
    match error.hint() {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    }
}

/// What the host itself refuses.
pub(super) fn of_app(error: &AppError) -> Problem {
    let kind = match error {
        AppError::UnknownComponent { .. } => Kind::UnknownSlot,
        _ => Kind::Internal,
    };
    Problem::new(kind, sentence(&error.to_string()))
}

/// A setting of a caller's claims that can not be made.
pub(super) fn of_setting(error: &avenire_postgres::Error) -> Problem {
    Problem::new(Kind::Forbidden, sentence(&error.to_string()))
        .with_hint("correct the claims of the token, or `server.auth` in avenire.toml")
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_a_call_has_a_status_and_somebody_to_blame() {
        let busy = CallError::Busy { component: "chat".into(), running: 1, waiting: 0 };
        let problem = of_call(&busy);
        assert_eq!((problem.status(), problem.retryable), (503, true));
        assert_eq!(problem.detail, "The component chat is busy: 1 calls run and 0 wait.");
        let argument = CallError::Argument { path: "limit".into(), message: "is missing".into() };
        assert_eq!((of_call(&argument).status(), of_call(&argument).blame), (400, Blame::Caller));
        let (component, function) = ("chat".to_owned(), "f".to_owned());
        let trapped = CallError::Trapped { component, function, reason: "x".into() };
        assert_eq!((of_call(&trapped).status(), of_call(&trapped).blame), (500, Blame::Component));
    }
}
