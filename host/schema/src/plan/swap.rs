//! Types that can not be altered to what they are to be: made anew beneath the columns that have
//! them. An enum that loses a value or is reordered, a domain over another type, a composite type
//! whose attributes change in the middle.

use std::collections::BTreeSet;

use super::change::Change;
use super::columns::{default_clause, id};
use super::hazard::HazardKind;
use super::text::{alter_table, free_name};
use super::types::{create, is_extended, word};
use super::work::{Class, Key, Work};
use super::write::is_of;
use crate::catalog::name::quoted;
use crate::catalog::{Catalog, Column, Id, Introspected, QName};

/// Which types those are, with the types made of them.
pub(super) fn swapped(from: &Introspected, to: &Introspected) -> BTreeSet<QName> {
    let (old, new) = (&from.catalog, &to.catalog);
    let mut all = BTreeSet::new();
    for (name, was) in &old.enums {
        let is = new.enums.get(name);
        if is.is_some_and(|is| super::types::added_values(name, &was.values, &is.values).is_none())
        {
            all.insert(name.clone());
        }
    }
    for (name, was) in &old.domains {
        let is = new.domains.get(name);
        if is.is_some_and(|is| was.data_type != is.data_type || was.collation != is.collation) {
            all.insert(name.clone());
        }
    }
    for (name, was) in &old.composites {
        let is = new.composites.get(name);
        if is.is_some_and(|is| !is_extended(was, is) && !is_extended(is, was)) {
            all.insert(name.clone());
        }
    }
    loop {
        let more: Vec<QName> =
            made_of(old, &all).filter(|name| !all.contains(name) && has(new, name)).collect();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

fn has(catalog: &Catalog, name: &QName) -> bool {
    catalog.domains.contains_key(name) || catalog.composites.contains_key(name)
}

/// The domains and composite types made of these types.
fn made_of(catalog: &Catalog, types: &BTreeSet<QName>) -> impl Iterator<Item = QName> {
    let domains = catalog.domains.iter().filter(|(_, one)| is_swapped(&one.data_type, types));
    let composites = catalog.composites.iter().filter(|(_, one)| {
        one.attributes.iter().any(|(_, data_type, _)| is_swapped(data_type, types))
    });
    let domains = domains.map(|(name, _)| name.clone());
    domains.chain(composites.map(|(name, _)| name.clone()))
}

/// Whether a type is one of these, or an array of one.
pub(super) fn is_swapped(data_type: &str, types: &BTreeSet<QName>) -> bool {
    types.iter().any(|name| is_of(data_type, name))
}

/// The steps: one for each group of types that are made of each other.
pub(super) fn plan(change: &mut Change<'_>) {
    let mut left = change.broken.swapped.clone();
    while let Some(first) = left.first().cloned() {
        let mut group = BTreeSet::from([first]);
        loop {
            let before = group.len();
            let connected: Vec<QName> = left
                .iter()
                .filter(|name| {
                    let one = BTreeSet::from([(*name).clone()]);
                    [change.from, change.to].into_iter().any(|catalog| {
                        made_of(catalog, &group).any(|made| made == **name)
                            || made_of(catalog, &one).any(|made| group.contains(&made))
                    })
                })
                .cloned()
                .collect();
            group.extend(connected);
            if group.len() == before {
                break;
            }
        }
        left.retain(|name| !group.contains(name));
        step(change, &group);
    }
}

fn step(change: &mut Change<'_>, group: &BTreeSet<QName>) {
    let names: Vec<String> = group.iter().map(QName::to_string).collect();
    let what = format!("make {} anew", names.join(", "));
    let columns = columns(change, group);
    let ids = columns.iter().map(|(table, was, _)| Key::from(id(table, &was.name)));
    let types =
        group.iter().flat_map(|name| [Key::from(Id::Type(name.clone())), Key::Type(name.clone())]);
    let keys: Vec<Key> = ids.chain(types).collect();
    let mut work = Work::new(Class::Type, &names.concat(), what.clone())
        .ups(statements(change, group, &columns, (change.from, change.to)))
        .gives(keys.clone())
        .takes(keys);
    let turned: Vec<_> = columns.iter().map(|(table, was, is)| (*table, *is, *was)).collect();
    work = work.downs(statements(change, group, &turned, (change.to, change.from)));
    let breaks = |work: Work| {
        let about = "who uses what it no longer has fails";
        work.hazard(HazardKind::BreaksCallers, about).down_hazard(HazardKind::BreaksCallers, about)
    };
    if !columns.is_empty() {
        let rewrite = "all rows of the tables that use it are written anew";
        work = work
            .hazard(HazardKind::RewritesTable, rewrite)
            .hazard(HazardKind::MayFail, "values that exist may be none of the new type")
            .down_hazard(HazardKind::RewritesTable, rewrite)
            .down_hazard(HazardKind::MayFail, "values that exist may be none of the old type");
        change.refuse(
            &what,
            "every row of the tables that use it would be written anew while nobody reads or writes",
            "keep what is no longer wanted in the type, or add a column of a new type, copy the \
             values in batches, and drop the old column in a later migration",
            HazardKind::RewritesTable,
        );
    }
    change.push(breaks(work));
}

/// The columns that have one of the types before and after, in both versions.
type Columns<'a> = Vec<(&'a QName, &'a Column, &'a Column)>;

fn columns<'a>(change: &Change<'a>, group: &BTreeSet<QName>) -> Columns<'a> {
    let (from, to) = (change.from, change.to);
    let mut all = Vec::new();
    for (name, table) in from.tables.iter().filter(|(name, _)| !change.is_gone(name)) {
        let Some(after) = to.tables.get(name) else { continue };
        for was in table.columns.iter().filter(|was| !was.inherited) {
            let Some(is) = super::change::column(after, &was.name) else { continue };
            let stays = was.data_type == is.data_type && !change.again(&id(name, &is.name));
            if stays && is_swapped(&was.data_type, group) {
                all.push((name, was, is));
            }
        }
    }
    all
}

