//! What a request has to pass before it is answered. Never: knows functions.

mod admission;
mod host;
mod origin;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

pub(crate) use admission::Admission;
pub(crate) use host::Hosts;
pub(crate) use origin::cors;

use crate::shared::Shared;

/// How a request reached the server; the connection puts it into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    /// Whether it came to an address that only this machine has.
    pub(crate) on_loopback: bool,
}

/// The layer: a host that is served here, and no foreign web page.
pub(crate) async fn guard(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    // A request that nobody marked counts as one on loopback, where more is checked.
    let on_loopback = request.extensions().get::<Arrived>().is_none_or(|a| a.on_loopback);
    let passed = shared
        .hosts
        .check(&request, on_loopback)
        .and_then(|()| origin::check(&request, &shared.origins));
    match passed {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
