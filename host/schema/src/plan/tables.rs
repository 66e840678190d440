//! Tables as a whole: made, dropped, and what belongs to no part of them.

use std::collections::BTreeSet;

use super::change::{Change, descendants};
use super::hazard::HazardKind;
use super::text::{alter_table, comment};
use super::work::{Class, Key, Work};
use super::{columns, connections, constraints, indexes, parts, sequences, write};
use crate::catalog::{Catalog, ConstraintKind, Id, QName, Table};

/// All tables.
pub(super) fn plan(change: &mut Change<'_>) {
    let (from, to) = (change.from, change.to);
    for (name, table) in &from.tables {
        repartitioned(change, name, table);
    }
    let fresh = circles(to, |name| change.is_fresh(name));
    for (name, table) in &to.tables {
        if change.is_fresh(name) {
            create(change, name, table, &fresh);
        }
    }
    let circles = circles(from, |name| change.is_gone(name));
    for (name, table) in &from.tables {
        if change.is_gone(name) {
            drop_table(change, name, table, &circles);
        }
    }
    for (name, old) in &from.tables {
        if let Some(new) = to.tables.get(name)
            && !change.is_fresh(name)
        {
            alter(change, name, old, new);
        }
    }
}

/// A table can not be partitioned afterwards, nor otherwise.
fn repartitioned(change: &mut Change<'_>, name: &QName, old: &Table) {
    let Some(new) = change.to.tables.get(name) else { return };
    if old.partition_by == new.partition_by {
        return;
    }
    change.refuse_always(
        &format!("partition {name} differently"),
        "a table's partitioning can not be changed, and making it anew would delete its rows",
        "give the new table another name, copy the rows, and drop the old one later",
    );
}

/// The step that makes a table, and those for what may need more than the table.
fn create(
    change: &mut Change<'_>,
    name: &QName,
    table: &Table,
    circles: &BTreeSet<(QName, String)>,
) {
    let (before, after, owned) = sequences::owned(change.to, change.from, name);
    let work = Work::new(Class::Table, name, format!("create table {name}"))
        .ups(before)
        .ups(write::table(change.to, name, table))
        .ups(after)
        .gives(ids(name, table))
        .gives(owned)
        .after(table.partition_of.iter().map(|of| Id::Table(of.parent.clone())))
        .after(table.inherits.iter().cloned().map(Id::Table))
        .after(referred(change.to, name, table, circles))
        .downs(detached_first(change.to, |parent| change.is_fresh(parent), name, table))
        .down(format!("drop table {}", name.sql()))
        .down_hazard(HazardKind::DeletesData, "the table and what is in it are gone")
        .down_hazard(HazardKind::BreaksCallers, columns::MISSED);
    change.push(work);
    for (constraint, about) in &table.constraints {
        if !about.inherited && !write::is_inline(about) {
            let circle = circles.contains(&(name.clone(), constraint.clone()));
            constraints::add_to_fresh(change, name, (constraint, about), circle);
        }
    }
    for (trigger, about) in &table.triggers {
        change.push(parts::create_trigger(name, trigger, about).goes_with(Id::Table(name.clone())));
    }
    for (policy, about) in &table.policies {
        change.push(parts::create_policy(name, policy, about).goes_with(Id::Table(name.clone())));
    }
}

/// All that is made by the statements of [`write::table`].
fn ids(name: &QName, table: &Table) -> Vec<Key> {
    let relation = |part: &String| QName::new(&name.schema, part);
    let mut keys: Vec<Key> =
        vec![Id::Table(name.clone()).into(), Key::Relation(name.clone()), Key::Type(name.clone())];
    for column in &table.columns {
        keys.push(Id::Column(name.clone(), column.name.clone()).into());
    }
    for (part, about) in &table.constraints {
        if about.inherited || write::is_inline(about) {
            keys.push(Id::Constraint(name.clone(), part.clone()).into());
            keys.push(Key::Relation(relation(part)));
        }
    }
    for part in table.indexes.keys() {
        keys.push(Id::Index(relation(part)).into());
        keys.push(Key::Relation(relation(part)));
    }
    keys
}

