//! Columns of tables that are there: added, dropped, and all that can be altered but the type.

use super::change::{Change, column, descendants, parents};
use super::dependents::is_replaced;
use super::hazard::{Hazard, HazardKind};
use super::tables::reaches_all;
use super::text::{alter_table, lowered};
use super::work::{Class, Key, Work};
use super::write::{column_comment, column_definition, deviations};
use super::{not_null, retype, sequences, type_change};
use crate::catalog::name::quoted;
use crate::catalog::{Column, Id, QName, Table};

/// What is said of a table or column that goes.
pub(super) const MISSED: &str = "who reads or writes it fails";

/// All columns of a table that both catalogs have.
pub(super) fn plan(change: &mut Change<'_>, table: &QName, old: &Table, new: &Table) {
    for was in &old.columns {
        match column(new, &was.name) {
            None if goes_with_parent(change, new, was) => {}
            None => drop_column(change, table, was),
            Some(is) if change.again(&id(table, &is.name)) => {
                if !follows(change, old, new, &is.name) {
                    drop_column(change, table, was);
                    add(change, table, is);
                }
            }
            Some(is) => alter(change, table, (old, new), was, is),
        }
    }
    for is in &new.columns {
        if column(old, &is.name).is_none() && !is.inherited {
            add(change, table, is);
        } else if column(old, &is.name).is_none() {
            deviate(change, table, new, is);
        }
    }
}

pub(super) fn id(table: &QName, name: &str) -> Id {
    Id::Column(table.clone(), name.to_owned())
}

/// Of a column that a parent gets in the same plan: what is the table's own about it.
fn deviate(change: &mut Change<'_>, table: &QName, new: &Table, is: &Column) {
    let parent = parents(new).find_map(|parent| Some((parent, change.to.tables.get(parent)?)));
    let Some((parent, inherited)) =
        parent.and_then(|(parent, about)| column(about, &is.name).map(|column| (parent, column)))
    else {
        return;
    };
    let mut was = inherited.clone();
    was.comment = None;
    let late = [Key::from(id(parent, &is.name))];
    for work in small(change, table, &was, is, false) {
        change.push(Work { goes_with: None, ..work }.after(late.clone()));
    }
}

/// A column that came from a parent goes when the parent's does.
fn goes_with_parent(change: &Change<'_>, new: &Table, was: &Column) -> bool {
    let lost = |parent: &QName| {
        let has =
            |table: Option<&Table>| table.is_some_and(|table| column(table, &was.name).is_some());
        has(change.from.tables.get(parent)) && !has(change.to.tables.get(parent))
    };
    was.inherited && parents(new).any(lost)
}

/// Whether the same change of the column is made to a parent, which brings it here.
fn follows(change: &Change<'_>, old: &Table, new: &Table, name: &str) -> bool {
    let inherited = |table: &Table| column(table, name).is_some_and(|column| column.inherited);
    inherited(old)
        && inherited(new)
        && parents(new).any(|parent| {
            let get = |catalog: &crate::catalog::Catalog| {
                column(catalog.tables.get(parent)?, name).cloned()
            };
            get(change.from) != get(change.to)
        })
}

/// Adds a column, with the sequence that is its own.
fn add(change: &mut Change<'_>, table: &QName, is: &Column) {
    let (before, after, owned) =
        sequences::owned_by_column(change.to, change.from, table, &is.name);
    let column = quoted(&is.name);
    let mut work = Work::new(Class::Table, table, format!("add column {column} to {table}"))
        .part(10, &is.name)
        .ups(before)
        .up(alter_table(table, &[format!("add column {}", column_definition(is))]))
        .ups(storage_clause(is).map(|clause| alter_table(table, &[clause])))
        .ups(after)
        .gives([Key::from(id(table, &is.name)), Key::NotNull(table.clone(), is.name.clone())])
        .gives(owned)
        .hazards(added(is))
        .down(alter_table(table, &[format!("drop column {column}")]))
        .down_hazard(HazardKind::DeletesData, "the column and what is in it are gone");
    if is.comment.is_some() {
        work = work.up(column_comment(table, &is.name, is.comment.as_ref()));
    }
    if !change.again(&id(table, &is.name)) {
        work = work.down_hazard(HazardKind::BreaksCallers, MISSED);
    }
    change.push(work);
}

/// Drops a column, with the sequence that is its own.
fn drop_column(change: &mut Change<'_>, table: &QName, was: &Column) {
    let (before, after, owned) =
        sequences::owned_by_column(change.from, change.to, table, &was.name);
    let column = quoted(&was.name);
    let derived = was.generated.is_some();
    let mut work = Work::new(Class::Table, table, format!("drop column {column} of {table}"))
        .part(9, &was.name)
        .up(alter_table(table, &[format!("drop column {column}")]))
        .takes([Key::from(id(table, &was.name)), Key::NotNull(table.clone(), was.name.clone())])
        .takes(owned)
        .downs(before)
        .down(alter_table(table, &[format!("add column {}", column_definition(was))]))
        .downs(storage_clause(was).map(|clause| alter_table(table, &[clause])))
        .downs(after)
        .down_hazards(added(was));
    if !derived {
        work = work
            .hazard(HazardKind::DeletesData, "the column and what is in it are gone")
            .down_hazard(HazardKind::Irreversible, "what was in the column does not come back");
    }
    if !change.again(&id(table, &was.name)) {
        work = work.hazard(HazardKind::BreaksCallers, MISSED);
    }
    if was.comment.is_some() {
        work = work.down(column_comment(table, &was.name, was.comment.as_ref()));
    }
    change.push(work.downs(beneath(change, table, was)));
}

