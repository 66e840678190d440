//! A problem as JSON and as an answer.
//!
//! A handler answers with the problem in the response's extensions; the outermost layer writes the
//! document, since it alone knows the request's id for certain.

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{Extensions, StatusCode};
use serde_json::{Map, Value};

use super::Problem;

/// What a client that is told to come back without a time waits, in seconds.
const RETRY_AFTER: u64 = 1;

impl Problem {
    /// The problem document: members of RFC 9457 and this interface's own.
    pub(crate) fn document(&self, request_id: &str) -> Map<String, Value> {
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
        put("type", self.kind.urn().into());
        put("title", self.kind.title().into());
        put("status", self.status().into());
        put("detail", self.detail.clone().into());
        put("instance", format!("urn:avenire:request:{request_id}").into());
        put("blame", self.blame.as_str().into());
        put("retryable", self.retryable.into());
        let optional = [
            ("hint", &self.hint),
            ("sqlstate", &self.sqlstate),
            ("constraint", &self.constraint),
            ("table", &self.table),
            ("column", &self.column),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                put(name, value.clone().into());
            }
        }
        if let Some(seconds) = self.retry_after_seconds() {
            put("retryAfter", seconds.into());
        }
        if let Some(failure) = &self.failure {
            put("failure", failure.clone());
        }
        document
    }

    /// Whole seconds for `Retry-After`: told with what may be repeated and with every 503.
    fn retry_after_seconds(&self) -> Option<u64> {
        match self.retry_after {
            Some(time) => Some(time.as_secs() + u64::from(time.subsec_nanos() > 0)),
            None if self.retryable && self.status() == 503 => Some(RETRY_AFTER),
            None => None,
        }
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status_code().into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The problem that an answer stands for, taken out of it.
pub(crate) fn taken(extensions: &mut Extensions) -> Option<Problem> {
    extensions.remove::<Problem>()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::problem::{Kind, Problem};

    #[test]
    fn a_document_has_the_members_of_the_standard_and_leaves_out_what_is_not_known() {
        let problem = Problem::new(Kind::UnknownSlot, "there is no slot chta");
        let text = serde_json::to_string(&problem.document("a1")).expect("json");
        assert_eq!(
            text,
            r#"{"type":"urn:avenire:unknown-slot","title":"No such slot","status":404,"detail":"there is no slot chta","instance":"urn:avenire:request:a1","blame":"caller","retryable":false}"#
        );
    }

    #[test]
    fn times_to_wait_are_rounded_up() {
        let problem = Problem::new(Kind::Busy, "busy").after(Duration::from_millis(1200));
        assert_eq!(problem.retry_after_seconds(), Some(2));
        assert_eq!(Problem::new(Kind::Busy, "busy").retry_after_seconds(), Some(1));
        assert_eq!(Problem::new(Kind::Json, "no").retry_after_seconds(), None);
    }
}
