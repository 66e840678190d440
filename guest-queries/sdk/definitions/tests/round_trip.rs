//! Whatever tree there is, its print is read back as the same tree.

use std::path::Path;

use avenire_definitions::{
    Action, Column, Constraint, ConstraintKind, Deferrable, Enum, EnumValue, Field, Generated,
    Index, IndexKey, Item, Module, Name, Nulls, Object, ObjectName, Policy, PolicyCommand,
    Reference, Table, Type, TypeName, parse_file, print,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// Any text, with what is hard to quote often.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z' ]{0,12}", "[\"\\\\#'\n\t\r r]{0,8}", any::<String>()]
}

fn name() -> impl Strategy<Value = Name> {
    let words = prop_oneof![
        Just("using"),
        Just("index"),
        Just("concurrently"),
        Just("type"),
        Just("primary"),
        Just("_"),
        Just("r"),
        Just("self"),
        Just("nulls"),
        Just("comment"),
        Just("desc"),
    ];
    prop_oneof![
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}",
        words.prop_map(str::to_owned),
        text().prop_filter("a name is not empty", |text| !text.is_empty()),
    ]
    .prop_map(Name::from)
}

fn docs() -> impl Strategy<Value = Vec<String>> {
    vec("( ?[a-z\"*/\\\\]{1,6}){0,3}".prop_map(|line| line.trim_end().to_owned()), 0..3)
}

fn object_name() -> impl Strategy<Value = ObjectName> {
    (prop_oneof![Just(Name::from("public")), name()], name())
        .prop_map(|(schema, name)| ObjectName::new(schema.text, name.text))
}

fn reference() -> impl Strategy<Value = Reference> {
    (of(name()), name()).prop_map(|(schema, name)| Reference {
        schema: schema.map(|schema| schema.text),
        ..Reference::new(name.text)
    })
}

fn data_type() -> impl Strategy<Value = Type> {
    let plain = (
        "[a-z][a-z0-9_]{0,6}",
        of(name()),
        vec("[0-9]|[a-z]{1,3}", 0..3),
        0..3usize,
        any::<bool>(),
    )
        .prop_map(|(name, schema, modifiers, dimensions, nullable_elements)| {
            let schema = schema.map(|schema| schema.text);
            Type {
                modifiers,
                dimensions,
                nullable_elements: nullable_elements && dimensions > 0,
                ..Type::of(TypeName::Plain { schema, name })
            }
        });
    prop_oneof![3 => plain, 1 => text().prop_map(Type::sql)]
}

fn column() -> impl Strategy<Value = Column> {
    let field = prop_oneof![
        Just(Field::Usual),
        Just(Field::Absent),
        Just(Field::As("crate::a::B<Vec<u8>>".to_owned())),
    ];
    let said = (of(text()), of(reference()), of((text(), any::<bool>())), of(text()));
    (docs(), name(), data_type(), any::<bool>(), field, said).prop_map(
        |(docs, name, data_type, nullable, field, (default, collation, generated, comment))| {
            let generated = generated.map(|(expression, stored)| Generated { expression, stored });
            let made = Column::new(name, data_type);
            Column { docs, nullable, field, default, collation, generated, comment, ..made }
        },
    )
}

fn names() -> impl Strategy<Value = Vec<Name>> {
    vec(name(), 1..3)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::NoAction),
        Just(Action::Cascade),
        Just(Action::Restrict),
        vec(name(), 0..2).prop_map(Action::SetNull),
        vec(name(), 0..2).prop_map(Action::SetDefault),
    ]
}

