//! Schemas, extensions, types and sequences.

use super::comments::comment;
use super::{Out, Step, literal, object_name, quoted, reference};
use crate::syntax::{
    Composite, Domain, Enum, Extension, Schema, Sequence, SequenceOptions, Type, TypeName,
};

pub(super) fn schema(schema: &Schema, out: &mut Out<'_>) {
    out.at = schema.name.at;
    let name = quoted(&schema.name.text);
    // `public` is there from the start.
    out.push(
        Step::Schema,
        format!("schema {}", schema.name),
        format!("create schema if not exists {name}"),
    );
    comment(out, &format!("schema {name}"), schema.comment.as_deref());
}

pub(super) fn extension(extension: &Extension, out: &mut Out<'_>) {
    out.at = extension.name.at;
    let mut sql = format!("create extension if not exists {}", quoted(&extension.name.text));
    if let Some(schema) = &extension.schema {
        sql.push_str(&format!(" schema {}", quoted(&schema.text)));
    }
    if let Some(version) = &extension.version {
        sql.push_str(&format!(" version {}", literal(version)));
    }
    out.push(Step::Extension, format!("extension {}", extension.name), sql);
}

pub(super) fn enumeration(item: &Enum, out: &mut Out<'_>) {
    out.at = item.name.at;
    let name = object_name(&item.name);
    let values: Vec<String> = item.values.iter().map(|value| literal(&value.name.text)).collect();
    let sql = format!("create type {name} as enum ({})", values.join(", "));
    out.push(Step::Enum, format!("enum {}", item.name), sql);
    comment(out, &format!("type {name}"), item.comment.as_deref());
}

pub(super) fn composite(composite: &Composite, out: &mut Out<'_>) {
    out.at = composite.name.at;
    let name = object_name(&composite.name);
    let attributes: Vec<String> = composite
        .attributes
        .iter()
        .map(|attribute| {
            let mut sql =
                format!("{} {}", quoted(&attribute.name.text), type_sql(&attribute.data_type));
            if let Some(collation) = &attribute.collation {
                sql.push_str(&format!(" collate {}", reference(collation)));
            }
            sql
        })
        .collect();
    let sql = format!("create type {name} as ({})", attributes.join(", "));
    out.push(Step::Type, format!("type {}", composite.name), sql);
    comment(out, &format!("type {name}"), composite.comment.as_deref());
}

pub(super) fn domain(domain: &Domain, out: &mut Out<'_>) {
    out.at = domain.name.at;
    let name = object_name(&domain.name);
    let mut sql = format!("create domain {name} as {}", type_sql(&domain.data_type));
    if let Some(collation) = &domain.collation {
        sql.push_str(&format!(" collate {}", reference(collation)));
    }
    if let Some(default) = &domain.default {
        sql.push_str(&format!(" default ({default})"));
    }
    if domain.not_null {
        sql.push_str(" not null");
    }
    for check in &domain.checks {
        if let Some(name) = &check.name {
            sql.push_str(&format!(" constraint {}", quoted(&name.text)));
        }
        sql.push_str(&format!(" check ({})", check.expression));
    }
    out.push(Step::Type, format!("domain {}", domain.name), sql);
    comment(out, &format!("domain {name}"), domain.comment.as_deref());
}

pub(super) fn sequence(sequence: &Sequence, out: &mut Out<'_>) {
    out.at = sequence.name.at;
    let name = object_name(&sequence.name);
    let unlogged = if sequence.unlogged { "unlogged " } else { "" };
    let what = format!("sequence {}", sequence.name);
    let options = sequence_options(&sequence.options);
    out.push(Step::Sequence, &what, format!("create {unlogged}sequence {name}{options}"));
    if let Some((table, column)) = &sequence.owned_by {
        let owner = format!("{}.{}", object_name(table), quoted(&column.text));
        out.push(Step::Owner, &what, format!("alter sequence {name} owned by {owner}"));
    }
    comment(out, &format!("sequence {name}"), sequence.comment.as_deref());
}

/// With a space before each.
pub(super) fn sequence_options(options: &SequenceOptions) -> String {
    let mut sql = String::new();
    if let Some(data_type) = &options.data_type {
        sql.push_str(&format!(" as {}", type_sql(&Type::plain(data_type))));
    }
    for (words, value) in [
        ("increment by", options.increment),
        ("minvalue", options.minimum),
        ("maxvalue", options.maximum),
        ("start with", options.start),
        ("cache", options.cache),
    ] {
        if let Some(value) = value {
            sql.push_str(&format!(" {words} {value}"));
        }
    }
    if options.cycle {
        sql.push_str(" cycle");
    }
    sql
}

/// A type as a statement names it. One without a schema that is not built in is looked for along
/// the search path: it may be an extension's.
pub(super) fn type_sql(data_type: &Type) -> String {
    let mut sql = match &data_type.name {
        TypeName::Plain { schema: None, name } if data_type.builtin().is_none() => quoted(name),
        TypeName::Plain { schema: Some(schema), name } if data_type.builtin().is_none() => {
            format!("{}.{}", quoted(schema), quoted(name))
        }
        _ => return data_type.canonical(),
    };
    if !data_type.modifiers.is_empty() {
        sql.push_str(&format!("({})", data_type.modifiers.join(", ")));
    }
    if data_type.dimensions > 0 {
        sql.push_str("[]");
    }
    sql
}
