//! Constraints of tables that are there: added, dropped, changed.

use super::Phase;
use super::change::Change;
use super::constraint_index::{IndexOf, built_for, index_of, take_over};
use super::hazard::{Hazard, HazardKind};
use super::tables::is_partitioned;
use super::text::{alter_table, free_name};
use super::work::{Class, Key, Work};
use super::write::{constraint_comment, constraint_definition};
use crate::catalog::name::quoted;
use crate::catalog::{Constraint, ConstraintKind, Id, QName, Table};

/// All constraints of a table that both catalogs have.
pub(super) fn plan(change: &mut Change<'_>, table: &QName, old: &Table, new: &Table) {
    let connected = old.partition_of == new.partition_of;
    for (name, was) in &old.constraints {
        let is = new.constraints.get(name);
        // What comes from a parent goes with the parent's, unless the parent is given up.
        if was.inherited && (connected || is.is_some()) {
            continue;
        }
        let again = change.again(&Id::Constraint(table.clone(), name.clone()));
        match is {
            Some(is) if is.inherited => {}
            Some(is) if again || is.definition != was.definition => {
                exchange(change, table, name, (was, is), is_partitioned(new), again);
            }
            Some(is) => keep(change, table, name, was, is),
            None => change.push(drop_work(table, name, was)),
        }
    }
    for (name, is) in &new.constraints {
        let comes_along = is.inherited || old.constraints.contains_key(name);
        if !comes_along {
            add(change, table, name, is, is_partitioned(new));
        }
    }
}

fn id(table: &QName, name: &str) -> Key {
    Id::Constraint(table.clone(), name.to_owned()).into()
}

fn relation(table: &QName, constraint: &Constraint, name: &str) -> Option<Key> {
    let has_index = !matches!(
        constraint.kind,
        ConstraintKind::Check { .. } | ConstraintKind::ForeignKey { .. }
    );
    has_index.then(|| Key::Relation(QName::new(&table.schema, name)))
}

/// `NOT VALID` is said of what was not checked; what is not enforced never is.
fn not_valid(constraint: &Constraint) -> &'static str {
    let unenforced = constraint.definition.ends_with("NOT ENFORCED");
    if constraint.validated || unenforced { "" } else { " not valid" }
}

fn add_clause(name: &str, constraint: &Constraint, suffix: &str) -> String {
    format!("add constraint {} {}{suffix}", quoted(name), constraint_definition(constraint))
}

/// `alter table … add constraint`, and its comment.
pub(super) fn add_statements(table: &QName, name: &str, constraint: &Constraint) -> Vec<String> {
    let mut sql = vec![alter_table(table, &[add_clause(name, constraint, not_valid(constraint))])];
    sql.extend(commented(table, name, constraint));
    sql
}

pub(super) fn commented(table: &QName, name: &str, constraint: &Constraint) -> Option<String> {
    let comment = constraint.comment.as_ref()?;
    Some(constraint_comment(table, name, Some(comment)))
}

pub(super) fn drop_statement(table: &QName, name: &str) -> String {
    alter_table(table, &[format!("drop constraint {}", quoted(name))])
}

/// What adding it in one statement means while rows are there.
fn hazards(constraint: &Constraint) -> Vec<Hazard> {
    let hazard = |kind, about: &str| Hazard { kind, about: about.to_owned() };
    let fails = |about: &str| hazard(HazardKind::MayFail, about);
    if !not_valid(constraint).is_empty() {
        return Vec::new();
    }
    match constraint.kind {
        ConstraintKind::Check { .. } => vec![
            fails("rows that exist may violate it"),
            hazard(HazardKind::BlocksReadsAndWrites, "all rows are read"),
        ],
        ConstraintKind::ForeignKey { .. } => vec![
            fails("rows that exist may refer to nothing"),
            hazard(HazardKind::BlocksWrites, "all rows are looked up, on both tables"),
        ],
        _ => vec![
            fails("rows that exist may be twins"),
            hazard(HazardKind::BlocksReadsAndWrites, "its index is built"),
        ],
    }
}

/// A constraint of a table that this plan makes, apart from `create table`. What is part of a
/// circle of foreign keys has to be gone before any of the tables is dropped.
pub(super) fn add_to_fresh(
    change: &mut Change<'_>,
    table: &QName,
    (name, about): (&str, &Constraint),
    circle: bool,
) {
    let work = plain(table, name, about);
    let work = Work { hazards: Vec::new(), ..work };
    let whole = Id::Table(table.clone());
    change.push(if circle { work.after([whole]) } else { work.goes_with(whole) });
}

