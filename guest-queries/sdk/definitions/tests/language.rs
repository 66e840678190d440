//! What the language reads, prints, checks and becomes in SQL.

use std::path::Path;

use avenire_definitions::{Definitions, Item, Module, Name, ddl, parse_file, print};

/// A module that has every clause of the language at least once.
const EVERYTHING: &str = include_str!("everything.rs.txt");

fn parse(source: &str) -> Module {
    match parse_file(source, Path::new("src/shop.rs")) {
        Ok(module) => module,
        Err(error) => panic!("{error}\n{source}"),
    }
}

fn block(body: &str) -> String {
    format!("avenire_macros::schema! {{\n{body}\n}}\n")
}

/// What is wrong with the body of a block: `line:column: message` each, the hint after it.
fn problems(body: &str) -> Vec<String> {
    let definitions = Definitions { modules: vec![parse(&block(body))] };
    let errors = definitions.check();
    assert!(errors.iter().all(|error| !error.hint().is_empty() && !error.hint().ends_with('.')));
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn every_clause_is_printed_as_it_is_read() {
    let module = parse(EVERYTHING);
    let printed = print(&module);
    assert_eq!(parse(&printed), module, "{printed}");
    assert_eq!(print(&parse(&printed)), printed);
    assert!(Definitions { modules: vec![module] }.check().is_empty());
}

#[test]
fn blocks_are_found_wherever_they_stand() {
    let source = format!(
        "//! Docs.\nfn other() {{ let x = 1; }}\n{}mod inner {{ {} }}\n",
        block("table a { id: text }").replace("avenire_macros::", ""),
        block("table b { id: text }"),
    );
    let module = parse(&source);
    assert_eq!(module.docs, ["Docs."]);
    let names: Vec<String> = module
        .items
        .iter()
        .map(|item| match item {
            Item::Table(table) => table.name.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn errors_of_grammar_point_at_the_token() {
    let mut wrong = Vec::new();
    for (body, place, message) in [
        ("table a { id text }", "2:11", "expected a column"),
        ("table a { id: text = now() }", "2:22", "expected an SQL expression"),
        ("table a { id: text[3] }", "2:20", "does not keep the length"),
        ("table a {\n    id: text,\n    foreign key (id) refers a }", "4:22", "`references`"),
        ("table a { index (id) descending }", "2:22", "`nulls not distinct`"),
        ("tabel a { }", "2:1", "expected one of `table`"),
        ("view v { id: text }", "2:19", "needs its query"),
        ("object o { }", "2:12", "needs the statement"),
        ("table a { id: text = 1 = 2 }", "2:24", "said already"),
        ("#[derive(Eq)]\nenum e { a }", "2:1", "only tables and views"),
        ("sequence s owned by t (a, b);", "2:29", "owned by one column"),
        ("table a { foreign key (x) references b on delete drop }", "2:50", "`set default`"),
    ] {
        let error = parse_file(&block(body), Path::new("src/shop.rs")).unwrap_err();
        let text = error.to_string();
        if !text.starts_with(&format!("src/shop.rs:{place}: ")) || !text.contains(message) {
            wrong.push(format!("{body}\n    {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_foreign_key_to_nowhere_is_told_at_its_reference() {
    let found = problems(
        "table a {\n    id: text,\n    primary key (id),\n    foreign key (id) references users (id),\n}",
    );
    assert_eq!(found, ["src/shop.rs:5:33: the table `a` refers to `users`, which there is not"]);
}

#[test]
fn everything_wrong_is_told_at_once_and_only_once() {
    let long = "x".repeat(64);
    let mut wrong = Vec::new();
    for (body, message) in [
        ("table a { id: txt }", "there is no type `txt`"),
        ("table a { id: citext }", "extension citext, which is not defined"),
        ("table a { id: bigserial }", "there is no type `bigserial`"),
        ("table a { id: text, id: text }", "the column `id` twice"),
        ("table a { id: text } table a { id: text }", "another table, view, sequence or index `a`"),
        ("table a { id: text } enum a { b }", "another type `a`"),
        ("table a { id: text, index a (id) }", "another table, view, sequence or index `a`"),
        ("table s.a { id: text }", "there is no schema `s`"),
        ("table a { id: text, primary key (x) }", "has no column `x`"),
        ("table a { id: text, index (x) }", "has no column `x`"),
        ("table a { id: text, unique (id) include (x) }", "has no column `x`"),
        ("table a { id: text?, primary key (id) }", "can not be nullable"),
        ("table a { id: text, primary key (id), primary key (id) }", "two primary keys"),
        ("table a { id: text generated always as identity }", "no whole number"),
        ("table a { id: bigint? generated always as identity }", "can not be nullable"),
        ("table a { id: text = 1 generated always as \"2\" }", "more than one way"),
        ("table a { id: text, check \"true\" deferrable }", "check can not be deferrable"),
        ("table a { id: text, check \"true\" comment \"x\" }", "comment needs a name"),
        ("table a { id: text, foreign key (id) references a }", "no primary key to refer to"),
        ("table a { id: text, foreign key (id) references a (id) }", "are no key"),
        (
            "table a { id: bigint, primary key (id) } table b { a: text, foreign key (a) references a }",
            "is text, but `a.id` to which it refers is bigint",
        ),
        (
            "table a { x: text, y: text, primary key (x, y), foreign key (x) references a }",
            "1 columns refer to 2",
        ),
        (
            "table a { id: text, b: text, primary key (id), foreign key (id) references a on delete set null (b) }",
            "not among the columns",
        ),
        (
            "table a { id: text, primary key (id), foreign key (id) references a on delete set null }",
            "`on delete set null` can not set the column `id`",
        ),
        (
            "table a { id: text, b: text, c: text?, unique (b, c), foreign key (b, c) references a (b, c) on delete set null (b) }",
            "`on delete set null` can not set the column `b`",
        ),
        (
            "table a { id: text, unique (id), foreign key (id) references a (id) on update set default }",
            "`on update set default` can not set the column `id`",
        ),
        ("enum e { a, a }", "the value `a` twice"),
        ("view v { id: text, query \"select\", index (id) }", "can not have an index"),
        ("object o depends on (p) { create \"x\" }", "depends on `p`"),
        (
            "object o depends on (p) { create \"x\" } object p depends on (o) { create \"x\" }",
            "on itself",
        ),
        ("sequence s owned by t (a);", "owned by `t`"),
        ("table a { partition of b default }", "has a parent `b` that there is not"),
        ("table b { id: text } table a { partition of b default }", "is not partitioned"),
        ("table a { id: text, policy p for insert using \"true\" }", "are not used"),
        ("use crate::auth::users; table a { id: text }", "which there is not"),
        (&format!("table {long} {{ id: text }}"), "has 64 bytes, 63 are allowed"),
        ("type t { a: text = 1 }", "has a clause of a column"),
    ] {
        let found = problems(body);
        let once = found.len() == 1 && found.iter().all(|problem| problem.contains(message));
        if !once {
            wrong.push(format!("{body}\n    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(problems("table a { x: txt, y: txu }\ntable b { z: txv }").len(), 3);
}

#[test]
fn what_is_wrong_is_told_by_file_and_place() {
    let source = block("table a { x: txt,\n y: txu }\ntable b { z: txv, z: text }");
    let module = |file: &str| parse_file(&source, Path::new(file)).unwrap();
    let definitions = Definitions { modules: vec![module("src/b.rs"), module("src/a.rs")] };
    let errors = definitions.check();
    let places: Vec<_> =
        errors.iter().map(|error| (error.file.clone(), error.line, error.column)).collect();
    assert!(places.is_sorted() && places.len() == 10, "{errors:?}");
    assert!(places[0].0 == Path::new("src/a.rs"), "{errors:?}");
}

#[test]
fn what_can_be_compared_may_refer() {
    let sound = "domain key: bigint;
        table a { id: bigint, primary key (id) }
        table b { a: integer, c: key, foreign key (a) references a, foreign key (c) references a (id) }
        table d { \"n n\": varchar(3), unique (\"n n\") }
        table e { f: text, foreign key (f) references d (\"n n\") }";
    assert_eq!(problems(sound), Vec::<String>::new());
}

#[test]
fn an_action_may_set_what_can_be_set() {
    let sound = "domain key: text = \"'a'\";
        table a { id: text, primary key (id) }
        table b { c: text?, foreign key (c) references a on delete set null on update set default }
        table d { c: text = \"'a'\", foreign key (c) references a on delete set default }
        table e { c: key, foreign key (c) references a on delete set default }
        table f { g: text, h: text?, unique (g, h) }
        table i { g: text, h: text?, foreign key (g, h) references f (g, h) on delete set null (h) }";
    assert_eq!(problems(sound), Vec::<String>::new());
}

#[test]
fn statements_come_in_an_order_that_works() {
    let body = "object late depends on (v) { create \"late\" }
        object middle depends on (b) { create \"middle\" }
        object early { create \"early\" }
        object after_early depends on (early) { create \"after early\" }
        view v { query \"select\" }
        table b { a: m, foreign key (a) references c (a), partition of p default }
        table p { a: m, partition by \"list (a)\" }
        table c { a: m, unique (a), index (a), comment \"x\" }
        enum m { x }
        schema s;";
    let definitions = Definitions { modules: vec![parse(&block(body))] };
    let whats: Vec<String> = ddl(&definitions).iter().map(|one| one.what.clone()).collect();
    assert_eq!(
        whats,
        [
            "schema s",
            "enum m",
            "object early",
            "object after_early",
            "table p",
            "table c",
            "table b",
            "object middle",
            "index of c",
            "foreign key of table b",
            "view v",
            "object late",
            "comment on table public.c",
        ]
    );
}

#[test]
fn statements_name_everything_in_full() {
    let definitions = Definitions {
        modules: vec![parse(&block(
            "table a as A {
                \"Weird \\\"one\": varchar(3)[] = \"'{}'\",
                b: timestamptz(3)? collate \"C\",
                primary key p (\"Weird \\\"one\"),
                index (b desc nulls last, \"lower(b)\" text_pattern_ops) where \"b is not null\",
            }",
        ))],
    };
    let all = ddl(&definitions);
    assert_eq!(
        all[0].sql,
        "create table \"public\".\"a\" (\n    \"Weird \"\"one\" character varying(3)[] not null \
         default ('{}'),\n    \"b\" timestamp(3) with time zone collate \"C\",\n    \
         constraint \"p\" primary key (\"Weird \"\"one\")\n)"
    );
    assert_eq!(
        all[1].sql,
        "create index on \"public\".\"a\" using \"btree\" (\"b\" desc nulls last, (lower(b)) \
         \"text_pattern_ops\") where b is not null"
    );
    assert_eq!(all[0].place(), "src/shop.rs:2:7");
}

#[test]
fn a_string_that_is_a_columns_name_is_that_column() {
    let module = parse(&block("table a { \"a b\": text, index (\"a b\", \"a || b\") }"));
    let Item::Table(table) = &module.items[0] else { panic!() };
    let sql = &ddl(&Definitions { modules: vec![module.clone()] })[1].sql;
    assert!(sql.ends_with("(\"a b\", (a || b))"), "{sql}");
    assert_eq!(table.columns[0].name, Name::from("a b"));
}
