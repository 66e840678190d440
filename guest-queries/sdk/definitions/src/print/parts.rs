//! Constraints, indexes, triggers and policies.

use super::words::{names, object, optional, options, reference, string, word};
use super::{body_docs, commented, entry};
use crate::syntax::{
    Action, Constraint, ConstraintKind, Deferrable, Fires, Index, IndexKey, KeyValue, Name, Nulls,
    Policy, PolicyCommand, Trigger,
};

pub(super) fn constraint(constraint: &Constraint, out: &mut String) {
    body_docs(&constraint.docs, out);
    let name = optional(constraint.name.as_ref());
    let mut text = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include } => {
            format!("primary key {name}{}{}", names(columns), including(include))
        }
        ConstraintKind::Unique { columns, include, nulls_not_distinct } => {
            let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
            format!("unique {name}{}{}{nulls}", names(columns), including(include))
        }
        ConstraintKind::ForeignKey { .. } => foreign_key(&name, &constraint.kind),
        ConstraintKind::Check { expression, no_inherit } => {
            let no_inherit = if *no_inherit { " no inherit" } else { "" };
            format!("check {name}{}{no_inherit}", string(expression))
        }
        ConstraintKind::Exclude(text) => format!("exclude {name}{}", string(text)),
        ConstraintKind::Sql(text) => format!("constraint {name}{}", string(text)),
    };
    text.push_str(match constraint.deferrable {
        Deferrable::No => "",
        Deferrable::Immediate => " deferrable",
        Deferrable::Deferred => " deferrable initially deferred",
    });
    commented(constraint.comment.as_ref(), &mut text);
    entry(&text, out);
}

fn foreign_key(name: &str, kind: &ConstraintKind) -> String {
    let ConstraintKind::ForeignKey {
        columns,
        references,
        referenced,
        match_full,
        on_delete,
        on_update,
    } = kind
    else {
        return String::new();
    };
    let mut text = format!("foreign key {name}{} references ", names(columns));
    text.push_str(&object(references));
    if !referenced.is_empty() {
        text.push_str(&format!(" {}", names(referenced)));
    }
    if *match_full {
        text.push_str(" match full");
    }
    action(" on delete", on_delete, &mut text);
    action(" on update", on_update, &mut text);
    text
}

fn action(event: &str, action: &Action, text: &mut String) {
    let (words, columns): (&str, &[Name]) = match action {
        Action::NoAction => return,
        Action::Restrict => ("restrict", &[]),
        Action::Cascade => ("cascade", &[]),
        Action::SetNull(columns) => ("set null", columns),
        Action::SetDefault(columns) => ("set default", columns),
    };
    text.push_str(&format!("{event} {words}"));
    if !columns.is_empty() {
        text.push_str(&format!(" {}", names(columns)));
    }
}

fn including(include: &[Name]) -> String {
    if include.is_empty() { String::new() } else { format!(" include {}", names(include)) }
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
    text.push_str(&including(&index.include));
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
    if key.descending {
        text.push_str(" desc");
    }
    match key.nulls {
        Some(Nulls::First) => text.push_str(" nulls first"),
        Some(Nulls::Last) => text.push_str(" nulls last"),
        None => {}
    }
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
    text.push_str(match policy.command {
        PolicyCommand::All => "",
        PolicyCommand::Select => " for select",
        PolicyCommand::Insert => " for insert",
        PolicyCommand::Update => " for update",
        PolicyCommand::Delete => " for delete",
    });
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
