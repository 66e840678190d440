//! Indexes of tables and materialized views that are there.

use std::collections::BTreeMap;

use super::Phase;
use super::change::Change;
use super::hazard::HazardKind;
use super::text::free_name;
use super::work::{Class, Key, Work};
use super::write::{create_index, index_comment, index_with_comment};
use crate::catalog::name::quoted;
use crate::catalog::{Id, Index, QName};

/// The indexes of one catalog and of the other.
type Both<'a> = (&'a BTreeMap<String, Index>, &'a BTreeMap<String, Index>);

/// All indexes of a table or materialized view that both catalogs have.
pub(super) fn plan(
    change: &mut Change<'_>,
    table: &QName,
    (old, new): Both<'_>,
    partitioned: bool,
) {
    for (name, was) in old.iter().filter(|(_, was)| !was.inherited) {
        match new.get(name) {
            Some(is) if is.inherited => {}
            Some(is) => exchange(change, table, name, (was, is), partitioned),
            None => drop_index(change, table, name, was, partitioned),
        }
    }
    for (name, is) in new.iter().filter(|(_, is)| !is.inherited) {
        if !old.contains_key(name) {
            create(change, table, name, is, partitioned);
        }
    }
    for (name, was) in old.iter().filter(|(_, was)| was.inherited) {
        // It stays behind when a partition is detached.
        let detached = change.from.tables.get(table).zip(change.to.tables.get(table));
        let detached = detached
            .is_some_and(|(old, new)| old.partition_of.is_some() && new.partition_of.is_none());
        if detached && !new.contains_key(name) {
            let own = Index { inherited: false, ..was.clone() };
            let work = Work::new(Class::Table, table, format!("drop index {name}"))
                .part(6, name)
                .up(format!("drop index {}", relation(table, name).sql()))
                .downs(index_with_comment(table, name, &own, ""))
                .after([Key::Detached(table.clone())]);
            change.push(work);
        }
    }
}

fn relation(table: &QName, name: &str) -> QName {
    QName::new(&table.schema, name)
}

fn keys(table: &QName, name: &str) -> [Key; 2] {
    let relation = relation(table, name);
    [Id::Index(relation.clone()).into(), Key::Relation(relation)]
}

/// Whether what the index is on is there before and after, so that it can be dropped while the
/// table is in use.
fn can_wait(change: &Change<'_>, table: &QName, name: &str) -> bool {
    let needs = change.from_all.needs.get(&Id::Index(relation(table, name)));
    change.options.online
        && needs.into_iter().flatten().all(|need| match need {
            Id::Column(of, column) => !change.broken.touches(of, column, change.from, change.to),
            other => !change.again(other),
        })
}

const BUILD: &str = "the index is built";

fn create(change: &mut Change<'_>, table: &QName, name: &str, is: &Index, partitioned: bool) {
    let work = Work::new(Class::Table, table, format!("create index {name} on {table}"));
    let concurrently = change.options.online && !partitioned;
    let work = if concurrently {
        let drop = format!("drop index concurrently if exists {}", relation(table, name).sql());
        work.phase(Phase::Concurrent)
            .ups(index_with_comment(table, name, is, "concurrently "))
            .down(drop)
    } else {
        work.ups(index_with_comment(table, name, is, ""))
            .down(format!("drop index {}", relation(table, name).sql()))
            .hazard(HazardKind::BlocksWrites, BUILD)
    };
    let work = if is.unique {
        work.hazard(HazardKind::MayFail, "rows that exist may be twins")
    } else {
        work
    };
    change.push(work.part(40, name).gives(keys(table, name)));
}

fn drop_index(change: &mut Change<'_>, table: &QName, name: &str, was: &Index, partitioned: bool) {
    let work = Work::new(Class::Table, table, format!("drop index {name} of {table}"));
    let sql = relation(table, name).sql();
    let work = if !partitioned && can_wait(change, table, name) {
        work.phase(Phase::Concurrent)
            .up(format!("drop index concurrently if exists {sql}"))
            .downs(index_with_comment(table, name, was, "concurrently "))
    } else {
        work.up(format!("drop index {sql}"))
            .downs(index_with_comment(table, name, was, ""))
            .down_hazard(HazardKind::BlocksWrites, BUILD)
    };
    change.push(work.part(5, name).takes(keys(table, name)));
}

/// The same name before and after.
fn exchange(
    change: &mut Change<'_>,
    table: &QName,
    name: &str,
    (was, is): (&Index, &Index),
    partitioned: bool,
) {
    let again = change.again(&Id::Index(relation(table, name)));
    if was.definition == is.definition && was.unique == is.unique && !again {
        if was.valid != is.valid {
            rebuild(change, table, name, is, partitioned);
        }
        if was.comment != is.comment {
            let work = Work::new(Class::Table, table, format!("comment on index {name}"))
                .part(41, name)
                .up(index_comment(table, name, is.comment.as_ref()))
                .down(index_comment(table, name, was.comment.as_ref()));
            change.push(work);
        }
        return;
    }
    if again || partitioned || !can_wait(change, table, name) {
        drop_index(change, table, name, was, partitioned);
        create(change, table, name, is, partitioned);
        return;
    }
    let helper = free_name(&[name], "_new", |name| change.is_taken(&table.schema, name));
    let work = Work::new(Class::Table, table, format!("exchange index {name} of {table}"))
        .part(40, name)
        .phase(Phase::Concurrent)
        .ups(exchanged(table, name, &helper, is))
        .downs(exchanged(table, name, &helper, was))
        .after(change.needs(&Id::Index(relation(table, name))))
        .before(change.needed(&Id::Index(relation(table, name))))
        .replaces(Id::Index(relation(table, name)));
    change.push(if is.unique {
        work.hazard(HazardKind::MayFail, "rows that exist may be twins")
    } else {
        work
    });
}

/// There is an index at every moment: the new one is built before the old one goes.
fn exchanged(table: &QName, name: &str, helper: &str, index: &Index) -> Vec<String> {
    let mut sql = vec![
        create_index(table, helper, index, "concurrently "),
        format!("drop index concurrently if exists {}", relation(table, name).sql()),
        format!(
            "alter index if exists {} rename to {}",
            relation(table, helper).sql(),
            quoted(name)
        ),
    ];
    if index.comment.is_some() {
        sql.push(index_comment(table, name, index.comment.as_ref()));
    }
    sql
}

/// An index that was left invalid is built; there is no way back to that, nor a wish for it.
fn rebuild(change: &mut Change<'_>, table: &QName, name: &str, is: &Index, partitioned: bool) {
    let concurrently = change.options.online && !partitioned;
    let how = if concurrently { "concurrently " } else { "" };
    let sql = format!("reindex index {how}{}", relation(table, name).sql());
    let work = Work::new(Class::Table, table, format!("build index {name} of {table}"))
        .part(40, name)
        .phase(if concurrently { Phase::Concurrent } else { Phase::Main })
        .up(sql.clone())
        .down(sql);
    if is.valid {
        change.push(work);
    }
}
