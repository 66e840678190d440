//! A problem on its way out of a handler, with the header that its status demands.

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};

use crate::auth::AuthError;
use crate::problem::{Kind, Problem};

/// A problem and the header that its status demands.
pub(super) struct Refusal {
    problem: Problem,
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    /// 405 with what is offered (RFC 9110, section 15.5.6).
    pub(super) fn not_offered(problem: Problem, methods: &'static str) -> Self {
        Self { problem, header: Some((header::ALLOW, methods)) }
    }

    /// 403 for want of a scope (RFC 6750, section 3.1).
    pub(super) fn beyond_scope(detail: String) -> Self {
        let problem = Problem::new(Kind::Forbidden, detail)
            .with_hint("get a token with a scope that covers it");
        let challenge = "Bearer realm=\"avenire\", error=\"insufficient_scope\"";
        Self { problem, header: Some((header::WWW_AUTHENTICATE, challenge)) }
    }

    /// The problem alone, for an answer that has others beside it.
    pub(super) fn into_problem(self) -> Problem {
        self.problem
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, header: None }
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let problem = error.problem();
        let is_unknown = problem.kind == Kind::Unauthenticated;
        let header = is_unknown.then(|| (header::WWW_AUTHENTICATE, error.challenge()));
        Self { problem, header }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
