//! What is carried as it is: functions, aggregates, range types, collations, statistics, rules.

use super::change::Change;
use super::hazard::HazardKind;
use super::text::{comment, lowered};
use super::work::{Class, Work};
use crate::catalog::{Id, Object, ObjectKind};

/// All of them.
pub(super) fn plan(change: &mut Change<'_>) {
    let (from, to) = (change.from, change.to);
    for (kind, objects) in &from.objects {
        for (name, was) in objects {
            let again = change.again(&Id::Object(*kind, name.clone()));
            let is = to.objects.get(kind).and_then(|all| all.get(name));
            match is {
                None => {
                    let work = drop_object(*kind, name, was);
                    change.push(work.hazard(HazardKind::BreaksCallers, "who uses it fails"));
                }
                Some(is) if again => {
                    change.push(drop_object(*kind, name, was));
                    change.push(create(*kind, name, is));
                }
                Some(is) => alter(change, *kind, name, was, is),
            }
        }
    }
    for (kind, objects) in &to.objects {
        for (name, is) in objects {
            if !from.objects.get(kind).is_some_and(|all| all.contains_key(name)) {
                change.push(create(*kind, name, is));
            }
        }
    }
}

/// Whether `create or replace` does: only functions, as long as what callers see of them stays
/// (PostgreSQL documentation, CREATE FUNCTION, Notes). Postgres prints the signature on the first
/// line and the result on the second.
pub(super) fn is_replaceable(was: &Object, is: &Object) -> bool {
    let head = |object: &Object| -> Vec<String> {
        let lines = object.create.lines().enumerate();
        let head = lines.take_while(|(number, line)| *number == 0 || line.starts_with(" RETURNS "));
        head.map(|(_, line)| line.to_owned()).collect()
    };
    was.create.starts_with("CREATE OR REPLACE ") && head(was) == head(is)
}

fn class(kind: ObjectKind, drop: bool) -> Class {
    match (kind, drop) {
        (ObjectKind::Range, false) => Class::Type,
        (ObjectKind::Collation, false) => Class::Extension,
        (ObjectKind::Range | ObjectKind::Collation, true) => Class::DropType,
        (ObjectKind::Function | ObjectKind::Aggregate, false) => Class::Function,
        (ObjectKind::Function | ObjectKind::Aggregate, true) => Class::DropFunction,
        (ObjectKind::Statistics | ObjectKind::Rule, false) => Class::View,
        (ObjectKind::Statistics | ObjectKind::Rule, true) => Class::Dependent,
    }
}

/// The statement, its keywords in lower case; the body of a function stays as it is.
fn statement(sql: &str) -> String {
    lowered(sql.trim_end())
}

fn whole(object: &Object) -> Vec<String> {
    let text = object.comment.as_ref().map(|(text, words)| comment(words, Some(text)));
    std::iter::once(statement(&object.create)).chain(text).collect()
}

fn create(kind: ObjectKind, name: &str, object: &Object) -> Work {
    Work::new(class(kind, false), name, format!("create {name}"))
        .ups(whole(object))
        .down(statement(&object.drop))
        .gives([Id::Object(kind, name.to_owned())])
}

fn drop_object(kind: ObjectKind, name: &str, object: &Object) -> Work {
    Work::new(class(kind, true), name, format!("drop {name}"))
        .up(statement(&object.drop))
        .downs(whole(object))
        .takes([Id::Object(kind, name.to_owned())])
}

fn alter(change: &mut Change<'_>, kind: ObjectKind, name: &str, was: &Object, is: &Object) {
    let class = class(kind, false);
    if was.create != is.create {
        let work = Work::new(class, name, format!("replace {name}"))
            .up(statement(&is.create))
            .down(statement(&was.create))
            .replaces(Id::Object(kind, name.to_owned()));
        change.push(work);
    }
    if was.comment != is.comment
        && let Some((_, words)) = is.comment.as_ref().or(was.comment.as_ref())
    {
        let text = |object: &Object| object.comment.as_ref().map(|(text, _)| text.clone());
        let work = Work::new(class, name, format!("comment on {name}"))
            .part(9, "")
            .up(comment(words, text(is).as_ref()))
            .down(comment(words, text(was).as_ref()));
        change.push(work);
    }
}
