//! JSON Schema (draft 2020-12) of each type, as the engine's JSON has it.
//!
//! Owns the names under `components/schemas`: `chat.Message`, and `chat.MessageInput` where the
//! form for arguments is another one. Where the engine is lenient (integers as strings, a case
//! without a value as its tag alone) the schema describes the form that it gives, but for 64-bit
//! integers, which many callers can only send exactly as strings.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Case, Definition, Field, Label, NamedType, Type, TypeName};
use crate::names::{camel_case, type_names};
use crate::slot::Slot;
use crate::usage::{Usage, Way};

/// The schemas of one slot.
pub(super) struct Schemas<'a> {
    slot: Slot<'a>,
    prefix: String,
    names: BTreeMap<TypeName, String>,
    usage: Usage<'a>,
}

impl<'a> Schemas<'a> {
    pub(super) fn of(slot: Slot<'a>) -> Self {
        let names = type_names(slot.contract, &[]);
        let usage = Usage::of(&slot, |ty| matches!(ty, Type::S64 | Type::U64));
        Self { slot, prefix: component_name(slot.name), names, usage }
    }

    /// All that functions use, under their names.
    pub(super) fn definitions(&self) -> Vec<(String, Value)> {
        let mut list = Vec::new();
        for (name, named, ways) in self.usage.types() {
            for way in ways {
                list.push((self.name(&name, way), self.named(named, way)));
            }
        }
        list
    }

    fn name(&self, name: &TypeName, way: Way) -> String {
        let own = self.names.get(name).map_or(name.name.as_str(), String::as_str);
        let suffix = if self.usage.is_second(name, way) { "Input" } else { "" };
        format!("{}.{own}{suffix}", self.prefix)
    }

    fn named(&self, ty: &NamedType, way: Way) -> Value {
        let schema = match &ty.definition {
            Definition::Alias(other) => self.ty(other, way),
            Definition::Record(fields) => self.record(fields, way),
            Definition::Variant(cases) => {
                json!({ "oneOf": cases.iter().map(|one| self.case(one, way)).collect::<Vec<_>>() })
            }
            Definition::Enum(names) => json!({ "type": "string", "enum": labels(names) }),
            Definition::Flags(names) => {
                json!({ "type": "array", "items": { "type": "string", "enum": labels(names) } })
            }
            Definition::Unsupported(_) => json!(false),
        };
        let docs = match &ty.definition {
            Definition::Enum(names) | Definition::Flags(names) => with_labels(&ty.docs, names),
            _ => ty.docs.clone(),
        };
        described(schema, &docs)
    }

    fn record(&self, fields: &[Field], way: Way) -> Value {
        let fields = fields.iter().map(|one| (one.name.as_str(), &one.ty, one.docs.as_str()));
        self.object(fields, way)
    }

