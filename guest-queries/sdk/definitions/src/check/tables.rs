//! Tables and their columns.

use super::Found;
use super::known::Known;
use super::parts::{constraints, indexes, policies, triggers};
use super::{names, types};
use crate::syntax::{Column, Field, Table};

pub(super) fn table(table: &Table, known: &Known<'_>, found: &mut Found) {
    names::object(&table.name, "table", known, found);
    names::rust(table.row.as_ref(), found);
    let is_whole = table.partition_of.is_none() && table.inherits.is_empty();
    if let Some(row) = table.row.as_ref().filter(|_| is_whole && !table.columns.is_empty())
        && table.columns.iter().all(|column| column.field == Field::Absent)
    {
        let hint = format!("leave out `as {row}`, or an `as _`");
        found.add(row.at, format!("the row type `{row}` has no field"), hint);
    }
    let place = format!("the table `{}`", table.name);
    names::unique(table.columns.iter().map(|column| &column.name), "column", &place, found);
    for column in &table.columns {
        self::column(column, known, found);
    }
    parents(table, known, found);
    constraints(table, known, found);
    let columns = known.columns(table);
    indexes(&table.indexes, columns.as_deref(), &place, found);
    policies(&table.policies, &place, found);
    triggers(&table.triggers, &place, found);
}

fn column(column: &Column, known: &Known<'_>, found: &mut Found) {
    let name = &column.name;
    names::name(name, "column", found);
    types::data_type(&column.data_type, known, found);
    let ways = [column.default.is_some(), column.identity.is_some(), column.generated.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        found.add(
            name.at,
            format!("the column `{name}` gets its value in more than one way"),
            "keep one of the default, the identity and the generated expression",
        );
    }
    if column.identity.is_none() {
        return;
    }
    if column.nullable {
        found.add(
            name.at,
            format!("the identity column `{name}` can not be nullable"),
            "remove the `?`",
        );
    }
    let whole = matches!(column.data_type.builtin(), Some("smallint" | "integer" | "bigint"));
    if !whole || column.data_type.dimensions > 0 {
        found.add(
            column.data_type.at,
            format!("the identity column `{name}` is no whole number"),
            "make it `smallint`, `integer` or `bigint`",
        );
    }
}

fn parents(table: &Table, known: &Known<'_>, found: &mut Found) {
    if let Some(partition) = &table.partition_of {
        let parent = &partition.parent;
        if let Some(column) = table.columns.first() {
            found.add(
                column.name.at,
                format!("the partition `{}` has columns of its own", table.name),
                format!("define them in `{parent}`"),
            );
        }
        match known.tables.get(&parent.key()) {
            Some(parent_table) if parent_table.partition_by.is_none() => found.add(
                parent.at,
                format!("the table `{parent}` is not partitioned"),
                "give it a clause `partition by \"…\"`",
            ),
            None if !known.is_partial() => missing(table, parent, found),
            _ => {}
        }
    }
    for parent in &table.inherits {
        if !known.is_partial() && !known.tables.contains_key(&parent.key()) {
            missing(table, parent, found);
        }
    }
}

fn missing(table: &Table, parent: &crate::syntax::ObjectName, found: &mut Found) {
    found.add(
        parent.at,
        format!("the table `{}` has a parent `{parent}` that there is not", table.name),
        "define it, or correct its name",
    );
}
