//! Columns that become not null, or nullable.

use super::Phase;
use super::change::Change;
use super::columns::id;
use super::hazard::HazardKind;
use super::text::{alter_table, free_name};
use super::work::{Class, Key, Work};
use crate::catalog::name::quoted;
use crate::catalog::{Column, Id, QName, Table};

/// Not null or nullable. With rows there, a check that holds no lock comes first: Postgres takes
/// its word (PostgreSQL documentation, ALTER TABLE, SET NOT NULL).
pub(super) fn plan(change: &mut Change<'_>, table: &QName, new: &Table, is: &Column) {
    let name = quoted(&is.name);
    let key = Key::NotNull(table.clone(), is.name.clone());
    let set = alter_table(table, &[format!("alter column {name} set not null")]);
    let unset = alter_table(table, &[format!("alter column {name} drop not null")]);
    let scan = "all rows are read";
    if !is.not_null {
        let work = Work::new(Class::Table, table, format!("let {name} of {table} be null"))
            .part(18, &is.name)
            .up(unset)
            .down(set)
            .takes([key])
            .hazard(HazardKind::BreaksCallers, "readers may see nulls")
            .down_hazard(HazardKind::MayFail, "rows may have nulls by then")
            .down_hazard(HazardKind::BlocksReadsAndWrites, scan);
        change.push(work);
        return;
    }
    if !change.options.online {
        let work = Work::new(Class::Table, table, format!("set {name} of {table} not null"))
            .part(18, &is.name)
            .up(set)
            .down(unset)
            .gives([key])
            .hazard(HazardKind::MayFail, "rows that exist may have nulls")
            .hazard(HazardKind::BlocksReadsAndWrites, scan);
        change.push(work);
        return;
    }
    dance(change, table, new, is, &[set, unset]);
}

/// A check forbids new nulls, existing rows are looked at, and the check is traded for the real
/// thing, which then needs no look.
fn dance(
    change: &mut Change<'_>,
    table: &QName,
    new: &Table,
    is: &Column,
    [set, unset]: &[String; 2],
) {
    let name = quoted(&is.name);
    let key = Key::NotNull(table.clone(), is.name.clone());
    let helper = free_name(&[&table.name, &is.name], "_is_set", |name| {
        new.constraints.contains_key(name) || change.is_taken(&table.schema, name)
    });
    let helper = quoted(&helper);
    let add = format!("add constraint {helper} check ({name} is not null) not valid");
    let drop = format!("drop constraint {helper}");
    let added = Work::new(Class::Table, table, format!("forbid new nulls in {name} of {table}"))
        .part(18, &is.name)
        .up(alter_table(table, std::slice::from_ref(&add)))
        .down(alter_table(table, std::slice::from_ref(&drop)))
        .hazard(HazardKind::BreaksCallers, "writers that leave it out fail")
        .after([id(table, &is.name)]);
    let helper_key = Key::from(Id::Constraint(table.clone(), helper.clone()));
    let checked = Work::new(Class::Table, table, format!("look for nulls in {name} of {table}"))
        .part(18, &is.name)
        .phase(Phase::Validate)
        .up(alter_table(table, &[format!("validate constraint {helper}")]))
        .down(alter_table(table, &[drop.clone(), add.clone()]))
        .hazard(HazardKind::MayFail, "rows that exist may have nulls")
        .after([helper_key.clone()]);
    let set = Work::new(Class::Table, table, format!("set {name} of {table} not null"))
        .part(18, &is.name)
        .phase(Phase::Finish)
        .up(set.clone())
        .up(alter_table(table, &[drop]))
        .down(alter_table(table, &[add]))
        .down(unset.clone())
        .gives([key])
        .after([helper_key.clone()]);
    change.push(added.gives([helper_key]));
    change.push(checked);
    change.push(set);
}
