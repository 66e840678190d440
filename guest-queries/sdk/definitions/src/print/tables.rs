//! Tables, views and their columns.

use super::parts::{constraint, index, policy, trigger};
use super::words::{data_type, expression, object, objects, options, reference, string, word};
use super::{body_docs, commented, docs, entry, indent};
use crate::syntax::{Column, Field, Name, Table, View};

pub(super) fn table(table: &Table, out: &mut String) {
    docs(&table.docs, 1, out);
    attributes(&table.attributes, out);
    let unlogged = if table.unlogged { "unlogged " } else { "" };
    let row = row(table.row.as_ref());
    out.push_str(&format!("{}{unlogged}table {}{row} {{\n", indent(1), object(&table.name)));
    for column in &table.columns {
        body_docs(&column.docs, out);
        entry(&column_text(column), out);
    }
    let after_columns = out.len();
    for item in &table.constraints {
        constraint(item, out);
    }
    for item in &table.indexes {
        index(item, out);
    }
    for item in &table.triggers {
        trigger(item, out);
    }
    for item in &table.policies {
        policy(item, out);
    }
    settings(table, out);
    close(!table.columns.is_empty(), after_columns, out);
}

fn settings(table: &Table, out: &mut String) {
    if table.row_security {
        entry("enable row level security", out);
    }
    if table.force_row_security {
        entry("force row level security", out);
    }
    if let Some(key) = &table.partition_by {
        entry(&format!("partition by {}", string(key)), out);
    }
    if let Some(partition) = &table.partition_of {
        let bound = if partition.bound == "default" {
            "default".to_owned()
        } else {
            string(&partition.bound)
        };
        entry(&format!("partition of {} {bound}", object(&partition.parent)), out);
    }
    if !table.inherits.is_empty() {
        entry(&format!("inherits {}", objects(&table.inherits)), out);
    }
    if !table.options.is_empty() {
        entry(&format!("with {}", options(&table.options)), out);
    }
    if let Some(comment) = &table.comment {
        entry(&format!("comment {}", string(comment)), out);
    }
}

pub(super) fn view(view: &View, out: &mut String) {
    docs(&view.docs, 1, out);
    attributes(&view.attributes, out);
    let kind = if view.materialized { "materialized view" } else { "view" };
    let row = row(view.row.as_ref());
    out.push_str(&format!("{}{kind} {}{row} {{\n", indent(1), object(&view.name)));
    for column in &view.columns {
        body_docs(&column.docs, out);
        entry(&column_text(column), out);
    }
    let after_columns = out.len();
    entry(&format!("query {}", string(&view.query)), out);
    for item in &view.indexes {
        index(item, out);
    }
    for item in &view.triggers {
        trigger(item, out);
    }
    if !view.options.is_empty() {
        entry(&format!("with {}", options(&view.options)), out);
    }
    if let Some(comment) = &view.comment {
        entry(&format!("comment {}", string(comment)), out);
    }
    close(!view.columns.is_empty(), after_columns, out);
}

/// Ends a body, with an empty line between its columns and its clauses.
fn close(has_columns: bool, after_columns: usize, out: &mut String) {
    if has_columns && out.len() > after_columns {
        out.insert(after_columns, '\n');
    }
    out.push_str(&indent(1));
    out.push_str("}\n");
}

fn attributes(attributes: &[String], out: &mut String) {
    for attribute in attributes {
        out.push_str(&format!("{}#[{attribute}]\n", indent(1)));
    }
}

/// With a space before it, or nothing.
pub(super) fn row(row: Option<&Name>) -> String {
    row.map(|name| format!(" as {}", word(&name.text))).unwrap_or_default()
}

pub(super) fn column_text(column: &Column) -> String {
    let nullable = if column.nullable { "?" } else { "" };
    let mut text =
        format!("{}: {}{nullable}", word(&column.name.text), data_type(&column.data_type));
    match &column.field {
        Field::Usual => {}
        Field::As(path) => text.push_str(&format!(" as {path}")),
        Field::Absent => text.push_str(" as _"),
    }
    if let Some(collation) = &column.collation {
        text.push_str(&format!(" collate {}", reference(collation)));
    }
    if let Some(default) = &column.default {
        text.push_str(&format!(" = {}", expression(default)));
    }
    if let Some(identity) = &column.identity {
        let when = if identity.always { "always" } else { "by default" };
        text.push_str(&format!(" generated {when} as identity"));
        let options = super::words::sequence_options(&identity.sequence);
        if !options.is_empty() {
            text.push_str(&format!(" ({})", options.trim_start()));
        }
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        text.push_str(&format!(" generated always as {} {kind}", string(&generated.expression)));
    }
    if let Some(storage) = &column.storage {
        text.push_str(&format!(" storage {storage}"));
    }
    commented(column.comment.as_ref(), &mut text);
    text
}
