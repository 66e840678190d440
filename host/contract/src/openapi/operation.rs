//! The operations of one function: `POST` with named arguments, and `GET` when it only reads.

use serde_json::{Map, Value, json};

use super::problem;
use super::schema::{Schemas, described, insert};
use crate::model::{Contract, Definition, Function, Type};
use crate::names::camel_case;
use crate::protocol::{JSON, NDJSON, STREAM_PROBLEM};
use crate::slot::{Repeat, Slot};
use crate::usage::Way;

impl Contract {
    /// Whether a value stands for itself in a query string, without the quotes that it has in
    /// JSON. Others are written there as JSON.
    pub fn is_text(&self, ty: &Type) -> bool {
        let ty = match self.behind(ty) {
            Type::Option(inner) => self.behind(inner),
            other => other,
        };
        match ty {
            Type::Char | Type::String | Type::Bytes | Type::Timestamp => true,
            Type::Named(name) => self
                .named(name)
                .is_some_and(|named| matches!(named.definition, Definition::Enum(_))),
            _ => false,
        }
    }
}

/// The path item of a function.
pub(super) fn path_item(slot: &Slot<'_>, schemas: &Schemas<'_>, function: &Function) -> Value {
    let repeat = slot.traits.repeat(&function.name);
    let mut item = json!({ "post": post(slot, schemas, function) });
    if repeat == Repeat::ReadOnly {
        insert(&mut item, "get", get(slot, schemas, function));
    }
    item
}

fn post(slot: &Slot<'_>, schemas: &Schemas<'_>, function: &Function) -> Value {
    let contract = slot.contract;
    let members = function.params.iter().map(|(name, ty)| (name.as_str(), ty, ""));
    let arguments = schemas.object(members, Way::In);
    let is_required = function.params.iter().any(|(_, ty)| !contract.is_option(ty));
    let mut operation = operation(slot, schemas, function, "");
    let body = json!({ "required": is_required, "content": { JSON: { "schema": arguments } } });
    insert(&mut operation, "requestBody", body);
    insert(&mut operation, "parameters", headers().collect());
    operation
}

fn get(slot: &Slot<'_>, schemas: &Schemas<'_>, function: &Function) -> Value {
    let parameters = function.params.iter().map(|(name, ty)| {
        let schema = schemas.ty(ty, Way::In);
        let mut parameter = json!({
            "name": camel_case(name),
            "in": "query",
            "required": !slot.contract.is_option(ty),
        });
        if is_plain(slot.contract, ty) {
            insert(&mut parameter, "schema", schema);
        } else {
            insert(&mut parameter, "content", json!({ JSON: { "schema": schema } }));
        }
        parameter
    });
    let parameters: Vec<Value> = parameters.chain(headers()).collect();
    let mut operation = operation(slot, schemas, function, "_get");
    insert(&mut operation, "parameters", json!(parameters));
    operation
}

/// Whether a query string has the value as its schema does: texts, integers and booleans.
fn is_plain(contract: &Contract, ty: &Type) -> bool {
    let inner = match contract.behind(ty) {
        Type::Option(inner) => contract.behind(inner),
        other => other,
    };
    contract.is_text(ty)
        || matches!(
            inner,
            Type::Bool
                | Type::S8
                | Type::U8
                | Type::S16
                | Type::U16
                | Type::S32
                | Type::U32
                | Type::S64
                | Type::U64
        )
}

/// What both operations have.
fn operation(slot: &Slot<'_>, schemas: &Schemas<'_>, function: &Function, suffix: &str) -> Value {
    let (value, failure) = slot.contract.outcome(function);
    let nothing = || json!({ "type": "null" });
    let schema = value.map_or_else(nothing, |ty| schemas.ty(ty, Way::Out));
    let mut content = json!({ JSON: { "schema": schema } });
    if let Some(element) = slot.streamed(function) {
        insert(&mut content, NDJSON, json!({ "schema": lines(&schemas.ty(element, Way::Out)) }));
    }
    let failure =
        failure.map(|ty| problem::failure(&ty.map_or_else(nothing, |ty| schemas.ty(ty, Way::Out))));
    let mut responses = Map::new();
    let response = json!({
        "description": "What the function gives.",
        "headers": { "X-Request-Id": { "$ref": "#/components/headers/RequestId" } },
        "content": content,
    });
    responses.insert("200".to_owned(), response);
    responses.extend(problem::references(failure));
    let id = format!("{}_{}{suffix}", camel_case(slot.name), camel_case(&function.name));
    let mut operation = json!({ "operationId": id, "tags": [slot.name] });
    if let Some(summary) = summary(&function.docs) {
        insert(&mut operation, "summary", json!(summary));
    }
    let repeat = match slot.traits.repeat(&function.name) {
        Repeat::No => "",
        Repeat::ReadOnly => "It only reads: safe to repeat.",
        Repeat::Transactional => "It is one transaction: safe to repeat.",
    };
    let docs = [function.docs.as_str(), repeat].join("\n\n");
    operation = described(operation, docs.trim());
    insert(&mut operation, "responses", Value::Object(responses));
    operation
}

/// The schema of each line of a streamed result.
fn lines(element: &Value) -> Value {
    json!({
        "description": "One line each; the last one is a problem when the call failed midway.",
        "anyOf": [
            element,
            {
                "type": "object",
                "properties": { STREAM_PROBLEM: { "$ref": "#/components/schemas/Problem" } },
                "required": [STREAM_PROBLEM],
                "additionalProperties": false,
            },
        ],
    })
}

/// The first sentence, on one line.
fn summary(docs: &str) -> Option<String> {
    let paragraph = docs.split("\n\n").next()?.replace('\n', " ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    let sentence = paragraph.get(..end)?.trim_end_matches('.').to_owned();
    (!sentence.is_empty()).then_some(sentence)
}

/// Headers that every call takes.
fn headers() -> impl Iterator<Item = Value> {
    ["Key", "Fresh", "Timeout", "RequestId"]
        .into_iter()
        .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
}
