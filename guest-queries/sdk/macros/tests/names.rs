//! Whatever names a database has, the code that `schema!` makes of them compiles and has them in SQL.
#![expect(clippy::misnamed_getters, reason = "code of Diesel for odd names")]

use diesel::pg::Pg;
use diesel::prelude::*;

mod words {
    avenire_macros::schema! {
        enum value as Value { "", all, "ALL", "Self", "größe", expression, row, output, "query-id", "query_id" }
        enum "ärger" { "ja", "日" }
        enum option { some, none }
        enum result { ok, err }
        enum string { a }
        enum vec { a }
        enum public.path { a }
        enum my_path { a }
        domain "myPath": text;
        domain many: value[];
        domain more: many;
        type record { type: text, "Type": text, "größe": "ärger", value: value[], self: many }

        /// Words that Diesel's modules or generated code use.
        table words as Words {
            id: bigint,
            q: text, star: text, all_columns: text, columns: text, dsl: text, table: text,
            sql_type: text, diesel: text, std: text, core: text, alloc: text, sql_types: value,
            bool: boolean, str: text, char: text, u8: text, i32: integer, i64: bigint, f64: float8,
            usize: text, words: text, self: text, "Self": text, super: text, crate: text,
            out: text, row: text,
            primary key (id),
        }
        table expressions as Expressions {
            id: bigint, eq: text, name: text, count: bigint, on: text, db: text, value: many,
            values: more, string: string, vec: vec, option: option?, result: result?[], box: box, path: public.path, geometric: path,
            mine: my_path, other: "public"."myPath",
            rhs: integer, add: integer, sub: integer, ops: integer, output: integer, t: integer,
            debug: text, default: text, select: text, filter: text, "Table": text, lhs: integer,
            primary key (id),
        }
        table "größen" as Groessen {
            "größe": bigint, "Größe": bigint, "日本": record?,
            primary key ("größe"),
        }
        table q as Q { q: bigint, id: bigint, primary key (q) }
        table star as Star { star: bigint, primary key (star) }
        table bool as Bool { bool: boolean, other: boolean }
        table str as Str { str: text }
        table std as Std { std: text, core: text }
        table core as Core { core: text }
        table diesel as Diesel { diesel: text }
        table sql_types as SqlTypes { value: value }
        table columns as Columns { columns: text }
        table dsl as Dsl { dsl: text }
        table avenire_values as AvenireValues { a: uuid }
        table "Bool" as OtherBool { a: boolean }
        table row as Row { row: integer, field: text }
    }
}

use words::{Q, Value, Words, words as w};

fn sql(query: &impl diesel::query_builder::QueryFragment<Pg>) -> String {
    diesel::debug_query::<Pg, _>(query).to_string()
}

#[test]
fn words_that_generated_code_uses_keep_their_name_in_sql() {
    let text = sql(&w::table.select(Words::as_select()));
    for name in ["q", "star", "all_columns", "diesel", "std", "bool", "str", "usize", "Self"] {
        assert!(text.contains(&format!("\"words\".\"{name}\"")), "{name}: {text}");
    }
    let text = sql(&words::q_::table.select(Q::as_select()));
    assert!(text.contains("\"q\".\"q\""), "{text}");
}

#[test]
fn values_of_enums_become_variants_of_their_own() {
    let words: Vec<&str> = Value::ALL.iter().map(|value| value.as_str()).collect();
    let expected =
        ["", "all", "ALL", "Self", "größe", "expression", "row", "output", "query-id", "query_id"];
    assert_eq!(words, expected);
    assert_eq!(Value::Empty.as_str(), "");
    assert_eq!(Value::ALL_.as_str(), "ALL");
    assert_eq!(Value::Groesse.as_str(), "größe");
    assert_eq!(words::Aerger::U65e5.as_str(), "日");
}

#[test]
fn letters_beyond_ascii_stay_in_sql() {
    let text = sql(&words::groessen::table.select(words::Groessen::as_select()));
    assert!(
        text.contains("\"größen\".\"größe\", \"größen\".\"Größe\", \"größen\".\"日本\""),
        "{text}"
    );
    let _ = sql(&words::expressions::table.select(words::Expressions::as_select()));
}

mod kinds {
    avenire_macros::schema! {
        schema other;
        schema "MySchema";
        schema "not-a-word";
        table users as User { id: bigint, primary key (id) }
        table other.users as OtherUser { id: bigint, user_id: bigint, primary key (id), foreign key (user_id) references users }
        table "Users" as ThirdUser { id: bigint, primary key (id) }
        table "MySchema".a as A { id: bigint, primary key (id) }
        table "not-a-word".b as B { id: bigint, primary key (id), a: bigint, foreign key (a) references "MySchema".a }
        table c as C { id: bigint, b: bigint, foreign key (b) references "not-a-word".b, primary key (id) }
        table keyless as Keyless { a: text, b: text? }
        table empty {}
        table empty_row as EmptyRow {}
        table generated as Generated { one: integer generated always as "1" stored }
        table absent { one: integer as _ }
        table a123456789012345678901234567890123456789012345678901234567890bc as Long {
            b123456789012345678901234567890123456789012345678901234567890bc: text,
        }
    }
}

#[test]
fn tables_of_one_name_in_two_schemas_are_kept_apart() {
    let join = kinds::other_users::table.inner_join(kinds::users::table);
    let text = sql(&join.select((kinds::User::as_select(), kinds::OtherUser::as_select())));
    assert!(text.contains("\"other\".\"users\".\"user_id\" = \"users\".\"id\""), "{text}");
    let text = sql(&kinds::users_::table.select(kinds::ThirdUser::as_select()));
    assert!(text.contains("FROM \"Users\""), "{text}");
}

#[test]
fn schemas_keep_their_name_in_sql() {
    let text = sql(&kinds::a::table.select(kinds::A::as_select()));
    assert!(text.contains("FROM \"MySchema\".\"a\""), "{text}");
}

#[test]
fn tables_of_every_shape_have_rows() {
    let _ = sql(&kinds::keyless::table.select(kinds::Keyless::as_select()));
    let _ = sql(&kinds::generated::table.select(kinds::Generated::as_select()));
    let _ = sql(&kinds::a123456789012345678901234567890123456789012345678901234567890bc::table
        .select(kinds::Long::as_select()));
    let _ = sql(&kinds::c::table.select(kinds::C::as_select()));
}

/// What Postgres 15 calls the columns of a domain over an array of the block's own enum.
mod arrays {
    avenire_macros::schema! {
        enum mood as Mood { sad }
        domain moods: mood[];
        table people as Person { id: bigint, moods: moods, primary key (id) }
    }
}

#[test]
fn a_domain_over_an_array_of_the_blocks_enum_is_that_array() {
    let text =
        sql(&arrays::people::table.filter(arrays::people::moods.contains(vec![arrays::Mood::Sad])));
    assert!(text.contains("@>"), "{text}");
}
