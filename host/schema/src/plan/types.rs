//! Schemas, extensions, and the types that can be altered.

use std::collections::BTreeSet;

use super::change::Change;
use super::hazard::HazardKind;
use super::text::{comment, lowered};
use super::work::{Class, Key, Work};
use super::{Phase, PlanOptions, domains, swap};
use crate::catalog::name::{literal, quoted};
use crate::catalog::{Catalog, Composite, Enum, Id, QName};

/// All of them.
pub(super) fn plan(change: &mut Change<'_>) {
    schemas(change);
    extensions(change);
    swap::plan(change);
    let (from, to) = (change.from, change.to);
    let names = |catalog: &Catalog| -> BTreeSet<QName> {
        let enums = catalog.enums.keys().chain(catalog.domains.keys());
        enums.chain(catalog.composites.keys()).cloned().collect()
    };
    let (old, new) = (names(from), names(to));
    // A type that becomes one of another kind is dropped and made.
    let same = |name: &QName| {
        old.contains(name) && new.contains(name) && word_of(from, name) == word_of(to, name)
    };
    for name in new.iter().filter(|name| !same(name)) {
        let work = Work::new(Class::Type, name, format!("create type {name}"))
            .ups(create(to, name))
            .down(format!("drop {} {}", word(to, name), name.sql()))
            .gives(keys(name));
        change.push(work);
    }
    for name in old.iter().filter(|name| !same(name)) {
        let work = Work::new(Class::DropType, name, format!("drop type {name}"))
            .up(format!("drop {} {}", word(from, name), name.sql()))
            .downs(create(from, name))
            .takes(keys(name));
        change.push(work);
    }
    for name in old
        .iter()
        .filter(|name| same(name) && !change.broken.swapped.contains(name))
        .cloned()
        .collect::<Vec<_>>()
    {
        alter(change, &name);
    }
}

fn keys(name: &QName) -> [Key; 2] {
    [Id::Type(name.clone()).into(), Key::Type(name.clone())]
}

/// Which kind of type it is.
fn word_of(catalog: &Catalog, name: &QName) -> u8 {
    u8::from(catalog.enums.contains_key(name)) + 2 * u8::from(catalog.domains.contains_key(name))
}

/// What `alter` and `drop` call it.
pub(super) fn word(catalog: &Catalog, name: &QName) -> &'static str {
    if catalog.domains.contains_key(name) { "domain" } else { "type" }
}

/// The statements that make a type whole.
pub(super) fn create(catalog: &Catalog, name: &QName) -> Vec<String> {
    let (mut sql, text) = if let Some(one) = catalog.enums.get(name) {
        let values: Vec<String> = one.values.iter().map(|value| literal(value)).collect();
        (vec![format!("create type {} as enum ({})", name.sql(), values.join(", "))], &one.comment)
    } else if let Some(one) = catalog.domains.get(name) {
        (domains::create(name, one), &one.comment)
    } else if let Some(one) = catalog.composites.get(name) {
        let attributes: Vec<String> = one.attributes.iter().map(attribute).collect();
        let body = match attributes.as_slice() {
            [] => "()".to_owned(),
            some => format!("(\n    {}\n)", some.join(",\n    ")),
        };
        (vec![format!("create type {} as {body}", name.sql())], &one.comment)
    } else {
        return Vec::new();
    };
    if text.is_some() {
        sql.push(comment(&format!("{} {}", word(catalog, name), name.sql()), text.as_ref()));
    }
    sql
}

fn attribute((name, data_type, collation): &(String, String, Option<QName>)) -> String {
    let collation = collation.as_ref().map(|one| format!(" collate {one}"));
    format!("{} {data_type}{}", quoted(name), collation.unwrap_or_default())
}

fn alter(change: &mut Change<'_>, name: &QName) {
    let (from, to) = (change.from, change.to);
    if let Some((was, is)) = from.enums.get(name).zip(to.enums.get(name)) {
        values(change, name, was, is);
        recommented(change, name, "type", was.comment.as_ref(), is.comment.as_ref());
    }
    if let Some((was, is)) = from.domains.get(name).zip(to.domains.get(name)) {
        domains::alter(change, name, was, is);
        recommented(change, name, "domain", was.comment.as_ref(), is.comment.as_ref());
    }
    if let Some((was, is)) = from.composites.get(name).zip(to.composites.get(name)) {
        attributes(change, name, was, is);
        recommented(change, name, "type", was.comment.as_ref(), is.comment.as_ref());
    }
}

fn recommented(
    change: &mut Change<'_>,
    name: &QName,
    kind: &str,
    was: Option<&String>,
    is: Option<&String>,
) {
    if was != is {
        let words = format!("{kind} {}", name.sql());
        let work = Work::new(Class::Type, name, format!("comment on {kind} {name}"))
            .part(9, "")
            .up(comment(&words, is))
            .down(comment(&words, was));
        change.push(work);
    }
}

/// The statements that add what is missing in place; none when something is gone or moved.
pub(super) fn added_values(name: &QName, was: &[String], is: &[String]) -> Option<Vec<String>> {
    let mut old = was.iter().peekable();
    let mut sql = Vec::new();
    let mut previous: Option<&String> = None;
    for value in is {
        if old.next_if_eq(&value).is_none() {
            let place = match (previous, old.peek()) {
                (_, None) => String::new(),
                (Some(previous), Some(_)) => format!(" after {}", literal(previous)),
                (None, Some(next)) => format!(" before {}", literal(next)),
            };
            let value = literal(value);
            sql.push(format!("alter type {} add value if not exists {value}{place}", name.sql()));
        }
        previous = Some(value);
    }
    old.next().is_none().then_some(sql)
}

