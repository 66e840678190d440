//! What has to be dropped and made again because something it needs changes beneath it.
//! Never: drops what is gone anyway; that is a change of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::change::column;
use super::{objects, swap, type_change, views};
use crate::catalog::{Catalog, Column, ConstraintKind, Id, Introspected, QName, View};

/// What changes so that nothing that needs it can stay.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// In both catalogs, dropped and made again. A column here is dropped and added.
    pub(super) again: BTreeSet<Id>,
    /// Columns whose default is dropped and set again.
    pub(super) defaults: BTreeSet<(QName, String)>,
    /// Types that are made anew beneath the columns that have them.
    pub(super) swapped: BTreeSet<QName>,
    /// Columns whose type or collation changes.
    pub(super) altered: BTreeSet<(QName, String)>,
}

impl Broken {
    /// Whether a column is touched so that what uses it can not change at the same time.
    pub(super) fn touches(
        &self,
        table: &QName,
        column: &str,
        from: &Catalog,
        to: &Catalog,
    ) -> bool {
        let key = (table.clone(), column.to_owned());
        let in_table = |catalog: &Catalog| {
            catalog.tables.get(table).is_some_and(|table| self::column(table, column).is_some())
        };
        self.altered.contains(&key)
            || self.again.contains(&Id::Column(key.0, key.1))
            || !in_table(from)
            || !in_table(to)
    }
}

/// Finds all of it.
pub(super) fn broken(from: &Introspected, to: &Introspected) -> Broken {
    let mut broken = Broken { swapped: swap::swapped(from, to), ..Broken::default() };
    let users = users(from);
    let mut queue = seeds(from, to, &users, &mut broken);
    let mut seen: BTreeSet<Id> = queue.iter().cloned().collect();
    while let Some(id) = queue.pop() {
        for user in users.get(&id).into_iter().flatten() {
            if !is_in(&to.catalog, user) {
                continue;
            }
            let spreads = spread(&id, user, from, to, &mut broken);
            if spreads && seen.insert((*user).clone()) {
                queue.push((*user).clone());
            }
        }
    }
    broken
}

/// Who needs what.
fn users(of: &Introspected) -> BTreeMap<&Id, Vec<&Id>> {
    let mut users: BTreeMap<&Id, Vec<&Id>> = BTreeMap::new();
    for (user, needs) in &of.needs {
        for need in needs {
            users.entry(need).or_default().push(user);
        }
    }
    users
}

/// Where it begins: what is removed, or changes in a way that Postgres refuses while it is used.
fn seeds(
    from: &Introspected,
    to: &Introspected,
    users: &BTreeMap<&Id, Vec<&Id>>,
    broken: &mut Broken,
) -> Vec<Id> {
    let mut seeds: Vec<Id> = broken.swapped.iter().cloned().map(Id::Type).collect();
    let (old, new) = (&from.catalog, &to.catalog);
    for (name, table) in &old.tables {
        let Some(after) = new.tables.get(name) else {
            seeds.push(Id::Table(name.clone()));
            continue;
        };
        for was in &table.columns {
            let Some(is) = column(after, &was.name) else {
                seeds.push(Id::Column(name.clone(), was.name.clone()));
                continue;
            };
            let swapped = swap::is_swapped(&was.data_type, &broken.swapped);
            if is_replaced(was, is, to.version) {
                seeds.push(Id::Column(name.clone(), was.name.clone()));
                broken.again.insert(Id::Column(name.clone(), was.name.clone()));
            } else if swapped || is_altered(was, is) {
                seeds.push(Id::Column(name.clone(), was.name.clone()));
                broken.altered.insert((name.clone(), was.name.clone()));
            }
        }
        for (part, was) in &table.constraints {
            let is = after.constraints.get(part);
            if is.is_none_or(|is| is.definition != was.definition) {
                seeds.push(Id::Constraint(name.clone(), part.clone()));
            }
        }
    }
    for (name, was) in &old.views {
        let id = Id::View(name.clone());
        // A view that grew can not shrink again while others use it.
        let stays = |is: &View| {
            views::is_replaceable(was, is)
                && (was.columns == is.columns || !users.contains_key(&id))
        };
        if new.views.get(name).is_none_or(|is| !stays(is)) {
            if new.views.contains_key(name) {
                broken.again.insert(id.clone());
            }
            seeds.push(id);
        }
    }
    for (kind, objects) in &old.objects {
        for (name, was) in objects {
            let is = new.objects.get(kind).and_then(|all| all.get(name));
            let id = Id::Object(*kind, name.clone());
            if is.is_none_or(|is| was.create != is.create && !objects::is_replaceable(was, is)) {
                if is.is_some() {
                    broken.again.insert(id.clone());
                }
                seeds.push(id);
            }
        }
    }
    seeds
}

/// Whether a column has to be dropped and added: no statement makes a column generated, or virtual
/// from stored, and its expression changes only from Postgres 17 on.
pub(super) fn is_replaced(was: &Column, is: &Column, version: i32) -> bool {
    match (&was.generated, &is.generated) {
        (None, None) => false,
        (None, Some(_)) => true,
        (Some(was), None) => !was.stored,
        (Some(old), Some(new)) => {
            let types = was.data_type != is.data_type || was.collation != is.collation;
            old.stored != new.stored || types || (old != new && version < 170_000)
        }
    }
}