/// Old types out of the way, new ones made, columns over, old types dropped.
fn statements(
    change: &Change<'_>,
    group: &BTreeSet<QName>,
    columns: &[(&QName, &Column, &Column)],
    (from, to): (&Catalog, &Catalog),
) -> Vec<String> {
    let order = in_order(to, group);
    let mut sql = Vec::new();
    let aside = |name: &QName| {
        let taken = |free: &str| change.is_taken(&name.schema, free);
        QName::new(&name.schema, free_name(&[&name.name], "_old", taken))
    };
    for name in &order {
        let old = quoted(&aside(name).name);
        sql.push(format!("alter {} {} rename to {old}", word(from, name), name.sql()));
    }
    for name in &order {
        sql.extend(create(to, name));
    }
    for of_table in columns.chunk_by(|one, next| one.0 == next.0) {
        sql.extend(over(of_table));
    }
    for (table, _, is) in columns {
        if let Some(storage) = &is.storage {
            let storage = storage.to_lowercase();
            let clause = format!("alter column {} set storage {storage}", quoted(&is.name));
            sql.push(alter_table(table, &[clause]));
        }
    }
    for name in in_order(from, group).iter().rev() {
        sql.push(format!("drop {} {}", word(from, name), aside(name).sql()));
    }
    sql
}

/// What is made of others comes after them.
fn in_order(catalog: &Catalog, group: &BTreeSet<QName>) -> Vec<QName> {
    let mut order: Vec<QName> = Vec::new();
    while order.len() < group.len() {
        let left: BTreeSet<QName> =
            group.iter().filter(|name| !order.contains(name)).cloned().collect();
        let waiting: BTreeSet<QName> = made_of(catalog, &left).collect();
        let free = left.iter().filter(|name| !waiting.contains(name));
        let mut free: Vec<QName> = free.cloned().collect();
        if free.is_empty() {
            free = left.into_iter().collect();
        }
        order.extend(free);
    }
    order
}

/// The columns of one table from the old type to the new one, by way of their text, in one
/// statement, so that the rows are written anew once.
fn over(columns: &[(&QName, &Column, &Column)]) -> Option<String> {
    let (table, ..) = columns.first()?;
    let mut clauses = Vec::new();
    for (_, was, is) in columns {
        let name = quoted(&is.name);
        let brackets = if is.data_type.ends_with("[]") { "[]" } else { "" };
        if was.default.is_some() {
            clauses.push(format!("alter column {name} drop default"));
        }
        let cast = format!("{name}::text{brackets}::{}", is.data_type);
        clauses.push(format!("alter column {name} type {} using {cast}", is.data_type));
        if is.default.is_some() {
            clauses.push(default_clause(is));
        }
    }
    Some(alter_table(table, &clauses))
}