/// Values are added ahead of everything, since a transaction can not use those it adds. There is
/// no statement that takes one away: the way back makes the type anew.
fn values(change: &mut Change<'_>, name: &QName, was: &Enum, is: &Enum) {
    let added = added_values(name, &was.values, &is.values).unwrap_or_default();
    if added.is_empty() {
        return;
    }
    let mut grown = change.from_all.clone();
    if let Some(one) = grown.catalog.enums.get_mut(name) {
        one.values.clone_from(&is.values);
    }
    let accept = HazardKind::ALL.into_iter().collect();
    let back = super::plan(&grown, change.from_all, &PlanOptions { online: false, accept });
    let mut work = Work::new(Class::Type, name, format!("add values to {name}"))
        .phase(Phase::EnumValues)
        .ups(added)
        .gives([Id::Type(name.clone())]);
    if back.refused.is_empty() {
        work = work.down_hazards(back.hazards().cloned());
        work = work.downs(back.steps.into_iter().flat_map(|step| step.up));
    } else {
        work.down = None;
        work = work.hazard(HazardKind::Irreversible, "a value can not be taken away");
    }
    change.push(work);
}

/// Whether one has the attributes of the other and more after them.
pub(super) fn is_extended(was: &Composite, is: &Composite) -> bool {
    is.attributes.starts_with(&was.attributes)
}

fn attributes(change: &mut Change<'_>, name: &QName, was: &Composite, is: &Composite) {
    if was.attributes == is.attributes {
        return;
    }
    let clauses = |more: &Composite, less: &Composite, drop: bool| -> String {
        let more = more.attributes.iter().skip(less.attributes.len());
        let clause = more.map(|one| {
            if drop {
                format!("drop attribute {}", quoted(&one.0))
            } else {
                format!("add attribute {}", attribute(one))
            }
        });
        let clauses: Vec<String> = clause.collect();
        format!("alter type {} {}", name.sql(), clauses.join(", "))
    };
    let work = Work::new(Class::Type, name, format!("alter attributes of {name}"));
    let id = Id::Type(name.clone());
    let work = work.after(change.needs(&id)).before(change.needed(&id));
    let breaks = "readers and writers see other attributes";
    let lost = "the attribute and what is in it are gone";
    let work = if is_extended(was, is) {
        work.up(clauses(is, was, false))
            .down(clauses(is, was, true))
            .hazard(HazardKind::BreaksCallers, breaks)
            .down_hazard(HazardKind::DeletesData, lost)
    } else {
        work.up(clauses(was, is, true))
            .down(clauses(was, is, false))
            .hazard(HazardKind::BreaksCallers, breaks)
            .hazard(HazardKind::DeletesData, lost)
    };
    change.push(work);
}

fn schemas(change: &mut Change<'_>) {
    let (from, to) = (change.from, change.to);
    for (name, is) in &to.schemas {
        let key = Id::Schema(name.clone());
        let words = format!("schema {}", quoted(name));
        let was = from.schemas.get(name);
        let mut work = Work::new(Class::Schema, name, format!("create schema {name}"));
        if was.is_none() {
            work = work.up(format!("create {words}")).down(format!("drop {words}")).gives([key]);
        } else {
            work.what = format!("comment on schema {name}");
        }
        let old = was.and_then(|was| was.comment.as_ref());
        if old != is.comment.as_ref() {
            work = work.up(comment(&words, is.comment.as_ref()));
            if was.is_some() {
                work = work.down(comment(&words, old));
            }
        }
        change.push(work);
    }
    for (name, was) in from.schemas.iter().filter(|(name, _)| !to.schemas.contains_key(*name)) {
        let words = format!("schema {}", quoted(name));
        let again = was.comment.as_ref().map(|text| comment(&words, Some(text)));
        let work = Work::new(Class::DropSchema, name, format!("drop schema {name}"))
            .up(format!("drop {words}"))
            .down(format!("create {words}"))
            .downs(again)
            .takes([Id::Schema(name.clone())]);
        change.push(work);
    }
}

fn extensions(change: &mut Change<'_>) {
    let (from, to) = (change.from, change.to);
    let create = |name: &str, schema: &str| {
        format!("create extension if not exists {} with schema {}", quoted(name), quoted(schema))
    };
    let drop = |name: &str| format!("drop extension {}", quoted(name));
    let schema = |name: &str| Key::from(Id::Schema(name.to_owned()));
    for (name, is) in &to.extensions {
        let key = Id::Extension(name.clone());
        let work = match from.extensions.get(name) {
            None => Work::new(Class::Extension, name, format!("create extension {name}"))
                .up(create(name, &is.schema))
                .down(drop(name))
                .gives([key]),
            Some(was) if was.schema != is.schema => {
                change.refuse_always(
                    &format!("move extension {name} from {} to {}", was.schema, is.schema),
                    "everything that uses it would have to be compared by other names",
                    "write a migration by hand with `alter extension … set schema …`",
                );
                continue;
            }
            Some(_) => continue,
        };
        change.push(work.after([schema(&is.schema)]));
    }
    for (name, was) in from.extensions.iter().filter(|(name, _)| !to.extensions.contains_key(*name))
    {
        let work = Work::new(Class::DropExtension, name, format!("drop extension {name}"))
            .up(drop(name))
            .down(create(name, &was.schema))
            .takes([Id::Extension(name.clone())])
            .before([schema(&was.schema)])
            .hazard(HazardKind::BreaksCallers, "its functions and types are gone");
        change.push(work);
    }
}

/// The definition of a check as `add constraint` has it.
pub(super) fn check(name: &str, definition: &str) -> String {
    format!("constraint {} {}", quoted(name), lowered(definition))
}
