//! What stands at the top level of a block.

use super::tables::{column_text, row, table, view};
use super::words::{
    data_type, expression, object, objects, optional, reference, sequence_options, string, word,
};
use super::{body_docs, commented, docs, entry, indent};
use crate::syntax::{
    Composite, Domain, Enum, Extension, Item, Object, Schema, Sequence, Use, UseKind,
};

pub(super) fn use_item(item: &Use, out: &mut String) {
    let last = item.path.rsplit("::").next().unwrap_or_default();
    let (kind, implied) = match item.kind {
        UseKind::Table => ("", last.to_owned()),
        UseKind::Type => ("type ", crate::rust::snake_case(last)),
    };
    let implied = item.name.schema == "public" && item.name.name == implied;
    let name = if implied { String::new() } else { format!(" as {}", object(&item.name)) };
    out.push_str(&format!("{}use {kind}{}{name};\n", indent(1), item.path));
}

pub(super) fn item(item: &Item, out: &mut String) {
    match item {
        Item::Schema(item) => schema(item, out),
        Item::Extension(item) => extension(item, out),
        Item::Enum(item) => enumeration(item, out),
        Item::Domain(item) => domain(item, out),
        Item::Composite(item) => composite(item, out),
        Item::Sequence(item) => sequence(item, out),
        Item::Table(item) => table(item, out),
        Item::View(item) => view(item, out),
        Item::Object(item) => object_item(item, out),
    }
}

fn statement(text: &str, out: &mut String) {
    out.push_str(&indent(1));
    out.push_str(text);
    out.push_str(";\n");
}

fn schema(schema: &Schema, out: &mut String) {
    docs(&schema.docs, 1, out);
    let mut text = format!("schema {}", word(&schema.name.text));
    commented(schema.comment.as_ref(), &mut text);
    statement(&text, out);
}

fn extension(extension: &Extension, out: &mut String) {
    docs(&extension.docs, 1, out);
    let mut text = format!("extension {}", word(&extension.name.text));
    if let Some(schema) = &extension.schema {
        text.push_str(&format!(" schema {}", word(&schema.text)));
    }
    if let Some(version) = &extension.version {
        text.push_str(&format!(" version {}", string(version)));
    }
    statement(&text, out);
}

fn enumeration(item: &Enum, out: &mut String) {
    docs(&item.docs, 1, out);
    let name = object(&item.name);
    out.push_str(&format!("{}enum {name}{} {{\n", indent(1), row(item.rust.as_ref())));
    for value in &item.values {
        body_docs(&value.docs, out);
        entry(&format!("{}{}", word(&value.name.text), row(value.rust.as_ref())), out);
    }
    body_end(item.comment.as_ref(), out);
}

fn composite(composite: &Composite, out: &mut String) {
    docs(&composite.docs, 1, out);
    let name = object(&composite.name);
    out.push_str(&format!("{}type {name}{} {{\n", indent(1), row(composite.rust.as_ref())));
    for attribute in &composite.attributes {
        body_docs(&attribute.docs, out);
        entry(&column_text(attribute), out);
    }
    body_end(composite.comment.as_ref(), out);
}

fn body_end(comment: Option<&String>, out: &mut String) {
    if let Some(comment) = comment {
        entry(&format!("comment {}", string(comment)), out);
    }
    out.push_str(&indent(1));
    out.push_str("}\n");
}

fn domain(domain: &Domain, out: &mut String) {
    docs(&domain.docs, 1, out);
    let mut text = format!("domain {}: {}", object(&domain.name), data_type(&domain.data_type));
    if let Some(collation) = &domain.collation {
        text.push_str(&format!(" collate {}", reference(collation)));
    }
    if domain.not_null {
        text.push_str(" not null");
    }
    if let Some(default) = &domain.default {
        text.push_str(&format!(" = {}", expression(default)));
    }
    for check in &domain.checks {
        let name = optional(check.name.as_ref());
        text.push_str(&format!(" check {name}{}", string(&check.expression)));
    }
    commented(domain.comment.as_ref(), &mut text);
    statement(&text, out);
}

fn sequence(sequence: &Sequence, out: &mut String) {
    docs(&sequence.docs, 1, out);
    let unlogged = if sequence.unlogged { "unlogged " } else { "" };
    let options = sequence_options(&sequence.options);
    let mut text = format!("{unlogged}sequence {}{options}", object(&sequence.name));
    if let Some((table, column)) = &sequence.owned_by {
        text.push_str(&format!(" owned by {} ({})", object(table), word(&column.text)));
    }
    commented(sequence.comment.as_ref(), &mut text);
    statement(&text, out);
}

fn object_item(item: &Object, out: &mut String) {
    docs(&item.docs, 1, out);
    let mut head = format!("object {}", word(&item.name.text));
    if !item.depends_on.is_empty() {
        head.push_str(&format!(" depends on {}", objects(&item.depends_on)));
    }
    out.push_str(&format!("{}{head} {{\n", indent(1)));
    for statement in &item.create {
        entry(&format!("create {}", string(statement)), out);
    }
    if let Some(statement) = &item.drop {
        entry(&format!("drop {}", string(statement)), out);
    }
    out.push_str(&indent(1));
    out.push_str("}\n");
}
