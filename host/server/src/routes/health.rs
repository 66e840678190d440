//! `/livez`, `/readyz`, `/metrics`: for those who operate the host. Never waits for a turn, so that a
//! host that is full is not taken for a dead one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::prepare;
use super::{Refusal, only_reads};
use crate::backend::{Check, CheckState};
use crate::shared::Shared;

/// How long the backend may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the process answers at all. Open to everybody.
pub(super) async fn livez(method: Method) -> Response {
    match only_reads(&method) {
        Ok(()) => as_json(StatusCode::OK, &json!({ "status": "ok" })),
        Err(refusal) => refusal.into_response(),
    }
}

/// Whether calls should be sent here: 200 or 503. Open to everybody; what is wrong is told to
/// authenticated callers only.
pub(super) async fn readyz(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    // The request's body is no concern of this handler and must not be held across the wait.
    let (parts, _) = request.into_parts();
    if let Err(refusal) = only_reads(&parts.method) {
        return refusal.into_response();
    }
    let checks = tokio::time::timeout(PATIENCE, shared.backend.readiness()).await;
    let mut checks = checks.unwrap_or_else(|_| vec![failing("readiness", "it did not answer")]);
    if shared.is_stopping() {
        checks.push(failing("server", "it is shutting down"));
    }
    let is_ready = checks.iter().all(|check| check.state != CheckState::Failing);
    let (status, word) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let document = if may_see_details(&shared, &parts.headers).await {
        json!({ "status": word, "checks": checks.iter().map(shown).collect::<Vec<_>>() })
    } else {
        json!({ "status": word })
    };
    let mut response = as_json(status, &document);
    if !is_ready {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

async fn may_see_details(shared: &Shared, headers: &HeaderMap) -> bool {
    shared.auth.current().caller(headers).await.is_ok()
}

fn failing(name: &str, detail: &str) -> Check {
    Check { name: name.into(), state: CheckState::Failing, detail: detail.into() }
}

fn shown(check: &Check) -> Value {
    json!({ "name": check.name, "state": check.state.as_str(), "detail": check.detail })
}

/// What the server and the host count. Needs the scope `metrics` where callers authenticate.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match metrics_text(&shared, &parts.method, &parts.headers).await {
        Ok(text) => {
            let mut response = text.into_response();
            let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn metrics_text(
    shared: &Shared,
    method: &Method,
    headers: &HeaderMap,
) -> Result<String, Refusal> {
    let caller = prepare::caller(shared, headers).await?;
    only_reads(method)?;
    if !caller.may_have("metrics") {
        return Err(Refusal::beyond_scope("The token may not see the metrics.".into()));
    }
    let mut text = String::new();
    shared.metrics.write(&mut text);
    shared.backend.metrics(&mut text);
    if !text.ends_with('\n') {
        _ = writeln!(text);
    }
    Ok(text)
}

fn as_json(status: StatusCode, document: &Value) -> Response {
    let mut response = document.to_string().into_response();
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