fn is_altered(was: &Column, is: &Column) -> bool {
    was.data_type != is.data_type || was.collation != is.collation
}

/// Marks a user of something broken. Returns whether its own users are affected in turn.
fn spread(id: &Id, user: &Id, from: &Introspected, to: &Introspected, broken: &mut Broken) -> bool {
    let altered = matches!(id, Id::Column(table, name)
        if broken.altered.contains(&(table.clone(), name.clone())));
    match user {
        Id::View(_) | Id::Object(..) | Id::Policy(..) | Id::Trigger(..) => {
            // Postgres keeps extended statistics up to date itself.
            let kept = matches!(user, Id::Object(crate::catalog::ObjectKind::Statistics, _));
            if !(altered && kept) {
                broken.again.insert(user.clone());
            }
            true
        }
        Id::Constraint(table, name) => {
            if matches!(id, Id::Table(_)) {
                return false;
            }
            let foreign = foreign_key_breaks(from, to, broken, (table, name));
            if altered && !foreign {
                return false;
            }
            broken.again.insert(user.clone());
            true
        }
        Id::Index(_) => {
            if !altered && !matches!(id, Id::Table(_)) {
                broken.again.insert(user.clone());
            }
            false
        }
        Id::Column(table, name) => column_spreads(id, table, name, from, to, broken),
        _ => false,
    }
}

/// A generated column does not outlive what its expression uses; a default can be set again.
fn column_spreads(
    id: &Id,
    table: &QName,
    name: &str,
    from: &Introspected,
    to: &Introspected,
    broken: &mut Broken,
) -> bool {
    let was = from.catalog.tables.get(table).and_then(|table| column(table, name));
    let is = to.catalog.tables.get(table).and_then(|table| column(table, name));
    let (Some(was), Some(is)) = (was, is) else { return false };
    if was.generated.is_some() && !matches!(id, Id::Table(_)) {
        broken.altered.remove(&(table.clone(), name.to_owned()));
        broken.again.insert(Id::Column(table.clone(), name.to_owned()));
        return true;
    }
    let uses = matches!(id, Id::Object(..) | Id::Sequence(_) | Id::Type(_));
    if uses && was.default.is_some() && is.default.is_some() {
        broken.defaults.insert((table.clone(), name.to_owned()));
    }
    false
}

/// Whether a foreign key can not stay while the types of its columns change one after the other.
fn foreign_key_breaks(
    from: &Introspected,
    to: &Introspected,
    broken: &Broken,
    (table, name): (&QName, &str),
) -> bool {
    let constraint = from.catalog.tables.get(table).and_then(|table| table.constraints.get(name));
    let Some(ConstraintKind::ForeignKey { columns, references, referenced_columns }) =
        constraint.map(|constraint| &constraint.kind)
    else {
        return false;
    };
    let changes = |table: &QName, name: &String| {
        let was = from.catalog.tables.get(table).and_then(|table| column(table, name));
        let is = to.catalog.tables.get(table).and_then(|table| column(table, name));
        was.zip(is).is_some_and(|(was, is)| {
            was.collation != is.collation
                || swap::is_swapped(&was.data_type, &broken.swapped)
                || !type_change::is_comparable(&was.data_type, &is.data_type)
        })
    };
    columns.iter().any(|name| changes(table, name))
        || referenced_columns.iter().any(|name| changes(references, name))
}

/// Whether a catalog has an object.
fn is_in(catalog: &Catalog, id: &Id) -> bool {
    let table = |name: &QName| catalog.tables.get(name);
    match id {
        Id::Schema(name) => catalog.schemas.contains_key(name),
        Id::Extension(name) => catalog.extensions.contains_key(name),
        Id::Type(name) => {
            catalog.enums.contains_key(name)
                || catalog.domains.contains_key(name)
                || catalog.composites.contains_key(name)
        }
        Id::Sequence(name) => catalog.sequences.contains_key(name),
        Id::Table(name) => catalog.tables.contains_key(name),
        Id::Column(of, name) => table(of).is_some_and(|table| column(table, name).is_some()),
        Id::Constraint(of, name) => {
            table(of).is_some_and(|table| table.constraints.contains_key(name))
        }
        Id::Index(name) => {
            catalog.tables.iter().any(|(of, table)| {
                of.schema == name.schema && table.indexes.contains_key(&name.name)
            }) || catalog
                .views
                .iter()
                .any(|(of, view)| of.schema == name.schema && view.indexes.contains_key(&name.name))
        }
        Id::Trigger(of, name) => {
            table(of).is_some_and(|table| table.triggers.contains_key(name))
                || catalog.views.get(of).is_some_and(|view| view.triggers.contains_key(name))
        }
        Id::Policy(of, name) => table(of).is_some_and(|table| table.policies.contains_key(name)),
        Id::View(name) => catalog.views.contains_key(name),
        Id::Object(kind, name) => {
            catalog.objects.get(kind).is_some_and(|objects| objects.contains_key(name))
        }
    }
}
