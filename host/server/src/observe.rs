//! The outermost layer: gives each request its id and its span, writes problem documents and the
//! headers that every answer has, counts and logs. Never: logs an argument, a body, a token, a query.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use tracing::{Instrument as _, Span, field};

use crate::metrics::{GONE, Subject};
use crate::problem::{Kind, Problem, taken};
use crate::request::{RequestId, TraceParent};
use crate::shared::Shared;

/// Where a handler notes which function a request is about, once it is known to exist.
#[derive(Clone, Default)]
pub(crate) struct About(Arc<OnceLock<(String, String)>>);

impl About {
    pub(crate) fn note(&self, slot: &str, function: &str) {
        if self.0.set((slot.to_owned(), function.to_owned())).is_ok() {
            let span = Span::current();
            span.record("slot", slot);
            span.record("function", function);
        }
    }
}

/// The layer.
pub(crate) async fn observe(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let _during = shared.metrics.request();
    let id = RequestId::of(request.headers());
    let trace = TraceParent::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let method = method(request.method());
    let span = tracing::info_span!(
        "request",
        method,
        route,
        request_id = id.as_str(),
        trace_id = trace.as_ref().map(TraceParent::trace_id_text),
        slot = field::Empty,
        function = field::Empty,
    );
    let about = About::default();
    let watch = Watch {
        shared: Arc::clone(&shared),
        begun: Instant::now(),
        route: route.to_owned(),
        about: about.clone(),
        span: span.clone(),
        ended: false,
    };
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(about);
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span).await;
    let mut response = answered.unwrap_or_else(|_| {
        Problem::new(Kind::Internal, "The host failed while it answered.").into_response()
    });
    let problem = taken(response.extensions_mut());
    if let Some(problem) = &problem {
        write_problem(&mut response, problem, &id);
    }
    add_headers(response.headers_mut(), &id);
    watch.end(response.status(), problem.as_ref());
    response
}

/// Counts and logs a request when it ends, also when its caller went away and all of it was dropped.
struct Watch {
    shared: Arc<Shared>,
    begun: Instant,
    route: String,
    about: About,
    span: Span,
    ended: bool,
}

impl Watch {
    fn end(mut self, status: StatusCode, problem: Option<&Problem>) {
        self.ended = true;
        let status = status.as_u16();
        let time = self.count(status);
        let problem_type = problem.map(|problem| problem.kind.urn());
        let blame = problem.map(|problem| problem.blame.as_str());
        let milliseconds = milliseconds(time);
        self.span.in_scope(|| {
            if status >= 500 {
                tracing::warn!(status, milliseconds, problem_type, blame, "answered");
            } else {
                tracing::info!(status, milliseconds, problem_type, blame, "answered");
            }
        });
    }

    fn count(&self, status: u16) -> Duration {
        let time = self.begun.elapsed();
        let (slot, function) = self.about.0.get().cloned().unwrap_or_default();
        let subject = Subject { route: self.route.clone(), slot, function };
        self.shared.metrics.ended(subject, status, time);
        time
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.ended {
            let milliseconds = milliseconds(self.count(GONE));
            self.span.in_scope(|| {
                tracing::info!(status = GONE, milliseconds, "the caller went away");
            });
        }
    }
}

fn write_problem(response: &mut Response, problem: &Problem, id: &RequestId) {
    let document = serde_json::to_vec(&problem.document(id.as_str())).unwrap_or_default();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, media_type);
    if problem.status_code() == StatusCode::METHOD_NOT_ALLOWED {
        // RFC 9110, section 15.5.6: what is allowed is always told.
        headers.entry(header::ALLOW).or_insert(HeaderValue::from_static("POST"));
    }
    if matches!(problem.kind, Kind::BodyTooLarge | Kind::BodyTimeout) {
        // The rest of the body is not waited for.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(document);
}

fn add_headers(headers: &mut HeaderMap, id: &RequestId) {
    if let Some(value) = id.to_header() {
        headers.insert(RequestId::HEADER, value);
    }
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// With microseconds behind the point.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// Methods that callers invent are all one.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
