//! Constraints, indexes, triggers and policies.

use super::comments::comment;
use super::{Out, Step, names, object_name, options, quoted, reference};
use crate::clauses::{self, Spelling};
use crate::syntax::{
    Constraint, ConstraintKind, Fires, Index, IndexKey, KeyValue, Name, ObjectName, Policy, Table,
    Trigger,
};

const SPELLING: Spelling = Spelling { names, object: object_name };

/// A constraint within `create table`; foreign keys come later, when all tables are there.
pub(super) fn constraint(constraint: &Constraint) -> Option<String> {
    if is_foreign_key(constraint) { None } else { Some(constraint_sql(constraint)) }
}

fn is_foreign_key(constraint: &Constraint) -> bool {
    match &constraint.kind {
        ConstraintKind::ForeignKey { .. } => true,
        ConstraintKind::Sql(sql) => sql.trim_start().to_lowercase().starts_with("foreign"),
        _ => false,
    }
}

pub(super) fn foreign_keys(table: &Table, name: &str, out: &mut Out<'_>) {
    for constraint in &table.constraints {
        out.at = constraint.at;
        if is_foreign_key(constraint) {
            // The place of a reference to nowhere is the reference.
            if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind {
                out.at = references.at;
            }
            let what = format!("foreign key of table {}", table.name);
            let sql = format!("alter table {name} add {}", constraint_sql(constraint));
            out.push(Step::Key, what, sql);
        }
        if let Some(constraint_name) = &constraint.name {
            let what = format!("constraint {} on {name}", quoted(&constraint_name.text));
            comment(out, &what, constraint.comment.as_deref());
        }
    }
}

fn constraint_sql(constraint: &Constraint) -> String {
    let mut sql = String::new();
    if let Some(name) = &constraint.name {
        sql.push_str(&format!("constraint {} ", quoted(&name.text)));
    }
    match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include } => {
            sql.push_str(&format!("primary key {}{}", names(columns), SPELLING.including(include)));
        }
        ConstraintKind::Unique { columns, include, nulls_not_distinct } => {
            let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
            sql.push_str(&format!(
                "unique{nulls} {}{}",
                names(columns),
                SPELLING.including(include)
            ));
        }
        ConstraintKind::ForeignKey { columns, .. } => {
            sql.push_str(&format!("foreign key {}", names(columns)));
            sql.push_str(&SPELLING.references(&constraint.kind));
        }
        ConstraintKind::Check { expression, no_inherit } => {
            let no_inherit = if *no_inherit { " no inherit" } else { "" };
            sql.push_str(&format!("check ({expression}){no_inherit}"));
        }
        ConstraintKind::Exclude(text) => sql.push_str(&format!("exclude {text}")),
        ConstraintKind::Sql(text) => sql.push_str(text),
    }
    sql.push_str(clauses::deferrable(constraint.deferrable));
    sql
}

pub(super) fn indexes(indexes: &[Index], table: &ObjectName, step: &Step, out: &mut Out<'_>) {
    for index in indexes {
        out.at = index.at;
        let what = match &index.name {
            Some(name) => format!("index {name}"),
            None => format!("index of {table}"),
        };
        out.push(step.clone(), what, index_sql(index, &object_name(table)));
        if let Some(name) = &index.name {
            let name = format!("{}.{}", quoted(&table.schema), quoted(&name.text));
            comment(out, &format!("index {name}"), index.comment.as_deref());
        }
    }
}

fn index_sql(index: &Index, table: &str) -> String {
    let unique = if index.unique { "unique " } else { "" };
    let mut sql = format!("create {unique}index ");
    if let Some(name) = &index.name {
        sql.push_str(&format!("{} ", quoted(&name.text)));
    }
    let method = index.method.as_deref().unwrap_or("btree");
    let keys: Vec<String> = index.keys.iter().map(key).collect();
    sql.push_str(&format!("on {table} using {} ({})", quoted(method), keys.join(", ")));
    sql.push_str(&SPELLING.including(&index.include));
    if index.nulls_not_distinct {
        sql.push_str(" nulls not distinct");
    }
    if !index.options.is_empty() {
        sql.push_str(&format!(" with ({})", options(&index.options)));
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(&format!(" where {predicate}"));
    }
    sql
}

fn key(key: &IndexKey) -> String {
    let mut sql = match &key.value {
        KeyValue::Column(name) => quoted(&name.text),
        KeyValue::Expression(text) => format!("({text})"),
    };
    if let Some(collation) = &key.collation {
        sql.push_str(&format!(" collate {}", reference(collation)));
    }
    if let Some(class) = &key.class {
        sql.push_str(&format!(" {}", reference(&class.name)));
        if !class.parameters.is_empty() {
            sql.push_str(&format!(" ({})", options(&class.parameters)));
        }
    }
    sql.push_str(&clauses::order(key));
    sql
}

pub(super) fn triggers(triggers: &[Trigger], table: &str, out: &mut Out<'_>) {
    for trigger in triggers {
        out.at = trigger.name.at;
        let what = format!("trigger {}", trigger.name);
        let name = quoted(&trigger.name.text);
        out.push(Step::Trigger, &what, &trigger.definition);
        let change = match trigger.fires {
            Fires::Origin => None,
            Fires::Disabled => Some("disable"),
            Fires::Replica => Some("enable replica"),
            Fires::Always => Some("enable always"),
        };
        if let Some(change) = change {
            let sql = format!("alter table {table} {change} trigger {name}");
            out.push(Step::Trigger, &what, sql);
        }
        comment(out, &format!("trigger {name} on {table}"), trigger.comment.as_deref());
    }
}

pub(super) fn policies(table: &Table, name: &str, out: &mut Out<'_>) {
    let what = format!("table {}", table.name);
    for (there, change) in [(table.row_security, "enable"), (table.force_row_security, "force")] {
        if there {
            out.at = table.name.at;
            let sql = format!("alter table {name} {change} row level security");
            out.push(Step::Policy, &what, sql);
        }
    }
    for policy in &table.policies {
        out.at = policy.name.at;
        out.push(Step::Policy, format!("policy {}", policy.name), policy_sql(policy, name));
        let target = format!("policy {} on {name}", quoted(&policy.name.text));
        comment(out, &target, policy.comment.as_deref());
    }
}

fn policy_sql(policy: &Policy, table: &str) -> String {
    let mut sql = format!("create policy {} on {table}", quoted(&policy.name.text));
    if policy.restrictive {
        sql.push_str(" as restrictive");
    }
    sql.push_str(clauses::command(policy.command));
    if !policy.roles.is_empty() {
        let roles: Vec<String> = policy.roles.iter().map(role).collect();
        sql.push_str(&format!(" to {}", roles.join(", ")));
    }
    if let Some(using) = &policy.using {
        sql.push_str(&format!(" using ({using})"));
    }
    if let Some(check) = &policy.check {
        sql.push_str(&format!(" with check ({check})"));
    }
    sql
}

/// Words that stand for roles are not quoted (PostgreSQL documentation, CREATE POLICY).
fn role(name: &Name) -> String {
    match name.text.as_str() {
        word @ ("public" | "current_user" | "current_role" | "session_user") => word.to_owned(),
        other => quoted(other),
    }
}