/// One statement and its inverse.
fn plain(table: &QName, name: &str, about: &Constraint) -> Work {
    let work = named(table, about, format!("add constraint {name} to {table}"))
        .ups(add_statements(table, name, about))
        .down(drop_statement(table, name))
        .hazards(hazards(about))
        .gives([id(table, name)])
        .gives(relation(table, about, name));
    needing(work, table, about)
}

fn named(table: &QName, about: &Constraint, what: String) -> Work {
    match about.kind {
        ConstraintKind::ForeignKey { .. } => Work::new(Class::ForeignKey, table, what),
        _ => Work::new(Class::Table, table, what).part(50, ""),
    }
}

/// After what it needs, apart from what the catalog says of that.
fn needing(work: Work, table: &QName, about: &Constraint) -> Work {
    match &about.kind {
        ConstraintKind::PrimaryKey { columns } => {
            let not_null = |name: &String| Key::NotNull(table.clone(), name.clone());
            work.after(columns.iter().map(not_null))
        }
        ConstraintKind::ForeignKey { references, .. } => {
            work.after([Id::Table(references.clone())])
        }
        _ => work,
    }
}

/// The step that drops a constraint.
fn drop_work(table: &QName, name: &str, about: &Constraint) -> Work {
    let what = format!("drop constraint {name} of {table}");
    let class = match about.kind {
        ConstraintKind::ForeignKey { .. } => Class::Dependent,
        _ => Class::Table,
    };
    let mut work = Work::new(class, table, what)
        .part(5, name)
        .up(drop_statement(table, name))
        .downs(add_statements(table, name, about))
        .down_hazards(hazards(about))
        .takes([id(table, name)])
        .takes(relation(table, about, name));
    if about.inherited {
        // It is the table's own only once the parent is given up.
        work = work.after([Key::Detached(table.clone())]);
    }
    match &about.kind {
        ConstraintKind::PrimaryKey { columns } => {
            let not_null = |name: &String| Key::NotNull(table.clone(), name.clone());
            work.before(columns.iter().map(not_null))
        }
        ConstraintKind::ForeignKey { references, .. } => {
            work.before([Id::Table(references.clone())])
        }
        _ => work,
    }
}

/// Drops a foreign key ahead of its table.
pub(super) fn drop_before(change: &mut Change<'_>, table: &QName, name: &str, about: &Constraint) {
    change.push(drop_work(table, name, about).before([Id::Table(table.clone())]));
}

/// Adds a constraint to a table with rows.
fn add(change: &mut Change<'_>, table: &QName, name: &str, about: &Constraint, partitioned: bool) {
    let online = change.options.online && not_valid(about).is_empty();
    let foreign = matches!(about.kind, ConstraintKind::ForeignKey { .. });
    match about.kind {
        // Postgres has no foreign key of a partitioned table that is not validated.
        ConstraintKind::ForeignKey { .. } | ConstraintKind::Check { .. }
            if online
                && !(foreign && partitioned)
                && !about.definition.ends_with("NOT ENFORCED") =>
        {
            add_then_validate(change, table, name, about);
        }
        ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. }
            if online && !partitioned =>
        {
            match index_of(about) {
                Some(index) => add_by_index(change, table, name, about, &index),
                None => change.push(plain(table, name, about)),
            }
        }
        _ => change.push(plain(table, name, about)),
    }
}

fn add_then_validate(change: &mut Change<'_>, table: &QName, name: &str, about: &Constraint) {
    let unchecked = Constraint { validated: false, ..about.clone() };
    let work = named(table, about, format!("add constraint {name} to {table}"))
        .ups(add_statements(table, name, &unchecked))
        .down(drop_statement(table, name))
        .gives([id(table, name)]);
    change.push(needing(work, table, about));
    validate(change, table, name, about);
}

/// Checks the rows that are there. The inverse makes it a constraint that was not checked.
fn validate(change: &mut Change<'_>, table: &QName, name: &str, about: &Constraint) {
    let unchecked = Constraint { validated: false, ..about.clone() };
    let fails = match about.kind {
        ConstraintKind::ForeignKey { .. } => "rows that exist may refer to nothing",
        _ => "rows that exist may violate it",
    };
    let back =
        [format!("drop constraint {}", quoted(name)), add_clause(name, &unchecked, " not valid")];
    let work = Work::new(Class::Table, table, format!("validate constraint {name} of {table}"))
        .part(60, name)
        .phase(if change.options.online { Phase::Validate } else { Phase::Main })
        .up(alter_table(table, &[format!("validate constraint {}", quoted(name))]))
        .down(alter_table(table, &back))
        .downs(commented(table, name, about))
        .hazard(HazardKind::MayFail, fails)
        .after([id(table, name)]);
    change.push(work);
}

