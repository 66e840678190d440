//! `/v1/{slot}/{function}`: one call. `POST` with an object of arguments; `GET` with a query for
//! functions that change nothing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{Method, header};
use http_body::Body as _;
use serde_json::{Map, Value};

use super::prepare::{self, Target, Terms};
use super::refusal::Refusal;
use super::{answer, stream};
use crate::backend::Repeat;
use crate::json;
use crate::problem::{Kind, Problem};
use crate::request::{self, Form, Limit};
use crate::shared::Shared;

pub(super) async fn call(
    State(shared): State<Arc<Shared>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    match carry_out(&shared, path, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn carry_out(
    shared: &Arc<Shared>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let caller = prepare::caller(shared, &parts.headers).await?;
    let Path((slot, function)) = path.map_err(|_| {
        Problem::new(Kind::Request, "The path is not UTF-8.")
            .with_hint("percent-encode it as UTF-8")
    })?;
    let target = prepare::target(shared, &caller, &slot, &function)?;
    target.note(&parts.extensions);
    check_method(&parts.method, &target)?;
    let form = request::form(&parts.headers).ok_or_else(not_acceptable)?;
    let longest = match form {
        Form::Json => shared.limits.request_time.0,
        Form::Lines => shared.limits.stream_time.0,
    };
    let terms = Terms::of(&parts, longest)?;
    let turn =
        shared.admission.enter(terms.deadline).await.inspect_err(|_| shared.metrics.shed())?;
    let arguments = arguments(shared, &parts, body, &target, &terms).await?;
    let cache = target.traits.cache;
    let request = target.request(&caller, arguments, terms)?;
    match form {
        Form::Lines => {
            let id = prepare::id(&parts.extensions);
            stream::begin(shared, request, turn, id).await.map_err(Refusal::from)
        }
        Form::Json => {
            let answer = answer::of(shared, request).await?;
            drop(turn);
            let written = if parts.method == Method::POST {
                answer::write(shared, answer)
            } else {
                let is_private = shared.auth.current().is_configured();
                answer::write_cached(shared, answer, &parts.headers, cache, is_private)
            };
            written.map_err(Refusal::from)
        }
    }
}

fn check_method(method: &Method, target: &Target) -> Result<(), Refusal> {
    let is_read_only = target.traits.repeat == Repeat::ReadOnly;
    match *method {
        Method::POST => return Ok(()),
        Method::GET | Method::HEAD if is_read_only => return Ok(()),
        _ => {}
    }
    let (hint, offered) = if is_read_only {
        ("use GET or POST", "GET, HEAD, POST")
    } else {
        ("use POST; GET is for functions declared read-only", "POST")
    };
    let detail = format!("{}.{} is not offered with that method.", target.slot, target.function);
    Err(Refusal::not_offered(Problem::new(Kind::Method, detail).with_hint(hint), offered))
}

async fn arguments(
    shared: &Shared,
    parts: &Parts,
    body: Body,
    target: &Target,
    terms: &Terms,
) -> Result<Map<String, Value>, Problem> {
    let depth = shared.limits.json_depth;
    let query = parts.uri.query().unwrap_or_default();
    if parts.method != Method::POST {
        if body.size_hint().lower() > 0 || parts.headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(Problem::new(Kind::Request, "A GET has no body here.")
                .with_hint("write the arguments into the query, or use POST"));
        }
        return request::query_arguments(query, &target.traits.parameters, depth);
    }
    if !query.is_empty() {
        return Err(Problem::new(
            Kind::Request,
            "A POST has its arguments in its body, not in a query.",
        )
        .with_hint("send them as a JSON object"));
    }
    let until = terms.deadline.min(std::time::Instant::now() + shared.limits.request_time.0);
    let limit = Limit { bytes: shared.limits.body.0, until };
    let body = request::bytes(&parts.headers, body, limit).await?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    json::read_object(&body, depth).map_err(|error| malformed(&error))
}

/// The problem with a body that is not acceptable JSON.
pub(super) fn malformed(error: &json::JsonError) -> Problem {
    Problem::new(Kind::Json, format!("{error}.")).with_hint(error.hint())
}

fn not_acceptable() -> Problem {
    Problem::new(Kind::NotAcceptable, "The answer can be given as JSON or as lines of JSON only.")
        .with_hint("accept `application/json` or `application/x-ndjson`")
}
