//! Columns whose type or collation changes.

use std::collections::BTreeSet;

use super::change::{Change, descendants};
use super::columns::{default_clause, id};
use super::hazard::{Hazard, HazardKind};
use super::sequences::{identity_options, identity_statements};
use super::text::alter_table;
use super::together::{Retyped, Way};
use super::type_change::{is_widened, rewrites, shape, using};
use super::work::{Class, Work};
use crate::catalog::name::quoted;
use crate::catalog::{Column, ConstraintKind, Id, Introspected, QName};

/// One column. A change that rewrites the table is refused unless that is accepted.
pub(super) fn column(change: &mut Change<'_>, table: &QName, was: &Column, is: &Column) {
    let what = format!("change the type of {} of {table}", quoted(&is.name));
    if was.data_type != is.data_type && rewrites(&was.data_type, &is.data_type) {
        change.refuse(
            &format!("{what} from {} to {}", was.data_type, is.data_type),
            "every row would be written anew while nobody reads or writes",
            "add a column of the new type, copy the values in batches, and drop the old column \
             in a later migration",
            HazardKind::RewritesTable,
        );
    }
    let columns = vec![is.name.clone()];
    let (up, down) = (way(table, was, is), way(table, is, was));
    let work = Work::new(Class::Table, table, what)
        .part(14, &is.name)
        .retyped(Retyped { table: table.clone(), columns, up, down })
        .hazards(hazards(change.from_all, table, was, is))
        .down_hazards(hazards(change.to_all, table, is, was))
        .replaces(id(table, &is.name));
    change.push(work);
}

/// The way from one to the other, with default, storage and identity, all of which a change of
/// the type touches.
fn way(table: &QName, was: &Column, is: &Column) -> Way {
    let name = quoted(&is.name);
    let using = using(&name, &was.data_type, &is.data_type);
    let Way { mut before, mut clauses, mut after } = Way::default();
    let keeps_default = was.default == is.default && using.is_none();
    if was.identity.is_some() && is.identity.is_none() {
        let bare = Column { default: None, ..is.clone() };
        before.extend(identity_statements(table, was, &bare));
    }
    if was.default.is_some() && !keeps_default {
        clauses.push(format!("alter column {name} drop default"));
    }
    let collation = is.collation.as_ref().map(|one| format!(" collate {one}"));
    let using = using.map(|expression| format!(" using {expression}"));
    clauses.push(format!(
        "alter column {name} type {}{}{}",
        is.data_type,
        collation.unwrap_or_default(),
        using.unwrap_or_default()
    ));
    if is.default.is_some() && !keeps_default {
        clauses.push(default_clause(is));
    }
    // A change of the type brings the type's own storage back.
    if let Some(storage) = &is.storage {
        let clause = format!("alter column {name} set storage {}", storage.to_lowercase());
        after.push(alter_table(table, &[clause]));
    }
    let alter = format!("alter column {name}");
    match (&was.identity, &is.identity) {
        (Some(old), Some(new)) => {
            let clause = identity_options(&alter, (was, old), (is, new));
            after.extend(clause.map(|clause| alter_table(table, &[clause])));
        }
        (None, Some(_)) => {
            let bare = Column { default: None, ..was.clone() };
            after.extend(identity_statements(table, &bare, is));
        }
        _ => {}
    }
    Way { before, clauses, after }
}

/// `all` is the catalog that has the old version.
fn hazards(all: &Introspected, table: &QName, was: &Column, is: &Column) -> Vec<Hazard> {
    let hazard = |kind, about: &str| Hazard { kind, about: about.to_owned() };
    let mut hazards = Vec::new();
    if was.data_type != is.data_type && rewrites(&was.data_type, &is.data_type) {
        let about = "all rows are written anew, nobody reads or writes";
        hazards.push(hazard(HazardKind::RewritesTable, about));
        if !is_widened(&was.data_type, &is.data_type) {
            hazards.push(hazard(HazardKind::MayFail, "values that exist may not fit"));
        }
    } else if was.collation != is.collation
        && let Some(about) = done_anew(all, table, &was.name)
    {
        hazards.push(hazard(HazardKind::BlocksReadsAndWrites, about));
    }
    if shape(&was.data_type).base != shape(&is.data_type).base {
        hazards.push(hazard(HazardKind::BreaksCallers, "readers and writers see another type"));
    }
    hazards
}

/// What Postgres does anew for another order of the same values, which the rows keep: indexes and
/// checks of the column, there and in the tables beneath. Foreign keys are steps of their own.
fn done_anew(all: &Introspected, table: &QName, column: &str) -> Option<&'static str> {
    let tables = std::iter::once(table).chain(descendants(&all.catalog, table));
    let columns: Vec<Id> = tables.map(|table| id(table, column)).collect();
    let is_used = |needs: &BTreeSet<Id>| columns.iter().any(|column| needs.contains(column));
    let users = all.needs.iter().filter(|(_, needs)| is_used(needs)).map(|(user, _)| user);
    let mut checks = false;
    for user in users {
        let kind = match user {
            Id::Index(_) => return Some(INDEXES),
            Id::Constraint(of, name) => {
                all.catalog.tables.get(of).and_then(|of| of.constraints.get(name))
            }
            _ => None,
        };
        match kind.map(|constraint| &constraint.kind) {
            Some(ConstraintKind::Check { .. }) => checks = true,
            None | Some(ConstraintKind::ForeignKey { .. }) => {}
            Some(_) => return Some(INDEXES),
        }
    }
    checks.then_some("all rows are checked anew")
}

const INDEXES: &str = "the column's indexes are built anew";