/// The tables that foreign keys refer to, apart from those of a circle: made before, so that they
/// are dropped after. A foreign key to a partitioned table is one to its partitions.
fn referred(
    catalog: &Catalog,
    name: &QName,
    table: &Table,
    circles: &BTreeSet<(QName, String)>,
) -> Vec<Key> {
    let own = table.constraints.iter().filter(|(part, about)| {
        !about.inherited && !circles.contains(&(name.clone(), (*part).clone()))
    });
    own.filter_map(|(_, about)| match &about.kind {
        ConstraintKind::ForeignKey { references, .. } if references != name => Some(references),
        _ => None,
    })
    .flat_map(|one| std::iter::once(one).chain(descendants(catalog, one)))
    .filter(|one| *one != name)
    .map(|one| Id::Table(one.clone()).into())
    .collect()
}

/// A partition of a table that a foreign key refers to can be detached, but not dropped.
fn detached_first(
    catalog: &Catalog,
    goes: impl Fn(&QName) -> bool,
    name: &QName,
    table: &Table,
) -> Option<String> {
    let of = table.partition_of.as_ref().filter(|of| !goes(&of.parent))?;
    let refers = |about: &crate::catalog::Constraint| {
        matches!(&about.kind, ConstraintKind::ForeignKey { references, .. }
            if descendants(catalog, references).contains(name))
    };
    let mut constraints = catalog.tables.values().flat_map(|table| table.constraints.values());
    constraints.any(refers).then(|| connections::detach(name, of))
}

/// The foreign keys among some tables that refer to each other in a circle, so that no order of
/// making or dropping the tables does.
fn circles(catalog: &Catalog, among: impl Fn(&QName) -> bool) -> BTreeSet<(QName, String)> {
    let among = |name: &QName| catalog.tables.contains_key(name) && among(name);
    let refers = |name: &QName| -> Vec<(String, QName)> {
        let constraints = catalog.tables.get(name).map(|table| &table.constraints);
        constraints
            .into_iter()
            .flatten()
            .filter_map(|(part, about)| match &about.kind {
                ConstraintKind::ForeignKey { references, .. }
                    if !about.inherited && references != name && among(references) =>
                {
                    Some((part.clone(), references.clone()))
                }
                _ => None,
            })
            .collect()
    };
    let reaches = |start: &QName, end: &QName| {
        let mut seen = BTreeSet::from([start.clone()]);
        let mut queue = vec![start.clone()];
        while let Some(next) = queue.pop() {
            for (_, other) in refers(&next) {
                if other == *end {
                    return true;
                }
                if seen.insert(other.clone()) {
                    queue.push(other);
                }
            }
        }
        false
    };
    let mut circles = BTreeSet::new();
    for name in catalog.tables.keys().filter(|name| among(name)) {
        for (part, other) in refers(name) {
            if reaches(&other, name) {
                circles.insert((name.clone(), part));
            }
        }
    }
    circles
}

/// The step that drops a table. Its inverse makes all of it again, but not what was in it.
fn drop_table(
    change: &mut Change<'_>,
    name: &QName,
    table: &Table,
    circles: &BTreeSet<(QName, String)>,
) {
    let (before, after, owned) = sequences::owned(change.from, change.to, name);
    let mut work = Work::new(Class::DropTable, name, format!("drop table {name}"))
        .ups(detached_first(change.from, |parent| change.is_gone(parent), name, table))
        .up(format!("drop table {}", name.sql()))
        .hazard(HazardKind::DeletesData, "the table and what is in it are gone")
        .hazard(HazardKind::BreaksCallers, columns::MISSED)
        .takes(ids(name, table))
        .takes(owned)
        .before(table.partition_of.iter().map(|of| Id::Table(of.parent.clone())))
        .before(table.inherits.iter().cloned().map(Id::Table))
        .before(referred(change.from, name, table, circles))
        .downs(before)
        .downs(write::table(change.from, name, table))
        .downs(after)
        .down_hazard(HazardKind::Irreversible, "what was in the table does not come back");
    for (part, about) in &table.constraints {
        if about.inherited || write::is_inline(about) {
            continue;
        }
        if circles.contains(&(name.clone(), part.clone())) {
            constraints::drop_before(change, name, part, about);
            continue;
        }
        work = work
            .takes([Id::Constraint(name.clone(), part.clone())])
            .downs(constraints::add_statements(name, part, about));
    }
    for (part, about) in &table.policies {
        work = work
            .takes([Id::Policy(name.clone(), part.clone())])
            .downs(write::policy(name, part, about));
    }
    for (part, about) in &table.triggers {
        work = work
            .takes([Id::Trigger(name.clone(), part.clone())])
            .downs(write::trigger(name, part, about));
    }
    change.push(work);
}

