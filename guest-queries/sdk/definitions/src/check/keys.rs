//! Foreign keys.

use super::known::{Known, find};
use super::parts::existing;
use super::{Found, types};
use crate::syntax::{
    Action, Column, Constraint, ConstraintKind, KeyValue, Name, ObjectName, Table,
};

pub(super) fn foreign_key(
    table: &Table,
    constraint: &Constraint,
    own: Option<&[&Column]>,
    known: &Known<'_>,
    found: &mut Found,
) {
    let ConstraintKind::ForeignKey {
        columns, references, referenced, on_delete, on_update, ..
    } = &constraint.kind
    else {
        return;
    };
    set_columns(columns, on_delete, found);
    if let Action::SetNull(set) | Action::SetDefault(set) = on_update
        && let Some(name) = set.first()
    {
        found.add(
            name.at,
            "only `on delete` can name the columns that it sets",
            "remove the parentheses",
        );
    }
    for (event, action) in [("delete", on_delete), ("update", on_update)] {
        not_null(event, action, columns, own.unwrap_or_default(), known, found);
    }
    let Some(target) = known.tables.get(&references.key()) else {
        if !known.is_partial() {
            nowhere(table, references, known, found);
        }
        return;
    };
    let Some(theirs) = known.columns(target) else { return };
    let place = format!("the table `{references}`");
    existing(referenced, &theirs, &place, found);
    if referenced.iter().any(|name| find(&theirs, name).is_none()) {
        return;
    }
    let Some(referenced) = referenced_columns(target, references, referenced, found) else {
        return;
    };
    if columns.len() != referenced.len() {
        found.add(
            references.at,
            format!("{} columns refer to {}", columns.len(), referenced.len()),
            format!("name as many columns of `{references}` as of `{}`", table.name),
        );
        return;
    }
    let Some(own) = own else { return };
    for (left, right) in columns.iter().zip(referenced) {
        let (Some(left), Some(right)) = (find(own, left), find(&theirs, right)) else { continue };
        if !types::comparable(&left.data_type, &right.data_type, known) {
            found.add(
                left.data_type.at,
                format!(
                    "the column `{}` is {}, but `{references}.{}` to which it refers is {}",
                    left.name,
                    left.data_type.canonical(),
                    right.name,
                    right.data_type.canonical()
                ),
                "give both the same type",
            );
        }
    }
}

fn nowhere(table: &Table, references: &ObjectName, known: &Known<'_>, found: &mut Found) {
    let message = format!("the table `{}` refers to `{references}`", table.name);
    if known.views.contains_key(&references.key()) {
        found.add(references.at, format!("{message}, which is a view"), "refer to a table");
    } else {
        found.add(
            references.at,
            format!("{message}, which there is not"),
            "define the table, or correct its name",
        );
    }
}

/// The columns that are meant, which must be a key.
fn referenced_columns<'a>(
    target: &'a Table,
    target_name: &ObjectName,
    referenced: &'a [Name],
    found: &mut Found,
) -> Option<&'a [Name]> {
    if !referenced.is_empty() {
        if !is_key(target, referenced) {
            found.add(
                target_name.at,
                format!("the columns of `{target_name}` that are referred to are no key"),
                "refer to the columns of a primary key, or make them unique",
            );
        }
        return Some(referenced);
    }
    let key = target.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } => Some(columns.as_slice()),
        _ => None,
    });
    if key.is_none() && !has_unknown_keys(target) {
        found.add(
            target_name.at,
            format!("the table `{target_name}` has no primary key to refer to"),
            "name the columns of a unique key",
        );
    }
    key
}

/// Whether a primary key, unique constraint or plain unique index is on exactly these columns, in
/// any order (PostgreSQL documentation, CREATE TABLE, "REFERENCES").
fn is_key(target: &Table, referenced: &[Name]) -> bool {
    let same = |key: &[&Name]| {
        key.len() == referenced.len() && referenced.iter().all(|name| key.contains(&name))
    };
    let constraint = target.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => {
            same(&columns.iter().collect::<Vec<_>>())
        }
        _ => false,
    });
    let index = target.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let indexed = index.into_iter().any(|index| {
        let columns: Option<Vec<&Name>> = index
            .keys
            .iter()
            .map(|key| match &key.value {
                KeyValue::Column(name) => Some(name),
                KeyValue::Expression(_) => None,
            })
            .collect();
        columns.is_some_and(|columns| same(&columns))
    });
    constraint || indexed || has_unknown_keys(target)
}

/// Keys may come from a parent or stand in SQL text.
fn has_unknown_keys(target: &Table) -> bool {
    target.partition_of.is_some()
        || target.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::Sql(_)))
}

/// Reports columns that an action would set to null though they are not null: whoever deletes or
/// updates what they refer to would fail.
fn not_null(
    event: &str,
    action: &Action,
    columns: &[Name],
    own: &[&Column],
    known: &Known<'_>,
    found: &mut Found,
) {
    let (what, set, hint) = match action {
        Action::SetNull(set) => ("null", set, ""),
        Action::SetDefault(set) => ("default", set, " and has no default"),
        _ => return,
    };
    let set = if set.is_empty() { columns } else { set };
    for name in set.iter().filter(|name| columns.contains(name)) {
        let Some(column) = find(own, name).filter(|column| !column.nullable) else { continue };
        if what == "null" || !types::may_have_default(column, known) {
            found.add(
                name.at,
                format!("`on {event} set {what}` can not set the column `{name}`"),
                format!(
                    "the column is not null{hint}; write `?` after its type, or choose another \
                     action"
                ),
            );
        }
    }
}

fn set_columns(columns: &[Name], action: &Action, found: &mut Found) {
    let (Action::SetNull(set) | Action::SetDefault(set)) = action else { return };
    for name in set.iter().filter(|name| !columns.contains(name)) {
        found.add(
            name.at,
            format!("`{name}` is not among the columns of the foreign key"),
            "only columns of the key can be set when what they refer to goes",
        );
    }
}
