//! Policies and triggers.

use std::collections::BTreeMap;

use super::change::Change;
use super::hazard::HazardKind;
use super::text::{alter_table, comment, list, lowered};
use super::work::{Class, Work};
use super::write;
use crate::catalog::name::quoted;
use crate::catalog::{Id, Policy, QName, Table, Trigger};

/// The step that makes a trigger.
pub(super) fn create_trigger(table: &QName, name: &str, about: &Trigger) -> Work {
    let what = format!("create trigger {name} on {table}");
    Work::new(Class::Trigger, table, what)
        .part(0, name)
        .ups(write::trigger(table, name, about))
        .down(format!("drop trigger {} on {}", quoted(name), table.sql()))
        .gives([Id::Trigger(table.clone(), name.to_owned())])
}

fn drop_trigger(table: &QName, name: &str, about: &Trigger) -> Work {
    Work::new(Class::Dependent, table, format!("drop trigger {name} on {table}"))
        .part(0, name)
        .up(format!("drop trigger {} on {}", quoted(name), table.sql()))
        .downs(write::trigger(table, name, about))
        .takes([Id::Trigger(table.clone(), name.to_owned())])
}

/// All triggers of a table or view that stays.
pub(super) fn triggers(
    change: &mut Change<'_>,
    table: &QName,
    old: &BTreeMap<String, Trigger>,
    new: &BTreeMap<String, Trigger>,
) {
    for (name, was) in old {
        let again = change.again(&Id::Trigger(table.clone(), name.clone()));
        match new.get(name) {
            Some(is) if !again && was.definition == is.definition => {
                adjust_trigger(change, table, name, was, is);
            }
            Some(is) => {
                change.push(drop_trigger(table, name, was));
                change.push(create_trigger(table, name, is));
            }
            None => change.push(drop_trigger(table, name, was)),
        }
    }
    for (name, is) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        change.push(create_trigger(table, name, is));
    }
}

fn adjust_trigger(change: &mut Change<'_>, table: &QName, name: &str, was: &Trigger, is: &Trigger) {
    if was.enabled != is.enabled {
        let set =
            |about: &Trigger| alter_table(table, &[write::trigger_state(name, about.enabled)]);
        let what = format!("set state of trigger {name} on {table}");
        change
            .push(Work::new(Class::Trigger, table, what).part(1, name).up(set(is)).down(set(was)));
    }
    if was.comment != is.comment {
        let words = format!("trigger {} on {}", quoted(name), table.sql());
        let work =
            Work::new(Class::Trigger, table, format!("comment on trigger {name} on {table}"))
                .part(2, name)
                .up(comment(&words, is.comment.as_ref()))
                .down(comment(&words, was.comment.as_ref()));
        change.push(work);
    }
}

/// The step that makes a policy.
pub(super) fn create_policy(table: &QName, name: &str, about: &Policy) -> Work {
    Work::new(Class::Trigger, table, format!("create policy {name} on {table}"))
        .part(3, name)
        .ups(write::policy(table, name, about))
        .down(format!("drop policy {} on {}", quoted(name), table.sql()))
        .gives([Id::Policy(table.clone(), name.to_owned())])
}

fn drop_policy(table: &QName, name: &str, about: &Policy) -> Work {
    Work::new(Class::Dependent, table, format!("drop policy {name} on {table}"))
        .part(3, name)
        .up(format!("drop policy {} on {}", quoted(name), table.sql()))
        .downs(write::policy(table, name, about))
        .takes([Id::Policy(table.clone(), name.to_owned())])
}

/// All policies of a table that stays.
pub(super) fn policies(change: &mut Change<'_>, table: &QName, old: &Table, new: &Table) {
    for (name, was) in &old.policies {
        let again = change.again(&Id::Policy(table.clone(), name.clone()));
        match new.policies.get(name) {
            Some(is) if !again && can_be_altered(was, is) => {
                adjust_policy(change, table, name, was, is);
            }
            Some(is) => {
                change.push(drop_policy(table, name, was));
                change.push(create_policy(table, name, is));
            }
            None => {
                let about = "who relied on it sees fewer rows, or more when it was restrictive";
                let work = drop_policy(table, name, was);
                change.push(work.hazard(HazardKind::BreaksCallers, about));
            }
        }
    }
    for (name, is) in new.policies.iter().filter(|(name, _)| !old.policies.contains_key(*name)) {
        change.push(create_policy(table, name, is));
    }
}

/// `alter policy` can not change what it is for, nor take an expression away; the way back must
/// be possible too.
fn can_be_altered(was: &Policy, is: &Policy) -> bool {
    was.permissive == is.permissive
        && was.command == is.command
        && was.using.is_some() == is.using.is_some()
        && was.check.is_some() == is.check.is_some()
}

fn adjust_policy(change: &mut Change<'_>, table: &QName, name: &str, was: &Policy, is: &Policy) {
    let differs = was.roles != is.roles || was.using != is.using || was.check != is.check;
    if differs {
        let id = Id::Policy(table.clone(), name.to_owned());
        let work = Work::new(Class::Trigger, table, format!("alter policy {name} on {table}"))
            .part(3, name)
            .up(alter_policy(table, name, was, is))
            .down(alter_policy(table, name, is, was))
            .after(change.needs(&id))
            .before(change.needed(&id));
        change.push(work);
    }
    if was.comment != is.comment {
        let words = format!("policy {} on {}", quoted(name), table.sql());
        let work = Work::new(Class::Trigger, table, format!("comment on policy {name} on {table}"))
            .part(4, name)
            .up(comment(&words, is.comment.as_ref()))
            .down(comment(&words, was.comment.as_ref()));
        change.push(work);
    }
}

fn alter_policy(table: &QName, name: &str, was: &Policy, is: &Policy) -> String {
    let mut sql = format!("alter policy {} on {}", quoted(name), table.sql());
    if was.roles != is.roles {
        let everybody = is.roles.iter().all(|role| role == "public");
        let roles = if everybody { "public".to_owned() } else { list(&is.roles) };
        sql += &format!("\n    to {roles}");
    }
    let expressions = [("using", &was.using, &is.using), ("with check", &was.check, &is.check)];
    for (word, was, is) in expressions {
        if let Some(is) = is.as_ref().filter(|is| was.as_ref() != Some(is)) {
            sql += &format!("\n    {word} ({})", lowered(is));
        }
    }
    sql
}
