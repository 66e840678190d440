//! What collides, and what does not.

use super::*;
use crate::catalog::{Column, Constraint, Enum};

fn column(name: &str, data_type: &str) -> Column {
    Column { name: name.into(), data_type: data_type.into(), ..Column::default() }
}

fn base() -> Catalog {
    let users =
        Table { columns: vec![column("id", "bigint"), column("name", "text")], ..Table::default() };
    let mood = Enum { values: vec!["ok".into(), "sad".into()], comment: None };
    Catalog {
        tables: [(QName::new("public", "users"), users)].into(),
        enums: [(QName::new("public", "mood"), mood)].into(),
        ..Catalog::default()
    }
}

fn users(catalog: &mut Catalog) -> &mut Table {
    catalog.tables.get_mut(&QName::new("public", "users")).unwrap()
}

/// Of what `change` does to the base.
fn footprint(change: impl FnOnce(&mut Catalog)) -> Footprint {
    let mut changed = base();
    change(&mut changed);
    Footprint::between(&base(), &changed)
}

/// A table that refers to `users`.
fn referring(catalog: &mut Catalog) {
    let kind = ConstraintKind::ForeignKey {
        columns: vec!["user_id".into()],
        references: QName::new("public", "users"),
        referenced_columns: vec!["id".into()],
    };
    let definition = "FOREIGN KEY (user_id) REFERENCES public.users(id)".into();
    let key = Constraint { kind, definition, validated: true, inherited: false, comment: None };
    let chat = Table {
        columns: vec![column("user_id", "bigint"), column("mood", "public.mood")],
        constraints: [("chat_user_id_fkey".to_owned(), key)].into(),
        ..Table::default()
    };
    catalog.tables.insert(QName::new("public", "chat"), chat);
}

fn add(name: &'static str) -> impl FnOnce(&mut Catalog) {
    move |catalog| users(catalog).columns.push(column(name, "text"))
}

fn remove(name: &'static str) -> impl FnOnce(&mut Catalog) {
    move |catalog| users(catalog).columns.retain(|column| column.name != name)
}

fn told(one: &Footprint, two: &Footprint) -> Vec<String> {
    let collisions = one.collisions(two).into_iter();
    collisions
        .map(|found| format!("{}: {} {}", found.on, found.first.word(), found.second.word()))
        .collect()
}

#[test]
fn two_columns_of_one_table_do_not_collide_and_one_column_does() {
    assert!(told(&footprint(add("a")), &footprint(add("b"))).is_empty());
    let both = told(&footprint(add("a")), &footprint(add("a")));
    assert_eq!(both, ["column a of table public.users: added added"]);
}

#[test]
fn whoever_drops_a_table_collides_with_whoever_changes_it() {
    let dropped = footprint(|catalog| catalog.tables.clear());
    let both = told(&dropped, &footprint(add("a")));
    assert_eq!(both, ["column a of table public.users: removed added"]);
}

#[test]
fn what_is_referred_to_may_not_go() {
    let key = footprint(referring);
    assert!(told(&key, &footprint(remove("name"))).is_empty());
    assert!(told(&key, &footprint(add("a"))).is_empty());
    let both = told(&key, &footprint(remove("id")));
    assert_eq!(both, ["column id of table public.users: used removed"]);
    let both = told(&footprint(|catalog| catalog.tables.clear()), &key);
    assert_eq!(both, ["table public.users: removed used"]);
    let both = told(&key, &footprint(|catalog| catalog.enums.clear()));
    assert_eq!(both, ["enum public.mood: used removed"]);
}

#[test]
fn values_of_one_enum_collide_where_their_order_would_depend_on_chance() {
    let at = |place: usize, value: &'static str| {
        footprint(move |catalog| {
            let mood = catalog.enums.get_mut(&QName::new("public", "mood")).unwrap();
            mood.values.insert(place, value.to_owned());
        })
    };
    let both = told(&at(2, "a"), &at(2, "b"));
    assert_eq!(both, ["last value of enum public.mood: changed changed"]);
    assert!(told(&at(1, "a"), &at(2, "b")).is_empty());
}

#[test]
fn a_name_is_mentioned_as_a_word_only() {
    assert!(mentions("REFERENCES public.users(id)", "public.users"));
    assert!(!mentions("public.users_old", "public.users"));
    assert!(!mentions("x_public.users", "public.users"));
}

#[test]
fn an_equal_catalog_has_no_footprint() {
    assert_eq!(footprint(|_| ()), Footprint::default());
}