fn alter(change: &mut Change<'_>, name: &QName, old: &Table, new: &Table) {
    connections::plan(change, name, old, new);
    columns::plan(change, name, old, new);
    constraints::plan(change, name, old, new);
    indexes::plan(change, name, (&old.indexes, &new.indexes), is_partitioned(new));
    parts::triggers(change, name, &old.triggers, &new.triggers);
    parts::policies(change, name, old, new);
    flags(change, name, old, new);
}

/// Whether it holds no rows itself.
pub(super) fn is_partitioned(table: &Table) -> bool {
    table.partition_by.is_some()
}

/// What is on or off, storage parameters and the comment.
fn flags(change: &mut Change<'_>, name: &QName, old: &Table, new: &Table) {
    let table = |what: &str| Work::new(Class::Table, name, format!("{what} {name}"));
    let toggle = |number: u8, words: (&str, &str), was: bool, is: bool| -> Option<Work> {
        let (on, off) = words;
        let (up, down) = if is { (on, off) } else { (off, on) };
        let work = table(&format!("{up} on"))
            .part(number, "")
            .up(alter_table(name, &[up.to_owned()]))
            .down(alter_table(name, &[down.to_owned()]));
        (was != is).then_some(work)
    };
    let rows = toggle(
        20,
        ("enable row level security", "disable row level security"),
        old.row_security,
        new.row_security,
    );
    let forced = toggle(
        21,
        ("force row level security", "no force row level security"),
        old.force_row_security,
        new.force_row_security,
    );
    let kept = toggle(22, ("set unlogged", "set logged"), old.unlogged, new.unlogged).map(|work| {
        work.hazard(HazardKind::RewritesTable, "all rows are written anew, nobody reads or writes")
            .down_hazard(HazardKind::RewritesTable, "all rows are written anew")
    });
    let rows = rows.map(|work| {
        let about = "who is not the owner sees only what policies allow";
        if new.row_security { work.hazard(HazardKind::BreaksCallers, about) } else { work }
    });
    [rows, forced, kept].into_iter().flatten().for_each(|work| change.push(work));
    if old.options != new.options {
        let work = table("set storage parameters of")
            .part(23, "")
            .ups(set_options(&format!("alter table {}", name.sql()), &old.options, &new.options))
            .downs(set_options(&format!("alter table {}", name.sql()), &new.options, &old.options));
        change.push(work);
    }
    if old.comment != new.comment {
        let words = format!("table {}", name.sql());
        let work = table("comment on")
            .part(24, "")
            .up(comment(&words, new.comment.as_ref()))
            .down(comment(&words, old.comment.as_ref()));
        change.push(work);
    }
}

/// `set (…)` and `reset (…)`, as far as they are needed.
pub(super) fn set_options(
    alter: &str,
    old: &std::collections::BTreeMap<String, String>,
    new: &std::collections::BTreeMap<String, String>,
) -> Vec<String> {
    let mut sql = Vec::new();
    let set = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let set: std::collections::BTreeMap<_, _> =
        set.map(|(key, value)| (key.clone(), value.clone())).collect();
    if !set.is_empty() {
        sql.push(format!("{alter} set ({})", write::options(&set)));
    }
    let reset: Vec<&str> =
        old.keys().filter(|key| !new.contains_key(*key)).map(String::as_str).collect();
    if !reset.is_empty() {
        sql.push(format!("{alter} reset ({})", reset.join(", ")));
    }
    sql
}

/// Whether a change of a column reaches the same column of all tables beneath, and is wanted
/// there too.
pub(super) fn reaches_all<T: PartialEq>(
    change: &Change<'_>,
    name: &QName,
    column: &str,
    field: impl Fn(&crate::catalog::Column) -> T,
) -> bool {
    let get = |catalog: &Catalog, table: &QName| {
        let table = catalog.tables.get(table)?;
        super::change::column(table, column).map(&field)
    };
    let (was, is) = (get(change.from, name), get(change.to, name));
    descendants(change.to, name).into_iter().all(|child| {
        !change.from.tables.contains_key(child)
            || (get(change.from, child) == was && get(change.to, child) == is)
    })
}
