//! Tables with their columns.

use super::comments::comment;
use super::parts::{constraint, foreign_keys, indexes, policies, triggers};
use super::types::{sequence_options, type_sql};
use super::{Out, Step, object_name, options, quoted, reference};
use crate::syntax::{Column, Table};

pub(super) fn table(table: &Table, out: &mut Out<'_>) {
    let at = table.name.at;
    out.at = at;
    let name = object_name(&table.name);
    let what = format!("table {}", table.name);
    out.push(Step::Table(table.name.clone()), &what, create(table, &name));
    for column in &table.columns {
        out.at = column.name.at;
        let column_name = quoted(&column.name.text);
        if let Some(storage) = &column.storage {
            let change = format!("alter column {column_name} set storage {storage}");
            let after = Step::Index;
            out.push(after, &what, format!("alter table only {name} {change}"));
        }
        comment(out, &format!("column {name}.{column_name}"), column.comment.as_deref());
    }
    foreign_keys(table, &name, out);
    indexes(&table.indexes, &table.name, &Step::Index, out);
    triggers(&table.triggers, &name, out);
    policies(table, &name, out);
    out.at = at;
    comment(out, &format!("table {name}"), table.comment.as_deref());
}

fn create(table: &Table, name: &str) -> String {
    let unlogged = if table.unlogged { "unlogged " } else { "" };
    let mut sql = format!("create {unlogged}table {name}");
    if let Some(partition) = &table.partition_of {
        sql.push_str(&format!(" partition of {}", object_name(&partition.parent)));
    }
    let mut lines: Vec<String> = table.columns.iter().map(column).collect();
    lines.extend(table.constraints.iter().filter_map(constraint));
    if !lines.is_empty() {
        sql.push_str(&format!(" (\n    {}\n)", lines.join(",\n    ")));
    } else if table.partition_of.is_none() {
        sql.push_str(" ()");
    }
    if let Some(partition) = &table.partition_of {
        sql.push_str(&format!(" {}", partition.bound));
    }
    if !table.inherits.is_empty() {
        let parents: Vec<String> = table.inherits.iter().map(object_name).collect();
        sql.push_str(&format!(" inherits ({})", parents.join(", ")));
    }
    if let Some(key) = &table.partition_by {
        sql.push_str(&format!(" partition by {key}"));
    }
    if !table.options.is_empty() {
        sql.push_str(&format!(" with ({})", options(&table.options)));
    }
    sql
}

fn column(column: &Column) -> String {
    let mut sql = format!("{} {}", quoted(&column.name.text), type_sql(&column.data_type));
    if let Some(collation) = &column.collation {
        sql.push_str(&format!(" collate {}", reference(collation)));
    }
    if !column.nullable {
        sql.push_str(" not null");
    }
    if let Some(default) = &column.default {
        sql.push_str(&format!(" default ({default})"));
    }
    if let Some(identity) = &column.identity {
        let when = if identity.always { "always" } else { "by default" };
        sql.push_str(&format!(" generated {when} as identity"));
        let options = sequence_options(&identity.sequence);
        if !options.is_empty() {
            sql.push_str(&format!(" ({})", options.trim_start()));
        }
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        sql.push_str(&format!(" generated always as ({}) {kind}", generated.expression));
    }
    sql
}