/// What the tables beneath have of their own about a column that goes.
fn beneath(change: &Change<'_>, table: &QName, was: &Column) -> Vec<String> {
    let mut sql = Vec::new();
    for child in descendants(change.from, table) {
        let Some(own) = change.from.tables.get(child).and_then(|child| column(child, &was.name))
        else {
            continue;
        };
        for clause in deviations(was, own, false) {
            sql.push(format!("alter table only {} {clause}", child.sql()));
        }
        if own.comment.is_some() {
            sql.push(column_comment(child, &own.name, own.comment.as_ref()));
        }
    }
    sql
}

fn storage_clause(column: &Column) -> Option<String> {
    let storage = column.storage.as_ref()?.to_lowercase();
    Some(format!("alter column {} set storage {storage}", quoted(&column.name)))
}

/// What adding a column means while rows are there (PostgreSQL documentation, ALTER TABLE, Notes).
fn added(column: &Column) -> Vec<Hazard> {
    let hazard = |kind, about: &str| Hazard { kind, about: about.to_owned() };
    let generated = column.generated.as_ref();
    let valueless = column.default.is_none() && column.identity.is_none() && generated.is_none();
    let mut hazards = Vec::new();
    if column.not_null && valueless {
        hazards.push(hazard(HazardKind::MayFail, "rows that exist have no value for it"));
    }
    let volatile = column.default.as_deref().is_some_and(is_volatile);
    if volatile || column.identity.is_some() || generated.is_some_and(|generated| generated.stored)
    {
        let about = "each row gets a value of its own, nobody reads or writes";
        hazards.push(hazard(HazardKind::RewritesTable, about));
    }
    hazards
}

/// Whether a default may differ from row to row. What is not known to be the same is taken to
/// differ.
fn is_volatile(default: &str) -> bool {
    const STABLE: [&str; 4] =
        ["now", "transaction_timestamp", "statement_timestamp", "current_setting"];
    let mut rest = lowered(default);
    // What stands in quotes calls nothing.
    while let Some(start) = rest.find('\'') {
        let after = rest.get(start + 1..).unwrap_or_default();
        let end = after.find('\'').map_or(rest.len(), |end| start + end + 2);
        rest.replace_range(start..end.min(rest.len()), "");
    }
    rest.match_indices('(').any(|(at, _)| {
        let before = rest.get(..at).unwrap_or_default();
        let name = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        // A type's modifier is no call.
        let modifier =
            before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ' ');
        !modifier.ends_with("::")
            && name.is_some_and(|name| !name.is_empty() && !STABLE.contains(&name))
    })
}

/// Both catalogs have it, and it stays.
fn alter(
    change: &mut Change<'_>,
    table: &QName,
    (old, new): (&Table, &Table),
    was: &Column,
    is: &Column,
) {
    let retyped = was.data_type != is.data_type || was.collation != is.collation;
    let follows = follows(change, old, new, &is.name);
    if retyped && !follows {
        retype::column(change, table, was, is);
    }
    if was.not_null != is.not_null && !follows_field(change, old, new, is, |one| one.not_null) {
        not_null::plan(change, table, new, is);
    }
    let handled = retyped && !follows;
    for work in small(change, table, was, is, handled) {
        change.push(work);
    }
}

/// Whether a parent's change of one attribute arrives here.
fn follows_field<T: PartialEq>(
    change: &Change<'_>,
    old: &Table,
    new: &Table,
    is: &Column,
    field: impl Fn(&Column) -> T,
) -> bool {
    let here = (column(old, &is.name).map(&field), column(new, &is.name).map(&field));
    is.inherited
        && parents(new).any(|parent| {
            let get = |catalog: &crate::catalog::Catalog| {
                column(catalog.tables.get(parent)?, &is.name).map(&field)
            };
            (get(change.from), get(change.to)) == here
        })
}

