//! OpenAPI 3.1 of what a host serves.
//!
//! Owns the document. What is in it is as the engine has it (JSON) and as the server has it
//! (`crate::protocol`).

mod operation;
mod problem;
mod schema;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::protocol::{
    BATCH_PATH, FRESH_HEADER, JSON, KEY_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER, call_path,
};
use crate::slot::Slot;
use schema::{Schemas, described};

/// How JSON stands for WIT's values, for the head of the document.
const MAPPING: &str = "\
Arguments are one JSON object with the parameters' names in camelCase. Options may be `null` or \
absent in arguments and are there, as `null`, in results. 64-bit integers have all their digits, \
which some readers of JSON round; as arguments they may be strings of digits. Bytes are base64 \
(RFC 4648, section 4). Points in time are RFC 3339 texts in UTC with microseconds, `infinity` or \
`-infinity`. Variants are `{\"tag\": …, \"val\": …}`, without `val` where a case has none.";

/// The head of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// What is served, such as the project's name.
    pub title: String,
    /// The version of what is served.
    pub version: String,
    /// More about it; may be empty. How values stand in JSON is said after it.
    pub description: String,
    /// Base URLs; may be empty, which is where the document is.
    pub servers: Vec<String>,
}

/// The OpenAPI document of these slots. The same slots give the same document, its members in the
/// same order. Functions with types that JSON has no form for are named in their slot's
/// description and left out.
pub fn openapi(slots: &[Slot<'_>], info: &Info) -> Value {
    let mut tags = Vec::new();
    let mut paths = Map::new();
    let mut definitions = Map::new();
    for slot in slots {
        tags.push(tag(slot));
        let schemas = Schemas::of(*slot);
        for (_, function) in slot.callable() {
            let path = call_path(slot.name, &function.name);
            paths.insert(path, operation::path_item(slot, &schemas, function));
        }
        definitions.extend(schemas.definitions());
    }
    paths.insert(BATCH_PATH.to_owned(), batch(slots));
    definitions.insert("Problem".to_owned(), problem::schema());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title,
            "version": info.version,
            "description": format!("{}\n\n{MAPPING}", info.description).trim(),
        },
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
    });
    if !info.servers.is_empty() {
        let servers = info.servers.iter().map(|url| json!({ "url": url })).collect();
        schema::insert(&mut document, "servers", Value::Array(servers));
    }
    let components = json!({
        "schemas": definitions,
        "responses": problem::responses(),
        "parameters": parameters(),
        "headers": { "RequestId": {
            "description": "The id of the request.",
            "schema": { "type": "string" },
        } },
        "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
    });
    let rest = [
        ("security", json!([{ "bearer": [] }])),
        ("tags", Value::Array(tags)),
        ("paths", Value::Object(paths)),
        ("components", components),
    ];
    for (key, value) in rest {
        schema::insert(&mut document, key, value);
    }
    document
}

fn tag(slot: &Slot<'_>) -> Value {
    let exported = || slot.contract.interfaces.iter().filter(|one| one.exported);
    let mut texts: Vec<String> = Vec::new();
    for interface in exported() {
        for text in [&interface.package_docs, &interface.docs] {
            if !text.is_empty() && !texts.contains(text) {
                texts.push(text.clone());
            }
        }
    }
    let functions = exported().flat_map(|interface| &interface.functions);
    for function in functions {
        if let Some(what) = slot.contract.unsupported_in(function) {
            texts.push(format!("`{}` can not be called with JSON: it uses {what}.", function.name));
        }
    }
    described(json!({ "name": slot.name }), &texts.join("\n\n"))
}

fn parameters() -> Value {
    let header = |name: &str, docs: &str, schema: Value| json!({ "name": name, "in": "header", "description": docs, "schema": schema });
    json!({
        "Key": header(
            KEY_HEADER,
            "What the call is about, such as a tenant: calls of one key go to one generation.",
            json!({ "type": "string" }),
        ),
        "Fresh": header(
            FRESH_HEADER,
            "`true` to read what was written before.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        ),
        "Timeout": header(
            TIMEOUT_HEADER,
            "Milliseconds within which the answer is wanted.",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        "RequestId": header(
            REQUEST_ID_HEADER,
            "An id for the request; without one the host chooses it.",
            json!({ "type": "string" }),
        ),
    })
}

fn batch(slots: &[Slot<'_>]) -> Value {
    let names: Vec<&str> = slots.iter().map(|slot| slot.name).collect();
    let mut slot = json!({ "type": "string" });
    if !names.is_empty() {
        schema::insert(&mut slot, "enum", json!(names));
    }
    let call = json!({
        "type": "object",
        "properties": {
            "slot": slot,
            "function": { "type": "string" },
            "arguments": { "type": "object" },
        },
        "required": ["slot", "function"],
        "additionalProperties": false,
    });
    let member = |name: &str, value: Value| {
        json!({
            "type": "object",
            "properties": { name: value },
            "required": [name],
            "additionalProperties": false,
        })
    };
    let outcome = json!({ "oneOf": [
        member("result", json!({})),
        member("problem", json!({ "$ref": "#/components/schemas/Problem" })),
    ] });
    let mut responses = Map::new();
    let good = json!({
        "description": "What each call gave, in the order of the calls.",
        "content": { JSON: { "schema": { "type": "array", "items": outcome } } },
    });
    responses.insert("200".to_owned(), good);
    responses.extend(problem::references(None));
    json!({ "post": {
        "operationId": "batch",
        "summary": "Several calls in one request",
        "description": "Each call stands for itself: one that fails touches no other.",
        "requestBody": {
            "required": true,
            "content": { JSON: { "schema": { "type": "array", "items": call } } },
        },
        "responses": responses,
    } })
}
