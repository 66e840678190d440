//! Answers as renames, and renames carried out in a catalog.
//! Never: decides that something was renamed.

use std::collections::BTreeMap;

use super::answer::{Kind, Subject};
use super::rename::{Part, Relation, Rename};
use crate::catalog::{Catalog, QName};

/// The rename of something of that kind.
pub(super) fn rename(kind: Kind, from: Subject, to: Subject) -> Option<Rename> {
    let relation = match kind {
        Kind::Table => Relation::Table,
        Kind::View => Relation::View,
        Kind::MaterializedView => Relation::MaterializedView,
        Kind::Sequence => Relation::Sequence,
        Kind::Domain => Relation::Domain,
        _ => Relation::Type,
    };
    match (from, to) {
        (Subject::Schema(from), Subject::Schema(to)) => Some(Rename::Schema { from, to }),
        (Subject::InSchema(from), Subject::InSchema(to)) => {
            Some(Rename::Relation { kind: relation, from, to })
        }
        (Subject::Within(_, from), Subject::Within(of, to)) => {
            let kind = match kind {
                Kind::Value => Part::Value,
                Kind::Attribute => Part::Attribute,
                _ => Part::Column,
            };
            Some(Rename::Part { kind, of, from, to })
        }
        _ => None,
    }
}

/// Carries a rename out as far as the questions that follow look at it.
pub(super) fn carry(catalog: &mut Catalog, rename: &Rename) {
    match rename {
        Rename::Schema { from, to } => {
            if let Some(schema) = catalog.schemas.remove(from) {
                catalog.schemas.insert(to.clone(), schema);
            }
            let moved = |name: QName| {
                if name.schema == *from { QName::new(to, name.name) } else { name }
            };
            rekey(&mut catalog.enums, moved);
            rekey(&mut catalog.domains, moved);
            rekey(&mut catalog.composites, moved);
            rekey(&mut catalog.sequences, moved);
            rekey(&mut catalog.tables, moved);
            rekey(&mut catalog.views, moved);
        }
        Rename::Relation { kind, from, to } => {
            let moved = |name: QName| if name == *from { to.clone() } else { name };
            match kind {
                Relation::Table => rekey(&mut catalog.tables, moved),
                Relation::View | Relation::MaterializedView => rekey(&mut catalog.views, moved),
                Relation::Sequence => rekey(&mut catalog.sequences, moved),
                Relation::Domain => rekey(&mut catalog.domains, moved),
                Relation::Type => {
                    rekey(&mut catalog.enums, moved);
                    rekey(&mut catalog.composites, moved);
                }
            }
        }
        Rename::Part { kind: Part::Column, of, from, to } => {
            let mut table = catalog.tables.get_mut(of).into_iter();
            let column =
                table.by_ref().flat_map(|table| &mut table.columns).find(|one| one.name == *from);
            if let Some(column) = column {
                column.name.clone_from(to);
            }
        }
        Rename::Part { .. } => {}
    }
}

fn rekey<T>(map: &mut BTreeMap<QName, T>, moved: impl Fn(QName) -> QName) {
    let old = std::mem::take(map);
    map.extend(old.into_iter().map(|(name, what)| (moved(name), what)));
}