/// The index is built while rows are written; the constraint takes it over.
fn add_by_index(
    change: &mut Change<'_>,
    table: &QName,
    name: &str,
    about: &Constraint,
    index: &IndexOf,
) {
    let built = built_for(table, name, name, index);
    let relation = Key::Relation(QName::new(&table.schema, name));
    let finish = take_over(table, name, about, name, index);
    let finish = finish.after([relation.clone()]).gives([id(table, name)]);
    change.push(
        built
            .gives([relation])
            .after(change.needs(&Id::Constraint(table.clone(), name.to_owned()))),
    );
    change.push(needing(finish, table, about));
}

/// Another definition under the same name.
fn exchange(
    change: &mut Change<'_>,
    table: &QName,
    name: &str,
    (was, is): (&Constraint, &Constraint),
    partitioned: bool,
    again: bool,
) {
    if let Some((up, down)) = deferrability(was, is)
        && !again
    {
        let alter =
            |rest: &str| alter_table(table, &[format!("alter constraint {} {rest}", quoted(name))]);
        let work = Work::new(Class::Table, table, format!("alter constraint {name} of {table}"))
            .part(50, name)
            .up(alter(up))
            .down(alter(down));
        change.push(work);
        keep(change, table, name, was, is);
        return;
    }
    let touched = columns(is)
        .iter()
        .chain(columns(was))
        .any(|column| change.broken.touches(table, column, change.from, change.to));
    let by_index = index_of(is).filter(|_| {
        change.options.online && !partitioned && !touched && !again && index_of(was).is_some()
    });
    let Some(index) = by_index else {
        change.push(drop_work(table, name, was));
        add(change, table, name, is, partitioned);
        return;
    };
    let helper = free_name(&[name], "_new", |name| change.is_taken(&table.schema, name));
    let built = built_for(table, name, &helper, &index);
    let relation = Key::Relation(QName::new(&table.schema, &helper));
    let mut finish = take_over(table, name, is, &helper, &index);
    finish.what = format!("exchange constraint {name} of {table}");
    finish.up.insert(0, drop_statement(table, name));
    let finish = finish
        .downs(add_statements(table, name, was))
        .down_hazards(hazards(was))
        .after([relation.clone()])
        .replaces(id(table, name));
    change.push(built.gives([relation]));
    change.push(needing(finish, table, is));
}

fn columns(about: &Constraint) -> &[String] {
    match &about.kind {
        ConstraintKind::PrimaryKey { columns }
        | ConstraintKind::Unique { columns, .. }
        | ConstraintKind::ForeignKey { columns, .. }
        | ConstraintKind::Check { columns, .. } => columns,
        ConstraintKind::Exclusion => &[],
    }
}

/// What `alter constraint` needs to be told, both ways, when a foreign key differs in that only.
fn deferrability<'a>(was: &Constraint, is: &Constraint) -> Option<(&'a str, &'a str)> {
    if was.validated != is.validated || !matches!(is.kind, ConstraintKind::ForeignKey { .. }) {
        return None;
    }
    let (old, was) = split_deferrability(&was.definition);
    let (new, is) = split_deferrability(&is.definition);
    (old == new).then_some((is, was))
}

fn split_deferrability(definition: &str) -> (&str, &'static str) {
    if let Some(rest) = definition.strip_suffix(" DEFERRABLE INITIALLY DEFERRED") {
        return (rest, "deferrable initially deferred");
    }
    match definition.strip_suffix(" DEFERRABLE") {
        Some(rest) => (rest, "deferrable initially immediate"),
        None => (definition, "not deferrable"),
    }
}

/// The same definition: whether it was checked, and its comment.
fn keep(change: &mut Change<'_>, table: &QName, name: &str, was: &Constraint, is: &Constraint) {
    if !was.validated && is.validated {
        validate(change, table, name, is);
    } else if was.validated && !is.validated {
        change.push(drop_work(table, name, was));
        change.push(plain(table, name, is));
        return;
    }
    if was.comment != is.comment {
        let work = Work::new(Class::Table, table, format!("comment on constraint {name}"))
            .part(80, name)
            .up(constraint_comment(table, name, is.comment.as_ref()))
            .down(constraint_comment(table, name, was.comment.as_ref()));
        change.push(work);
    }
}