fn kind() -> impl Strategy<Value = ConstraintKind> {
    prop_oneof![
        (names(), vec(name(), 0..2))
            .prop_map(|(columns, include)| ConstraintKind::PrimaryKey { columns, include }),
        (names(), vec(name(), 0..2), any::<bool>()).prop_map(|(columns, include, distinct)| {
            ConstraintKind::Unique { columns, include, nulls_not_distinct: distinct }
        }),
        (names(), object_name(), vec(name(), 0..2), any::<bool>(), action(), action()).prop_map(
            |(columns, references, referenced, match_full, on_delete, on_update)| {
                ConstraintKind::ForeignKey {
                    columns,
                    references,
                    referenced,
                    match_full,
                    on_delete,
                    on_update,
                }
            }
        ),
        (text(), any::<bool>())
            .prop_map(|(expression, no_inherit)| ConstraintKind::Check { expression, no_inherit }),
        text().prop_map(ConstraintKind::Exclude),
    ]
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let when =
        prop_oneof![Just(Deferrable::No), Just(Deferrable::Immediate), Just(Deferrable::Deferred)];
    (docs(), of(name()), kind(), when, of(text())).prop_map(
        |(docs, name, kind, deferrable, comment)| Constraint {
            docs,
            deferrable,
            comment,
            ..Constraint::new(name, kind)
        },
    )
}

fn key() -> impl Strategy<Value = IndexKey> {
    let word = "[a-z]{1,6}".prop_map(IndexKey::column);
    // More than a name, so that it is no column's.
    let value = prop_oneof![word, text().prop_map(|sql| IndexKey::expression(sql + " ||| 1"))];
    let nulls = of(prop_oneof![Just(Nulls::First), Just(Nulls::Last)]);
    (value, of(reference()), any::<bool>(), nulls).prop_map(
        |(value, collation, descending, nulls)| IndexKey { collation, descending, nulls, ..value },
    )
}

fn index() -> impl Strategy<Value = Index> {
    let said = (of(text()), of(text()), vec(("[a-z]{1,5}", text()), 0..2));
    (docs(), of(name()), any::<bool>(), of(name()), vec(key(), 1..3), said).prop_map(
        |(docs, name, unique, method, keys, (predicate, comment, options))| Index {
            docs,
            name,
            unique,
            method: method.map(|method| method.text),
            keys,
            predicate,
            comment,
            options,
            ..Index::default()
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    (name(), any::<bool>(), vec(name(), 0..3), of(text()), of(text())).prop_map(
        |(name, restrictive, roles, using, check)| Policy {
            name,
            restrictive,
            command: PolicyCommand::Update,
            roles,
            using,
            check,
            ..Policy::default()
        },
    )
}

fn table() -> impl Strategy<Value = Item> {
    let parts =
        (vec(column(), 0..4), vec(constraint(), 0..3), vec(index(), 0..3), vec(policy(), 0..2));
    let said = (of(text()), vec(object_name(), 0..2), of(text()), any::<bool>());
    (docs(), object_name(), parts, said).prop_map(
        |(docs, name, (columns, constraints, indexes, policies), said)| {
            let (partition_by, inherits, comment, unlogged) = said;
            Item::Table(Box::new(Table {
                docs,
                name,
                columns,
                constraints,
                indexes,
                policies,
                partition_by,
                inherits,
                comment,
                unlogged,
                ..Table::default()
            }))
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let value = (docs(), name()).prop_map(|(docs, name)| EnumValue { docs, name, rust: None });
    let enumeration = (docs(), object_name(), vec(value, 0..4), of(text())).prop_map(
        |(docs, name, values, comment)| {
            Item::Enum(Enum { docs, name, rust: None, values, comment })
        },
    );
    let object = (name(), vec(object_name(), 0..2), vec(text(), 1..3), of(text())).prop_map(
        |(name, depends_on, create, drop)| {
            Item::Object(Object { docs: Vec::new(), name, depends_on, create, drop })
        },
    );
    prop_oneof![3 => table(), 1 => enumeration, 1 => object]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(docs in docs(), items in vec(item(), 0..3)) {
        let file = Path::new("a.rs");
        let module = Module { file: file.to_owned(), docs, uses: Vec::new(), items };
        let printed = print(&module);
        let read = parse_file(&printed, file);
        prop_assert!(read.is_ok(), "{}\n{printed}", read.unwrap_err());
        prop_assert_eq!(read.unwrap(), module, "{}", printed);
    }
}
