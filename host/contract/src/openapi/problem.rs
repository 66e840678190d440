//! Failures in the document: problem documents (RFC 9457) and the statuses that have them.

use serde_json::{Map, Value, json};

use super::schema::insert;
use crate::protocol::{FAILURE_TYPE, PROBLEM_JSON};

/// Statuses with a plain problem document, names under `components/responses`, and meanings.
const STATUSES: [(&str, &str, &str); 13] = [
    ("400", "BadRequest", "The request or an argument is malformed; `detail` says which."),
    ("401", "Unauthorized", "The bearer token is missing, unknown or expired."),
    ("403", "Forbidden", "The token does not reach this function or these arguments."),
    ("404", "NotFound", "There is no such slot or function."),
    ("408", "RequestTimeout", "The request did not arrive in time; nothing was done."),
    (
        "409",
        "Conflict",
        "The database refused: a constraint, or a conflict with another transaction.",
    ),
    ("413", "ContentTooLarge", "The request is larger than the host takes."),
    ("415", "UnsupportedMediaType", "The body is not `application/json`."),
    ("422", "Unprocessable", "The call was understood and could not be carried out."),
    ("429", "TooManyRequests", "More calls than the slot takes; see `Retry-After`."),
    ("500", "InternalServerError", "The component or the host failed; `blame` says which."),
    ("503", "ServiceUnavailable", "The host or its database can not serve now; see `Retry-After`."),
    ("504", "GatewayTimeout", "The call did not end in time."),
];

/// The schema of a problem document.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "description": "Why a call has no result (RFC 9457).",
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "description": "Which kind of problem; stable." },
            "title": { "type": "string", "description": "The kind, in words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status." },
            "detail": { "type": "string", "description": "What happened, for people." },
            "instance": { "type": "string", "description": "The id of the request, as in `X-Request-Id`." },
            "sqlstate": { "type": "string", "pattern": "^[0-9A-Z]{5}$", "description": "What Postgres said." },
            "constraint": { "type": "string", "description": "The constraint that was violated." },
            "table": { "type": "string", "description": "The table concerned." },
            "column": { "type": "string", "description": "The column concerned." },
            "blame": { "type": "string", "description": "Whose fault it is: `caller`, `component`, `host` or `database`." },
            "retryable": { "type": "boolean", "description": "Whether the same call may succeed later, with no harm done by making it again." },
        },
        "required": ["type", "title", "status"],
    })
}

/// A problem document that carries a component's own failure.
pub(super) fn failure(schema: &Value) -> Value {
    json!({
        "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            {
                "type": "object",
                "properties": {
                    "type": { "type": "string", "const": FAILURE_TYPE },
                    "failure": schema,
                },
                "required": ["type", "failure"],
            },
        ],
    })
}

/// `components/responses`.
pub(super) fn responses() -> Value {
    let mut all = Map::new();
    for (status, name, meaning) in STATUSES {
        let mut response = json!({
            "description": meaning,
            "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
        if matches!(status, "429" | "503") {
            let header = json!({
                "Retry-After": {
                    "description": "Seconds after which to try again.",
                    "schema": { "type": "integer", "minimum": 0 },
                },
            });
            insert(&mut response, "headers", header);
        }
        all.insert(name.to_owned(), response);
    }
    Value::Object(all)
}

/// The responses of every operation but the good one.
pub(super) fn references(failure: Option<Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (status, name, _) in STATUSES {
        all.insert(status.to_owned(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    if let Some(schema) = failure {
        let response = json!({
            "description": "The function failed as its contract says.",
            "content": { PROBLEM_JSON: { "schema": schema } },
        });
        all.insert("422".to_owned(), response);
    }
    all
}
