//! Everything but tables.

use std::collections::BTreeSet;

use super::Found;
use super::known::{Known, find};
use super::parts::{indexes, triggers};
use super::{names, types};
use crate::syntax::{
    Column, Composite, Domain, Enum, Object, ObjectName, Sequence, Use, UseKind, View,
};

pub(super) fn use_item(item: &Use, known: &Known<'_>, found: &mut Found) {
    let name = &item.name;
    let (there, what) = match item.kind {
        UseKind::Table => {
            let key = name.key();
            (known.tables.contains_key(&key) || known.views.contains_key(&key), "table or view")
        }
        UseKind::Type => (known.made(name.key()).is_some(), "type"),
    };
    if !there {
        found.add(
            name.at,
            format!("`{}` is used for the {what} `{name}`, which there is not", item.path),
            "say what it is called in the database: `use … as schema.name;`",
        );
    }
}

pub(super) fn enumeration(item: &Enum, known: &Known<'_>, found: &mut Found) {
    names::object(&item.name, "enum", known, found);
    names::rust(item.rust.as_ref(), found);
    let place = format!("the enum `{}`", item.name);
    names::unique(item.values.iter().map(|value| &value.name), "value", &place, found);
    for value in &item.values {
        names::label(&value.name, found);
        names::rust(value.rust.as_ref(), found);
    }
}

pub(super) fn domain(domain: &Domain, known: &Known<'_>, found: &mut Found) {
    names::object(&domain.name, "domain", known, found);
    types::data_type(&domain.data_type, known, found);
    let place = format!("the domain `{}`", domain.name);
    let named = domain.checks.iter().filter_map(|check| check.name.as_ref());
    names::unique(named, "check", &place, found);
}

pub(super) fn composite(composite: &Composite, known: &Known<'_>, found: &mut Found) {
    names::object(&composite.name, "type", known, found);
    names::rust(composite.rust.as_ref(), found);
    let place = format!("the type `{}`", composite.name);
    let attributes = &composite.attributes;
    names::unique(attributes.iter().map(|one| &one.name), "attribute", &place, found);
    for attribute in attributes {
        names::name(&attribute.name, "attribute", found);
        types::data_type(&attribute.data_type, known, found);
        let bare = Column {
            docs: attribute.docs.clone(),
            collation: attribute.collation.clone(),
            nullable: attribute.nullable,
            ..Column::new(attribute.name.clone(), attribute.data_type.clone())
        };
        if *attribute != bare {
            found.add(
                attribute.name.at,
                format!("the attribute `{}` has a clause of a column", attribute.name),
                "an attribute has a type and a collation only",
            );
        }
    }
}

pub(super) fn sequence(sequence: &Sequence, known: &Known<'_>, found: &mut Found) {
    names::object(&sequence.name, "sequence", known, found);
    let Some((owner, column)) = &sequence.owned_by else { return };
    let Some(table) = known.tables.get(&owner.key()) else {
        if !known.is_partial() {
            found.add(
                owner.at,
                format!(
                    "the sequence `{}` is owned by `{owner}`, which there is not",
                    sequence.name
                ),
                "define the table, or correct its name",
            );
        }
        return;
    };
    if known.columns(table).is_some_and(|columns| find(&columns, column).is_none()) {
        found.add(
            column.at,
            format!("the table `{owner}` has no column `{column}`"),
            "correct the column's name",
        );
    }
}

pub(super) fn view(view: &View, known: &Known<'_>, found: &mut Found) {
    names::object(&view.name, "view", known, found);
    names::rust(view.row.as_ref(), found);
    let place = format!("the view `{}`", view.name);
    names::unique(view.columns.iter().map(|column| &column.name), "column", &place, found);
    for column in &view.columns {
        names::name(&column.name, "column", found);
        types::data_type(&column.data_type, known, found);
    }
    if !view.materialized
        && let Some(index) = view.indexes.first()
    {
        found.add(index.at, format!("{place} can not have an index"), "make it materialized");
    }
    if view.materialized
        && let Some(trigger) = view.triggers.first()
    {
        let message = format!("{place} is materialized and can not have a trigger");
        found.add(trigger.name.at, message, "remove the trigger");
    }
    // Without columns nothing is said about them.
    let columns: Vec<&Column> = view.columns.iter().collect();
    let columns = if columns.is_empty() { None } else { Some(columns.as_slice()) };
    indexes(&view.indexes, columns, &place, found);
    triggers(&view.triggers, &place, found);
}

pub(super) fn object(object: &Object, known: &Known<'_>, found: &mut Found) {
    names::signature(&object.name, found);
    for need in &object.depends_on {
        if !known.is_partial() && !is_there(need, known) {
            found.add(
                need.at,
                format!("the object `{}` depends on `{need}`, which there is not", object.name),
                "define it, or correct its name",
            );
        }
    }
    if needs_itself(object, known) {
        found.add(
            object.name.at,
            format!("the object `{}` depends on itself", object.name),
            "leave out what closes the circle",
        );
    }
}

fn is_there(name: &ObjectName, known: &Known<'_>) -> bool {
    known.objects.contains_key(name.name.as_str()) || is_other_than_object(name, known)
}

/// A table, view or type comes before an object of the same name.
fn is_other_than_object(name: &ObjectName, known: &Known<'_>) -> bool {
    known.tables.contains_key(&name.key())
        || known.views.contains_key(&name.key())
        || known.made(name.key()).is_some()
}

/// Whether an object stands on a circle, which is told at the first name of those that do.
fn needs_itself(object: &Object, known: &Known<'_>) -> bool {
    let needed = needs(object, known);
    needed.contains(object.name.text.as_str())
        && needed.iter().all(|name| {
            *name >= object.name.text.as_str()
                || known
                    .objects
                    .get(name)
                    .is_none_or(|other| !needs(other, known).contains(object.name.text.as_str()))
        })
}

/// The objects that an object depends on, also by way of others.
fn needs<'a>(object: &'a Object, known: &Known<'a>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![object];
    while let Some(next) = open.pop() {
        for need in next.depends_on.iter().filter(|need| !is_other_than_object(need, known)) {
            if let Some(needed) = known.objects.get(need.name.as_str())
                && seen.insert(need.name.as_str())
            {
                open.push(needed);
            }
        }
    }
    seen
}
