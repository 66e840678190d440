//! What a catalog is blamed for.

use super::*;
use crate::catalog::{Constraint, PartitionOf};

fn constraint(kind: ConstraintKind) -> Constraint {
    Constraint { kind, definition: String::new(), validated: true, inherited: false, comment: None }
}

fn primary(columns: &[&str]) -> Constraint {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    constraint(ConstraintKind::PrimaryKey { columns })
}

fn foreign(columns: &[&str]) -> Constraint {
    constraint(ConstraintKind::ForeignKey {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        references: QName::new("public", "users"),
        referenced_columns: vec!["id".into()],
    })
}

fn index(keys: &[&str]) -> Index {
    Index {
        unique: false,
        definition: format!("USING btree ({})", keys.join(", ")),
        method: "btree".into(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        options: std::collections::BTreeMap::new(),
        valid: true,
        inherited: false,
        comment: None,
    }
}

/// The rules that a table with these constraints and indexes breaks.
fn rules(constraints: Vec<Constraint>, indexes: Vec<Index>) -> Vec<String> {
    let name = |kind: &str, at: usize| format!("{kind}_{at}");
    let constraints = constraints.into_iter().enumerate();
    let indexes = indexes.into_iter().enumerate();
    let table = Table {
        constraints: constraints.map(|(at, one)| (name("c", at), one)).collect(),
        indexes: indexes.map(|(at, one)| (name("i", at), one)).collect(),
        ..Table::default()
    };
    let found = check(table).into_iter();
    found.map(|one| format!("{}: {}", one.rule, one.help.unwrap())).collect()
}

fn check(table: Table) -> Vec<Finding> {
    let tables = [(QName::new("public", "chat"), table)].into();
    catalog(&Catalog { tables, ..Catalog::default() })
}

#[test]
fn a_foreign_key_wants_an_index_that_begins_with_its_columns() {
    let found = |index: Index| rules(vec![primary(&["id"]), foreign(&["b", "a"])], vec![index]);
    let missing = ["foreign-key-without-index: add an index on (b, a)"];
    assert!(found(index(&["a", "b DESC", "c"])).is_empty());
    assert_eq!(found(index(&["a", "c", "b"])), missing);
    assert_eq!(found(index(&["a"])), missing);
    assert_eq!(found(Index { predicate: Some("(c > 1)".into()), ..index(&["a", "b"]) }), missing);
    let filled = Index { predicate: Some("(a IS NOT NULL)".into()), ..index(&["a", "b"]) };
    assert!(found(filled).is_empty());
    let gin = Index { method: "gin".into(), ..index(&["a", "b"]) };
    assert_eq!(found(gin), missing);
    assert!(rules(vec![primary(&["user", "x"]), foreign(&["user"])], vec![]).is_empty());
}

#[test]
fn a_table_wants_a_primary_key_and_a_partition_has_its_parents() {
    assert_eq!(check(Table::default())[0].rule, "missing-primary-key");
    let of = PartitionOf { parent: QName::new("public", "all"), bound: "DEFAULT".into() };
    assert!(check(Table { partition_of: Some(of), ..Table::default() }).is_empty());
}

#[test]
fn of_two_equal_indexes_the_lesser_is_spare() {
    let found = |indexes| rules(vec![primary(&["id"])], indexes);
    let unique = Index { unique: true, ..index(&["a"]) };
    assert_eq!(found(vec![unique.clone(), index(&["a"])]), ["duplicate-index: drop `i_1`"]);
    assert_eq!(found(vec![index(&["a"]), unique]), ["duplicate-index: drop `i_0`"]);
    assert_eq!(found(vec![index(&["id"])]), ["duplicate-index: drop `i_0`"]);
    assert!(found(vec![index(&["id", "a"]), index(&["a", "id"])]).is_empty());
}

#[test]
fn what_was_left_half_done_is_told() {
    let broken = Index { valid: false, ..index(&["a"]) };
    let found = rules(vec![primary(&["id"])], vec![broken]);
    assert!(found[0].starts_with("invalid-index"), "{found:?}");
    let open = Constraint { validated: false, ..foreign(&["id"]) };
    let found = rules(vec![primary(&["id"]), open], vec![]);
    assert_eq!(found, ["constraint-not-validated: `alter table chat validate constraint c_1`"]);
}