    /// An object with these members and no others.
    pub(super) fn object<'t>(
        &self,
        members: impl Iterator<Item = (&'t str, &'t Type, &'t str)>,
        way: Way,
    ) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, ty, docs) in members {
            let key = camel_case(name);
            if way == Way::Out || !self.slot.contract.is_option(ty) {
                required.push(key.clone());
            }
            properties.insert(key, described(self.ty(ty, way), docs));
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            insert(&mut schema, "required", json!(required));
        }
        insert(&mut schema, "additionalProperties", json!(false));
        schema
    }

    fn case(&self, case: &Case, way: Way) -> Value {
        described(self.tagged(&case.name, case.ty.as_ref(), way), &case.docs)
    }

    fn tagged(&self, tag: &str, ty: Option<&Type>, way: Way) -> Value {
        let mut properties = json!({ "tag": { "type": "string", "const": tag } });
        let mut required = vec!["tag"];
        if let Some(ty) = ty {
            insert(&mut properties, "val", self.ty(ty, way));
            if way == Way::Out || !self.slot.contract.is_option(ty) {
                required.push("val");
            }
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    /// The schema of a value, by reference where its type has a name.
    pub(super) fn ty(&self, ty: &Type, way: Way) -> Value {
        match ty {
            Type::Named(name) => {
                json!({ "$ref": format!("#/components/schemas/{}", self.name(name, way)) })
            }
            Type::List(ty) => json!({ "type": "array", "items": self.ty(ty, way) }),
            Type::Tuple(types) if types.is_empty() => json!({ "type": "array", "maxItems": 0 }),
            Type::Tuple(types) => json!({
                "type": "array",
                "prefixItems": types.iter().map(|ty| self.ty(ty, way)).collect::<Vec<_>>(),
                "minItems": types.len(),
                "maxItems": types.len(),
            }),
            Type::Option(inner) => {
                let schema = if self.slot.contract.is_option(inner) {
                    self.tagged("some", Some(inner), way)
                } else {
                    self.ty(inner, way)
                };
                json!({ "anyOf": [schema, { "type": "null" }] })
            }
            Type::Result { ok, err } => json!({ "oneOf": [
                self.tagged("ok", ok.as_deref(), way),
                self.tagged("err", err.as_deref(), way),
            ] }),
            Type::Unsupported(_) => json!(false),
            other => scalar(other, way),
        }
    }
}

fn scalar(ty: &Type, way: Way) -> Value {
    match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::S8 => integer("int32", i8::MIN, i8::MAX),
        Type::U8 => integer("int32", u8::MIN, u8::MAX),
        Type::S16 => integer("int32", i16::MIN, i16::MAX),
        Type::U16 => integer("int32", u16::MIN, u16::MAX),
        Type::S32 => integer("int32", i32::MIN, i32::MAX),
        Type::U32 => integer("int64", u32::MIN, u32::MAX),
        Type::S64 => long(integer("int64", i64::MIN, i64::MAX), "^-?[0-9]+$", way),
        Type::U64 => long(integer("int64", u64::MIN, u64::MAX), "^[0-9]+$", way),
        Type::F32 => float("float"),
        Type::F64 => float("double"),
        Type::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Type::String => json!({ "type": "string" }),
        Type::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Type::Timestamp => json!({
            "type": "string",
            "anyOf": [{ "format": "date-time" }, { "enum": ["infinity", "-infinity"] }],
        }),
        // `Json`, and what is handled before.
        _ => json!({}),
    }
}

fn integer<T: Into<Value>>(format: &str, minimum: T, maximum: T) -> Value {
    json!({
        "type": "integer",
        "format": format,
        "minimum": minimum.into(),
        "maximum": maximum.into(),
    })
}

/// A 64-bit integer: as an argument also a string of digits.
fn long(mut schema: Value, pattern: &str, way: Way) -> Value {
    if way == Way::In {
        insert(&mut schema, "type", json!(["integer", "string"]));
        insert(&mut schema, "pattern", json!(pattern));
    }
    schema
}

fn float(format: &str) -> Value {
    json!({ "anyOf": [
        { "type": "number", "format": format },
        { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] },
    ] })
}

fn labels(names: &[Label]) -> Vec<&str> {
    names.iter().map(|one| one.name.as_str()).collect()
}

/// Documentation followed by that of each name, which JSON Schema has no place for.
fn with_labels(docs: &str, names: &[Label]) -> String {
    let mut text = docs.to_owned();
    for one in names.iter().filter(|one| !one.docs.is_empty()) {
        if text == docs && !docs.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("\n* `{}`: {}", one.name, one.docs.replace('\n', " ")));
    }
    text.trim_start().to_owned()
}

pub(super) fn described(mut schema: Value, docs: &str) -> Value {
    if !docs.is_empty() {
        insert(&mut schema, "description", json!(docs));
    }
    schema
}

pub(super) fn insert(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}

/// A name that OpenAPI allows for a component (OpenAPI 3.1, "Components Object").
fn component_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if fits(c) { c } else { '_' }).collect()
}
