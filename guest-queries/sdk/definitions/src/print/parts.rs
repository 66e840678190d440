//! Constraints, indexes, triggers and policies.

use super::words::{names, object, optional, options, reference, string, word};
use super::{body_docs, commented, entry};
use crate::clauses::{self, Spelling};
use crate::syntax::{
    Constraint, ConstraintKind, Fires, Index, IndexKey, KeyValue, Policy, Trigger,
};

const SPELLING: Spelling = Spelling { names, object };

pub(super) fn constraint(constraint: &Constraint, out: &mut String) {
    body_docs(&constraint.docs, out);
    let name = optional(constraint.name.as_ref());
    let mut text = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include } => {
            format!("primary key {name}{}{}", names(columns), SPELLING.including(include))
        }
        ConstraintKind::Unique { columns, include, nulls_not_distinct } => {
            let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
            format!("unique {name}{}{}{nulls}", names(columns), SPELLING.including(include))
        }
        ConstraintKind::ForeignKey { columns, .. } => {
            let references = SPELLING.references(&constraint.kind);
            format!("foreign key {name}{}{references}", names(columns))
        }
        ConstraintKind::Check { expression, no_inherit } => {
            let no_inherit = if *no_inherit { " no inherit" } else { "" };
            format!("check {name}{}{no_inherit}", string(expression))
        }
        ConstraintKind::Exclude(text) => format!("exclude {name}{}", string(text)),
        ConstraintKind::Sql(text) => format!("constraint {name}{}", string(text)),
    };
    text.push_str(clauses::deferrable(constraint.deferrable));
    commented(constraint.comment.as_ref(), &mut text);
    entry(&text, out);
}

pub(super) fn index(index: &Index, out: &mut String) {
    body_docs(&index.docs, out);
    let unique = if index.unique { "unique " } else { "" };
    let mut text = format!("{unique}index {}", optional(index.name.as_ref()));
    if let Some(method) = &index.method {
        text.push_str(&format!("using {} ", word(method)));
    }
    let keys: Vec<String> = index.keys.iter().map(key).collect();
    text.push_str(&format!("({})", keys.join(", ")));
    text.push_str(&SPELLING.including(&index.include));
    if index.nulls_not_distinct {
        text.push_str(" nulls not distinct");
    }
    if !index.options.is_empty() {
        text.push_str(&format!(" with {}", options(&index.options)));
    }
    if let Some(predicate) = &index.predicate {
        text.push_str(&format!(" where {}", string(predicate)));
    }
    commented(index.comment.as_ref(), &mut text);
    entry(&text, out);
}

fn key(key: &IndexKey) -> String {
    let mut text = match &key.value {
        KeyValue::Column(name) => word(&name.text),
        KeyValue::Expression(sql) => string(sql),
    };
    if let Some(collation) = &key.collation {
        text.push_str(&format!(" collate {}", reference(collation)));
    }
    if let Some(class) = &key.class {
        text.push_str(&format!(" {}", reference(&class.name)));
        if !class.parameters.is_empty() {
            text.push_str(&options(&class.parameters));
        }
    }
    text.push_str(&clauses::order(key));
    text
}

pub(super) fn trigger(trigger: &Trigger, out: &mut String) {
    body_docs(&trigger.docs, out);
    let mut text = format!("trigger {} {}", word(&trigger.name.text), string(&trigger.definition));
    text.push_str(match trigger.fires {
        Fires::Origin => "",
        Fires::Disabled => " disabled",
        Fires::Replica => " replica",
        Fires::Always => " always",
    });
    commented(trigger.comment.as_ref(), &mut text);
    entry(&text, out);
}

pub(super) fn policy(policy: &Policy, out: &mut String) {
    body_docs(&policy.docs, out);
    let mut text = format!("policy {}", word(&policy.name.text));
    if policy.restrictive {
        text.push_str(" restrictive");
    }
    text.push_str(clauses::command(policy.command));
    match policy.roles.as_slice() {
        [] => {}
        [role] => text.push_str(&format!(" to {}", word(&role.text))),
        roles => text.push_str(&format!(" to {}", names(roles))),
    }
    if let Some(using) = &policy.using {
        text.push_str(&format!(" using {}", string(using)));
    }
    if let Some(check) = &policy.check {
        text.push_str(&format!(" with check {}", string(check)));
    }
    commented(policy.comment.as_ref(), &mut text);
    entry(&text, out);
}
