//! How alike two things are, to put the likeliest candidate first.
//! Never: decides anything; a likeness of 1 is asked about, too.

use std::collections::BTreeSet;

use strsim::{jaro_winkler, sorensen_dice};

use super::answer::{Kind, Subject};
use crate::catalog::{Catalog, Table};

/// From 0 to 1: half the name, half the shape.
pub(super) fn likeness(
    kind: Kind,
    (from, old): (&Catalog, &Subject),
    (to, new): (&Catalog, &Subject),
) -> f64 {
    let name = jaro_winkler(last(old), last(new));
    f64::midpoint(name, shape(kind, (from, old), (to, new)).unwrap_or(0.0))
}

/// The name within what it belongs to.
pub(super) fn last(subject: &Subject) -> &str {
    match subject {
        Subject::Schema(name) | Subject::Within(_, name) => name,
        Subject::InSchema(name) => &name.name,
    }
}

fn shape(
    kind: Kind,
    (from, old): (&Catalog, &Subject),
    (to, new): (&Catalog, &Subject),
) -> Option<f64> {
    match (old, new) {
        (Subject::Schema(old), Subject::Schema(new)) => {
            Some(overlap(relations(from, old), relations(to, new)))
        }
        (Subject::InSchema(old), Subject::InSchema(new)) => match kind {
            Kind::Table => Some(tables(from.tables.get(old)?, to.tables.get(new)?)),
            Kind::View | Kind::MaterializedView => {
                let (old, new) = (from.views.get(old)?, to.views.get(new)?);
                Some(sorensen_dice(&old.definition, &new.definition))
            }
            Kind::Enum => {
                let (old, new) = (from.enums.get(old)?, to.enums.get(new)?);
                Some(overlap(old.values.iter(), new.values.iter()))
            }
            Kind::Domain => {
                let (old, new) = (from.domains.get(old)?, to.domains.get(new)?);
                Some(share(&[old.data_type == new.data_type, old.not_null == new.not_null]))
            }
            Kind::Composite => {
                let (old, new) = (from.composites.get(old)?, to.composites.get(new)?);
                Some(overlap(old.attributes.iter(), new.attributes.iter()))
            }
            Kind::Sequence => {
                Some(share(&[from.sequences.get(old)?.options == to.sequences.get(new)?.options]))
            }
            Kind::Schema | Kind::Column | Kind::Attribute | Kind::Value => None,
        },
        (Subject::Within(owner, old), Subject::Within(_, new)) => match kind {
            Kind::Column => {
                let (before, after) = (from.tables.get(owner)?, to.tables.get(owner)?);
                let old = before.columns.iter().find(|column| column.name == *old)?;
                let new = after.columns.iter().find(|column| column.name == *new)?;
                let same_type = old.data_type == new.data_type;
                let (nullable, default) =
                    (old.not_null == new.not_null, old.default == new.default);
                Some(share(&[same_type, same_type, nullable, default]))
            }
            Kind::Attribute => {
                let data_type = |catalog: &Catalog, attribute: &String| {
                    let attributes = &catalog.composites.get(owner)?.attributes;
                    let found = attributes.iter().position(|(name, ..)| name == attribute)?;
                    Some((found, attributes.get(found)?.1.clone()))
                };
                let ((old, before), (new, after)) = (data_type(from, old)?, data_type(to, new)?);
                Some(share(&[before == after, old == new]))
            }
            Kind::Value => {
                let place = |catalog: &Catalog, value: &String| {
                    catalog.enums.get(owner)?.values.iter().position(|one| one == value)
                };
                Some(share(&[place(from, old)? == place(to, new)?]))
            }
            _ => None,
        },
        _ => None,
    }
}

fn tables(old: &Table, new: &Table) -> f64 {
    let names = |table: &Table| -> Vec<String> {
        table.columns.iter().map(|column| column.name.clone()).collect()
    };
    let typed = |table: &Table| -> Vec<(String, String)> {
        let columns = table.columns.iter();
        columns.map(|column| (column.name.clone(), column.data_type.clone())).collect()
    };
    f64::midpoint(overlap(names(old), names(new)), overlap(typed(old), typed(new)))
}

fn relations<'a>(catalog: &'a Catalog, schema: &str) -> Vec<&'a String> {
    let names = catalog.tables.keys().chain(catalog.views.keys()).chain(catalog.enums.keys());
    names.filter(|name| name.schema == schema).map(|name| &name.name).collect()
}

/// What two sets share, of all that is in either.
#[expect(clippy::cast_precision_loss, reason = "no set has 2^52 members")]
fn overlap<T: Ord>(old: impl IntoIterator<Item = T>, new: impl IntoIterator<Item = T>) -> f64 {
    let (old, new): (BTreeSet<T>, BTreeSet<T>) =
        (old.into_iter().collect(), new.into_iter().collect());
    let all = old.union(&new).count();
    if all == 0 { 0.0 } else { old.intersection(&new).count() as f64 / all as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "there are at most four")]
fn share(facts: &[bool]) -> f64 {
    facts.iter().filter(|fact| **fact).count() as f64 / facts.len() as f64
}
