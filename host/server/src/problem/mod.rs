//! What is told when a request has no result: a problem document (RFC 9457).
//! Never: holds SQL text, parameter values, tokens or backtraces.

mod document;
mod kind;
mod sqlstate;

use std::time::Duration;

use serde_json::Value;

pub(crate) use document::taken;
pub use kind::{Blame, Kind};
pub use sqlstate::database_status;

/// Why a request has no result.
///
/// What is written into it is shown to callers: a backend puts neither SQL text nor values in it,
/// except into `failure`, which is the component's own answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What kind of problem it is; stands for `type`, `title` and the status.
    pub kind: Kind,
    /// What is wrong in this case: one sentence or two.
    pub detail: String,
    /// What to do about it: one sentence without full stop.
    pub hint: Option<String>,
    /// Whose fault it is.
    pub blame: Blame,
    /// Whether the same request may do better later.
    pub retryable: bool,
    /// When, told in whole seconds (rounded up) as `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Postgres' five characters; with [`Kind::Database`] they decide the status.
    pub sqlstate: Option<String>,
    /// The constraint that was violated.
    pub constraint: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// The component's own typed error, with [`Kind::Failure`].
    pub failure: Option<Value>,
}

impl Problem {
    /// A problem with what its kind says of blame and repetition.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            hint: None,
            blame: kind.blame(),
            retryable: kind.is_retryable(),
            retry_after: None,
            sqlstate: None,
            constraint: None,
            table: None,
            column: None,
            failure: None,
        }
    }

    /// An error of Postgres, with what its SQLSTATE says of status, blame and repetition.
    pub fn database(sqlstate: impl Into<String>, detail: impl Into<String>) -> Self {
        let sqlstate = sqlstate.into();
        let (_, blame, retryable) = database_status(&sqlstate);
        let problem = Self::new(Kind::Database, detail);
        Self { blame, retryable, sqlstate: Some(sqlstate), ..problem }
    }

    /// The failure case of a function's own result type.
    ///
    /// Of `avenire:types/failures.failure` the cases that HTTP has a status for get it: `not-found`
    /// 404, `forbidden` 403, `conflict` 409, `database` that of its SQLSTATE. All others are 422.
    pub fn failure(value: Value) -> Self {
        let problem = Self::new(Kind::Failure, "The function answered with its own failure.");
        let text = |path: &str| Some(value.pointer(path)?.as_str()?.to_owned());
        let tag = text("/tag").unwrap_or_default();
        let (sqlstate, constraint) = match tag.as_str() {
            "database" => (text("/val/val/code"), text("/val/val/constraint")),
            "conflict" => (None, text("/val/constraint")),
            _ => (None, None),
        };
        let of_database = sqlstate.as_deref().map(database_status);
        let (blame, retryable) =
            of_database.map_or((Blame::Caller, false), |(_, blame, retryable)| (blame, retryable));
        Self { blame, retryable, sqlstate, constraint, failure: Some(value), ..problem }
    }

    fn status_of_failure(&self) -> u16 {
        let tag = self.failure.as_ref().and_then(|failure| failure.get("tag")?.as_str());
        match (tag, &self.sqlstate) {
            (Some("not-found"), _) => 404,
            (Some("forbidden"), _) => 403,
            (Some("conflict"), _) => 409,
            (Some("database"), Some(sqlstate)) => database_status(sqlstate).0,
            _ => Kind::Failure.status(),
        }
    }

    /// With a hint: one sentence without full stop on what to do.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With a time after which to try again.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self { retryable: true, retry_after: Some(time), ..self }
    }

    /// The HTTP status: that of the kind, or of the SQLSTATE.
    pub fn status(&self) -> u16 {
        match (self.kind, &self.sqlstate) {
            (Kind::Database, Some(sqlstate)) => database_status(sqlstate).0,
            (Kind::Failure, _) => self.status_of_failure(),
            (kind, _) => kind.status(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_failures_have_statuses_and_others_are_422() {
        let status = |value| Problem::failure(value).status();
        assert_eq!(status(json!({"tag": "not-found", "val": "chat"})), 404);
        assert_eq!(status(json!({"tag": "forbidden", "val": "chat"})), 403);
        assert_eq!(status(json!({"tag": "invalid", "val": {"argument": "limit"}})), 422);
        assert_eq!(status(json!("anything")), 422);
        let conflict =
            json!({"tag": "conflict", "val": {"constraint": "chat_pkey", "message": ""}});
        let problem = Problem::failure(conflict);
        assert_eq!((problem.status(), problem.constraint.as_deref()), (409, Some("chat_pkey")));
        let database = json!({"tag": "database", "val": {"tag": "database", "val": {
            "code": "40001", "message": "could not serialize"}}});
        let problem = Problem::failure(database);
        assert_eq!((problem.status(), problem.retryable), (503, true));
        assert_eq!(problem.kind.urn(), "urn:avenire:failure");
    }
}