/// The steps for what differs apart from type, collation and not null. When the type changes, that
/// step sees to default and storage.
fn small(
    change: &Change<'_>,
    table: &QName,
    was: &Column,
    is: &Column,
    retyped: bool,
) -> Vec<Work> {
    let name = quoted(&is.name);
    let mut works = Vec::new();
    let again = change.broken.defaults.contains(&(table.clone(), is.name.clone()));
    let swapped = super::swap::is_swapped(&is.data_type, &change.broken.swapped)
        && was.data_type == is.data_type;
    if !retyped && !swapped {
        works.extend(sequences::identity(change, table, was, is));
        if again && was.default == is.default {
            works.extend(default_again(change, table, is));
        } else if was.default != is.default && works.is_empty() {
            works.extend(default(change, table, was, is));
        }
    }
    if was.generated.is_some() && is.generated != was.generated {
        works.push(generated(change, table, was, is));
    }
    if was.storage != is.storage && !retyped {
        let set = |column: &Column| {
            let storage =
                column.storage.as_deref().unwrap_or(type_change::usual_storage(&column.data_type));
            alter_table(
                table,
                &[format!("alter column {name} set storage {}", storage.to_lowercase())],
            )
        };
        let work = Work::new(Class::Table, table, format!("set storage of {name} of {table}"));
        works.push(work.part(30, &is.name).up(set(is)).down(set(was)));
    }
    if was.comment != is.comment {
        let work = Work::new(Class::Table, table, format!("comment on column {name} of {table}"));
        let up = column_comment(table, &is.name, is.comment.as_ref());
        let down = column_comment(table, &is.name, was.comment.as_ref());
        works.push(work.part(31, &is.name).up(up).down(down));
    }
    works
}

/// `set default …` or `drop default`.
pub(super) fn default_clause(column: &Column) -> String {
    let name = quoted(&column.name);
    match &column.default {
        Some(default) => format!("alter column {name} set default {}", lowered(default)),
        None => format!("alter column {name} drop default"),
    }
}

pub(super) fn default(
    change: &Change<'_>,
    table: &QName,
    was: &Column,
    is: &Column,
) -> Option<Work> {
    // A parent's change reaches the tables beneath, unless one of them wants something else.
    let whole = reaches_all(change, table, &is.name, |column| column.default.clone());
    let follows = is.inherited
        && change.to.tables.get(table).into_iter().flat_map(parents).any(|parent| {
            let get = |catalog: &crate::catalog::Catalog| {
                column(catalog.tables.get(parent)?, &is.name).map(|column| column.default.clone())
            };
            get(change.from) == Some(was.default.clone())
                && get(change.to) == Some(is.default.clone())
                && reaches_all(change, parent, &is.name, |column| column.default.clone())
        });
    if follows {
        return None;
    }
    let set = |column: &Column| {
        let only = if whole { "" } else { "only " };
        format!("alter table {only}{} {}", table.sql(), default_clause(column))
    };
    let key = Key::Default(table.clone(), is.name.clone());
    let column = id(table, &is.name);
    let what = format!("set default of {} of {table}", quoted(&is.name));
    let work = Work::new(Class::Table, table, what)
        .part(20, &is.name)
        .up(set(is))
        .down(set(was))
        .gives([key])
        .after(change.needs(&column))
        .before(change.needed(&column));
    Some(work)
}

/// The default is the same, and what it uses is made anew.
fn default_again(change: &Change<'_>, table: &QName, is: &Column) -> Vec<Work> {
    let key = Key::Default(table.clone(), is.name.clone());
    let column = id(table, &is.name);
    let bare = Column { default: None, ..is.clone() };
    let set = alter_table(table, &[default_clause(is)]);
    let none = alter_table(table, &[default_clause(&bare)]);
    let what = |verb: &str| format!("{verb} default of {} of {table}", quoted(&is.name));
    vec![
        Work::new(Class::Dependent, table, what("drop"))
            .up(none.clone())
            .down(set.clone())
            .takes([key.clone()])
            .before(change.needed(&column)),
        Work::new(Class::Table, table, what("set"))
            .part(20, &is.name)
            .up(set)
            .down(none)
            .gives([key])
            .after(change.needs(&column)),
    ]
}

/// An expression that changes in place (Postgres 17), or a column that is an ordinary one now.
fn generated(change: &Change<'_>, table: &QName, was: &Column, is: &Column) -> Work {
    debug_assert!(!is_replaced(was, is, change.version()), "it would be dropped and added");
    let name = quoted(&is.name);
    let expression = |column: &Column| {
        let expression = column.generated.as_ref().map(|one| lowered(&one.expression));
        let expression = expression.unwrap_or_default();
        alter_table(table, &[format!("alter column {name} set expression as ({expression})")])
    };
    let column = id(table, &is.name);
    let work = Work::new(Class::Table, table, format!("change what generates {name} of {table}"))
        .part(15, &is.name)
        .after(change.needs(&column))
        .before(change.needed(&column));
    if is.generated.is_some() {
        let stored = is.generated.as_ref().is_some_and(|one| one.stored);
        let work = work.up(expression(is)).down(expression(was));
        let about = "every row's value is computed anew";
        return if stored {
            work.hazard(HazardKind::RewritesTable, about)
                .down_hazard(HazardKind::RewritesTable, about)
        } else {
            work
        };
    }
    let again = format!("add column {}", column_definition(was));
    work.up(alter_table(table, &[format!("alter column {name} drop expression")]))
        .down(alter_table(table, &[format!("drop column {name}")]))
        .down(alter_table(table, &[again]))
        .down_hazard(HazardKind::DeletesData, "values written since are computed instead")
        .down_hazard(HazardKind::RewritesTable, "every row's value is computed anew")
}
