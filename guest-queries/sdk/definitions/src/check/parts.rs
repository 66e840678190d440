//! Constraints, indexes, policies and triggers.

use super::known::{Known, find};
use super::{Found, keys, names};
use crate::syntax::{
    Column, Constraint, ConstraintKind, Deferrable, Index, KeyValue, Name, Policy, PolicyCommand,
    Table, Trigger,
};

pub(super) fn constraints(table: &Table, known: &Known<'_>, found: &mut Found) {
    let place = format!("the table `{}`", table.name);
    let named = table.constraints.iter().filter_map(|constraint| constraint.name.as_ref());
    names::unique(named, "constraint", &place, found);
    let columns = known.columns(table);
    let mut has_primary_key = false;
    for constraint in &table.constraints {
        if let Some(name) = &constraint.name {
            names::name(name, "constraint", found);
        } else if constraint.comment.is_some() {
            unnamed(constraint.at, "constraint", found);
        }
        if let ConstraintKind::PrimaryKey { columns: key, .. } = &constraint.kind {
            if has_primary_key {
                let message = format!("{place} has two primary keys");
                found.add(constraint.at, message, "make one of them `unique`");
            }
            has_primary_key = true;
            if let Some(columns) = &columns {
                nullable_key(key, columns, found);
            }
        }
        if let Some(columns) = &columns {
            constraint_columns(constraint, columns, &place, found);
        }
        if constraint.deferrable != Deferrable::No
            && matches!(constraint.kind, ConstraintKind::Check { .. })
        {
            found.add(
                constraint.at,
                "a check can not be deferrable".to_owned(),
                "remove `deferrable`; only keys and exclusions can be",
            );
        }
        keys::foreign_key(table, constraint, columns.as_deref(), known, found);
    }
}

fn unnamed(at: crate::syntax::Location, what: &str, found: &mut Found) {
    found.add(at, format!("a {what} with a comment needs a name"), "name it");
}

/// Postgres makes the columns of a primary key not null, so a `?` there says what is not so.
fn nullable_key(key: &[Name], columns: &[&Column], found: &mut Found) {
    for name in key {
        if find(columns, name).is_some_and(|column| column.nullable) {
            found.add(
                name.at,
                format!("the column `{name}` of a primary key can not be nullable"),
                "remove the `?` after its type",
            );
        }
    }
}

fn constraint_columns(
    constraint: &Constraint,
    columns: &[&Column],
    place: &str,
    found: &mut Found,
) {
    match &constraint.kind {
        ConstraintKind::PrimaryKey { columns: key, include }
        | ConstraintKind::Unique { columns: key, include, .. } => {
            names::unique(key, "column", &format!("a key of {place}"), found);
            existing(key.iter().chain(include), columns, place, found);
        }
        ConstraintKind::ForeignKey { columns: key, .. } => {
            existing(key, columns, place, found);
        }
        _ => {}
    }
}

/// Reports columns that there are not, with the nearest that there is.
pub(super) fn existing<'a>(
    names: impl IntoIterator<Item = &'a Name>,
    columns: &[&Column],
    place: &str,
    found: &mut Found,
) {
    for name in names {
        if find(columns, name).is_none() {
            let there: Vec<&str> = columns.iter().map(|column| column.name.text.as_str()).collect();
            let hint = if there.is_empty() {
                "define it".to_owned()
            } else {
                format!("define it, or name one of {}", there.join(", "))
            };
            found.add(name.at, format!("{place} has no column `{name}`"), hint);
        }
    }
}

/// `columns` is none when they are not all known.
pub(super) fn indexes(
    indexes: &[Index],
    columns: Option<&[&Column]>,
    place: &str,
    found: &mut Found,
) {
    for index in indexes {
        if let Some(name) = &index.name {
            names::name(name, "index", found);
        } else if index.comment.is_some() {
            unnamed(index.at, "index", found);
        }
        let Some(columns) = columns else { continue };
        let keys = index.keys.iter().filter_map(|key| match &key.value {
            KeyValue::Column(name) => Some(name),
            KeyValue::Expression(_) => None,
        });
        existing(keys.chain(&index.include), columns, place, found);
    }
}

/// What each command looks at (PostgreSQL documentation, CREATE POLICY, "Policies Applied by
/// Command Type").
pub(super) fn policies(policies: &[Policy], place: &str, found: &mut Found) {
    names::unique(policies.iter().map(|policy| &policy.name), "policy", place, found);
    for policy in policies {
        names::name(&policy.name, "policy", found);
        let message = match policy.command {
            PolicyCommand::Select | PolicyCommand::Delete if policy.check.is_some() => {
                "rows that are read or deleted are not checked"
            }
            PolicyCommand::Insert if policy.using.is_some() => {
                "rows that are inserted are not used"
            }
            _ => continue,
        };
        let hint = if policy.check.is_some() { "write `using`" } else { "write `with check`" };
        found.add(policy.name.at, message, hint);
    }
}

pub(super) fn triggers(triggers: &[Trigger], place: &str, found: &mut Found) {
    names::unique(triggers.iter().map(|trigger| &trigger.name), "trigger", place, found);
    for trigger in triggers {
        names::name(&trigger.name, "trigger", found);
    }
}
