//! Carries a call out, and writes its answer. Never: reads a request.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::backend::{Answer, CacheControl, CallRequest, Usage};
use crate::problem::{Kind, Problem};
use crate::request::{self, Tag};
use crate::shared::Shared;

/// How long a backend may take beyond the deadline to say itself that it passed.
const GRACE: Duration = Duration::from_millis(200);

/// The bytes of an answer, and the room that they take until the last of them is sent.
struct Unsent {
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Unsent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The answer of a call; cancelled when its deadline has passed.
pub(super) async fn of(shared: &Shared, request: CallRequest) -> Result<Answer, Problem> {
    let deadline = request.deadline;
    let name = format!("{}.{}", request.slot, request.function);
    within(deadline, &name, shared.backend.call(request)).await
}

/// Waits for the backend until the deadline, and drops what it does after that.
pub(super) async fn within<T>(
    deadline: Option<Instant>,
    name: &str,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let Some(deadline) = deadline else { return work.await };
    match tokio::time::timeout_at((deadline + GRACE).into(), work).await {
        Ok(result) => result,
        Err(_) => Err(too_late(name)),
    }
}

pub(super) fn too_late(name: &str) -> Problem {
    Problem::new(Kind::Deadline, format!("{name} did not answer in time; the call was cancelled."))
        .with_hint("ask for less at once, or raise `server.limits.request-time`")
}

/// The answer as JSON; the failure of a function as a problem.
pub(super) fn write(shared: &Shared, answer: Answer) -> Result<Response, Problem> {
    let facts = Facts::of(&answer);
    let body = body(&answer.result.map_err(Problem::failure)?)?;
    let mut response = with_body(shared, body)?;
    facts.add_to(response.headers_mut());
    Ok(response)
}

/// The same for a function that changes nothing: with what caches may do, and without a body for
/// those who have it already.
pub(super) fn write_cached(
    shared: &Shared,
    answer: Answer,
    asked: &HeaderMap,
    cache: Option<CacheControl>,
    is_private: bool,
) -> Result<Response, Problem> {
    let facts = Facts::of(&answer);
    let body = body(&answer.result.map_err(Problem::failure)?)?;
    let tag = Tag::of(&body);
    let mut response = if request::matches_tag(asked, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        with_body(shared, body)?
    };
    let headers = response.headers_mut();
    if let Some(tag) = tag.to_header() {
        headers.insert(header::ETAG, tag);
    }
    if let Ok(value) = HeaderValue::from_str(&cache_control(cache, is_private)) {
        headers.insert(header::CACHE_CONTROL, value);
    }
    let varies = if is_private { "accept, authorization" } else { "accept" };
    headers.insert(header::VARY, HeaderValue::from_static(varies));
    facts.add_to(headers);
    Ok(response)
}

/// A JSON text as an answer.
fn with_body(shared: &Shared, bytes: Vec<u8>) -> Result<Response, Problem> {
    let room = shared.room_for(bytes.len())?;
    let mut response = Response::new(Body::from(Bytes::from_owner(Unsent { bytes, _room: room })));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// The same for an array of answers.
pub(super) fn write_batch(shared: &Shared, bytes: Vec<u8>) -> Result<Response, Problem> {
    with_body(shared, bytes)
}

pub(super) fn body(value: &Value) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value)
        .map_err(|_| Problem::new(Kind::Internal, "The answer could not be written as JSON."))
}

/// Which generation answered, how long that took, and what it used.
struct Facts {
    generation: u64,
    timing: String,
    usage: String,
}

impl Facts {
    fn of(answer: &Answer) -> Self {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let (queued, time) = (milliseconds(answer.queued), milliseconds(answer.time));
        let Usage { statements, rows, bytes } = answer.usage;
        Self {
            generation: answer.generation,
            timing: format!("queue;dur={queued:.3}, call;dur={time:.3}"),
            usage: format!("statements={statements}, rows={rows}, bytes={bytes}"),
        }
    }

    fn add_to(&self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static("avenire-generation"), self.generation.into());
        for (name, text) in [("server-timing", &self.timing), ("avenire-usage", &self.usage)] {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Without traits an answer may be kept and has to be asked for again each time.
fn cache_control(cache: Option<CacheControl>, is_private: bool) -> String {
    let Some(cache) = cache else {
        return if is_private { "private, no-cache" } else { "no-cache" }.to_owned();
    };
    let scope = if cache.shared && !is_private { "public" } else { "private" };
    let mut text = format!("{scope}, max-age={}", cache.max_age.as_secs());
    if !cache.stale_while_revalidate.is_zero() {
        text += &format!(", stale-while-revalidate={}", cache.stale_while_revalidate.as_secs());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_known_callers_are_never_for_shared_caches() {
        let cache = |shared, stale| {
            let stale_while_revalidate = Duration::from_secs(stale);
            Some(CacheControl { max_age: Duration::from_mins(1), stale_while_revalidate, shared })
        };
        assert_eq!(cache_control(cache(true, 0), false), "public, max-age=60");
        assert_eq!(
            cache_control(cache(true, 30), true),
            "private, max-age=60, stale-while-revalidate=30"
        );
        assert_eq!(cache_control(cache(false, 0), false), "private, max-age=60");
        assert_eq!(cache_control(None, true), "private, no-cache");
        assert_eq!(cache_control(None, false), "no-cache");
    }
}
