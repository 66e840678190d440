//! Columns whose type or collation changes.

use super::change::Change;
use super::columns::{default_clause, id};
use super::hazard::{Hazard, HazardKind};
use super::sequences::{identity_options, identity_statements};
use super::text::alter_table;
use super::type_change::{is_widened, rewrites, using};
use super::work::{Class, Work};
use crate::catalog::name::quoted;
use crate::catalog::{Column, QName};

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
    let work = Work::new(Class::Table, table, what)
        .part(14, &is.name)
        .ups(statements(table, was, is))
        .downs(statements(table, is, was))
        .hazards(hazards(was, is))
        .down_hazards(hazards(is, was))
        .replaces(id(table, &is.name));
    change.push(work);
}

/// The way from one to the other, with default, storage and identity, all of which a change of
/// the type touches.
fn statements(table: &QName, was: &Column, is: &Column) -> Vec<String> {
    let name = quoted(&is.name);
    let using = using(&name, &was.data_type, &is.data_type);
    let mut sql = Vec::new();
    let mut clauses = Vec::new();
    let keeps_default = was.default == is.default && using.is_none();
    if was.identity.is_some() && is.identity.is_none() {
        let bare = Column { default: None, ..is.clone() };
        sql.extend(identity_statements(table, was, &bare));
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
        sql.push(alter_table(table, &clauses));
        clauses = vec![format!("alter column {name} set storage {}", storage.to_lowercase())];
    }
    sql.push(alter_table(table, &clauses));
    let alter = format!("alter column {name}");
    match (&was.identity, &is.identity) {
        (Some(old), Some(new)) => {
            let clause = identity_options(&alter, (was, old), (is, new));
            sql.extend(clause.map(|clause| alter_table(table, &[clause])));
        }
        (None, Some(_)) => {
            let bare = Column { default: None, ..was.clone() };
            sql.extend(identity_statements(table, &bare, is));
        }
        _ => {}
    }
    sql
}

fn hazards(was: &Column, is: &Column) -> Vec<Hazard> {
    let hazard = |kind, about: &str| Hazard { kind, about: about.to_owned() };
    if was.data_type == is.data_type {
        let about = "the column's indexes are built anew";
        return vec![hazard(HazardKind::BlocksReadsAndWrites, about)];
    }
    let mut hazards = Vec::new();
    if rewrites(&was.data_type, &is.data_type) {
        let about = "all rows are written anew, nobody reads or writes";
        hazards.push(hazard(HazardKind::RewritesTable, about));
        if !is_widened(&was.data_type, &is.data_type) {
            hazards.push(hazard(HazardKind::MayFail, "values that exist may not fit"));
        }
    }
    if super::type_change::shape(&was.data_type).base
        != super::type_change::shape(&is.data_type).base
    {
        hazards.push(hazard(HazardKind::BreaksCallers, "readers and writers see another type"));
    }
    hazards
}
