//! The body of a request: its declared form, its length, its time.
//! Never: keeps more of it than is allowed.

use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::problem::{Kind, Problem};

/// What a body may be.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    /// Its longest length in bytes.
    pub(crate) bytes: usize,
    /// When it has to be there.
    pub(crate) until: Instant,
}

/// The whole body of a request that declares JSON or has none.
pub(crate) async fn bytes(headers: &HeaderMap, body: Body, limit: Limit) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("The body has more than {} bytes.", limit.bytes);
        Problem::new(Kind::BodyTooLarge, detail).with_hint("send less at once")
    };
    let hint = body.size_hint();
    // What is declared to be too long is not waited for.
    if hint.lower() > u64::try_from(limit.bytes).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    if hint.exact() != Some(0) {
        check_type(headers)?;
    }
    let collected = Limited::new(body, limit.bytes).collect();
    match tokio::time::timeout_at(limit.until.into(), collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Kind::Request, "The body was cut off or is malformed.")
            .with_hint("send it to its end")),
        Err(_) => Err(Problem::new(Kind::BodyTimeout, "The body did not arrive in time.")
            .with_hint("send it faster, or in smaller requests")),
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: &str| {
        Err(Problem::new(Kind::MediaType, detail)
            .with_hint("send `Content-Type: application/json`"))
    };
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return refused("The body is encoded, which is not taken.");
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(declared), None) = (types.next(), types.next()) else {
        return refused("The body has no media type, or several.");
    };
    let mut parts = declared.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.filter(|part| !part.is_empty()).all(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && is_utf8 {
        Ok(())
    } else {
        refused("The body is not declared to be JSON in UTF-8.")
    }
}
