//! `POST /v1/batch`: several calls in one request, carried out one after the other in their order.
//!
//! Each is a call of its own, with its own transaction; one that fails does not stop the next.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::Method;
use serde_json::{Map, Value};

use super::prepare::{self, Terms};
use super::refusal::Refusal;
use super::{answer, call};
use crate::auth::Caller;
use crate::json;
use crate::problem::{Kind, Problem};
use crate::request::{self, Limit};
use crate::shared::Shared;

/// The longest answer of a batch, in bytes; what comes after it is not called any more.
const LONGEST: usize = 32 << 20;

/// One call of a batch.
struct Entry {
    slot: String,
    function: String,
    arguments: Map<String, Value>,
    key: Option<String>,
}

pub(super) async fn batch(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match carry_out(&shared, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn carry_out(shared: &Arc<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let caller = prepare::caller(shared, &parts.headers).await?;
    if parts.method != Method::POST {
        let problem =
            Problem::new(Kind::Method, "A batch is sent with POST.").with_hint("use POST");
        return Err(Refusal::not_offered(problem, "POST"));
    }
    let terms = Terms::of(&parts, shared.limits.request_time.0)?;
    if terms.key.is_some() {
        let problem =
            Problem::new(Kind::Request, "One routing key can not stand for several calls.");
        return Err(problem.with_hint("give each call its own `key`").into());
    }
    let _turn =
        shared.admission.enter(terms.deadline).await.inspect_err(|_| shared.metrics.shed())?;
    let limit = Limit { bytes: shared.limits.body.0, until: terms.deadline };
    let body = request::bytes(&parts.headers, body, limit).await?;
    let entries = entries(shared, &body)?;
    let id = prepare::id(&parts.extensions);
    let mut out = Vec::from(*b"[");
    for (index, entry) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let terms = Terms { key: entry.key.clone(), ..terms.clone() };
        match one(shared, &caller, entry, terms, out.len()).await {
            Ok(result) => {
                out.extend_from_slice(b"{\"result\":");
                out.extend_from_slice(&result);
                out.push(b'}');
            }
            Err(problem) => {
                let document = serde_json::json!({ "problem": problem.document(&id) });
                out.extend_from_slice(document.to_string().as_bytes());
            }
        }
    }
    out.push(b']');
    Ok(answer::write_batch(shared, out)?)
}

async fn one(
    shared: &Shared,
    caller: &Caller,
    entry: Entry,
    terms: Terms,
    written: usize,
) -> Result<Vec<u8>, Problem> {
    let name = || format!("{}.{}", entry.slot, entry.function);
    if terms.deadline <= Instant::now() {
        let detail =
            "The time of the batch had passed before this call began; it was not carried out.";
        return Err(Problem::new(Kind::Deadline, detail).with_hint("send fewer calls at once"));
    }
    let too_much = |name: &str| {
        let detail = format!("The answer of the batch has no room for that of {name}.");
        Problem::new(Kind::Limit, detail).with_hint("send fewer calls at once")
    };
    if written >= LONGEST {
        return Err(too_much(&format!("{}, which was not carried out", name())));
    }
    let target = prepare::target(shared, caller, &entry.slot, &entry.function);
    let target = target.map_err(Refusal::into_problem)?;
    let request = target.request(caller, entry.arguments, terms)?;
    let answer = answer::of(shared, request).await?;
    let body = answer::body(&answer.result.map_err(Problem::failure)?)?;
    if written.saturating_add(body.len()) > LONGEST {
        return Err(too_much(&format!("{}.{}", entry.slot, entry.function)));
    }
    Ok(body)
}

fn entries(shared: &Shared, body: &[u8]) -> Result<Vec<Entry>, Problem> {
    let hint = "send an array of `{\"slot\":…,\"function\":…,\"arguments\":{…}}`";
    let refused = |detail: String| Problem::new(Kind::Request, detail).with_hint(hint);
    // The array and the entry around the arguments are not the caller's depth.
    let depth = (shared.limits.json_depth + 2).min(json::DEEPEST);
    let value = json::read(body, depth).map_err(|error| call::malformed(&error))?;
    let Value::Array(values) = value else {
        return Err(refused(format!(
            "The body is {}, where an array is expected.",
            json::kind_of(&value)
        )));
    };
    if values.len() > shared.limits.batch {
        let detail = format!("The batch has more than {} calls.", shared.limits.batch);
        return Err(Problem::new(Kind::Request, detail).with_hint("send fewer calls at once"));
    }
    let entries = values.into_iter().enumerate().map(|(index, value)| {
        entry(value)
            .ok_or_else(|| refused(format!("Call {index} of the batch is not as expected.")))
    });
    entries.collect()
}

fn entry(value: Value) -> Option<Entry> {
    let Value::Object(mut object) = value else { return None };
    let mut text = |name: &str| match object.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (slot, function) = (text("slot")?, text("function")?);
    let key = match object.shift_remove("key") {
        None => None,
        Some(Value::String(key)) => Some(key).filter(|key| request::is_key(key)).map(Some)?,
        Some(_) => return None,
    };
    let arguments = match object.shift_remove("arguments") {
        None => Map::new(),
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return None,
    };
    object.is_empty().then_some(Entry { slot, function, arguments, key })
}
