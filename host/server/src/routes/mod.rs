//! The paths that are served, and the layers around them.

mod answer;
mod batch;
mod call;
mod health;
mod page;
mod prepare;
mod refusal;
mod stream;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::Method;

use crate::guard::{cors, guard};
use crate::names;
use crate::observe::observe;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;
use refusal::Refusal;

/// Everything that is served.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let router = Router::new()
        .route("/v1/batch", any(batch::batch))
        .route("/v1/{slot}/{function}", any(call::call))
        .route("/livez", any(health::livez))
        .route("/readyz", any(health::readyz))
        .route("/metrics", any(health::metrics))
        .route("/openapi.json", any(page::openapi))
        .route("/", any(page::page))
        .fallback(not_found)
        .with_state(Arc::clone(shared))
        .layer(from_fn_with_state(Arc::clone(shared), guard));
    let router = match cors(&shared.origins) {
        Some(layer) => router.layer(layer),
        None => router,
    };
    router.layer(from_fn_with_state(Arc::clone(shared), observe))
}

async fn not_found(request: Request) -> Response {
    let path = names::shown(request.uri().path());
    Problem::new(Kind::NotFound, format!("There is nothing at {path}."))
        .with_hint("functions are at /v1/{slot}/{function}; /openapi.json lists them")
        .into_response()
}

/// Refuses what is neither GET nor HEAD.
fn only_reads(method: &Method) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let problem = Problem::new(Kind::Method, "This can only be read.").with_hint("use GET");
    Err(Refusal::not_offered(problem, "GET, HEAD"))
}
