//! What `schema!` makes of every kind of definition compiles and is what it says.

mod auth {
    avenire_macros::schema! {
        schema auth;
        enum role as Role { admin, "plain member" as Member }
        enum auth.mood { sad }
        table auth.people as Person {
            id: bigint generated always as identity,
            role: role,
            primary key (id),
        }
    }
}

mod shop {
    use super::auth::Role;

    #[derive(
        Debug,
        Clone,
        PartialEq,
        Eq,
        diesel::expression::AsExpression,
        diesel::deserialize::FromSqlRow,
    )]
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub struct Title(String);

    impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for Title {
        fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
            diesel::deserialize::FromSql::<diesel::sql_types::Text, diesel::pg::Pg>::from_sql(value)
                .map(Title)
        }
    }

    avenire_macros::schema! {
        use crate::auth::people as auth.people;
        use type crate::auth::Role;
        extension citext;

        enum mood as Feeling { sad, ok, "very happy" }
        enum void {}
        domain positive: integer check "value > 0";
        domain feelings: mood[];
        type place as Place { floor: integer, label: text, feeling: mood, at: point, type: positive }
        type odd {}

        /// All of them.
        table orders as Order {
            /// Its number.
            id: bigint,
            person: bigint,
            b: boolean, i2: smallint, i4: integer, f4: real, f8: float8, n: numeric(10, 2),
            t: varchar(3), c: char(2), by: bytea, d: date, tm: time, ts: timestamp(3),
            tz: timestamptz, iv: interval, ivd: "interval day to second", j: json, jb: jsonb,
            u: uuid, ip: inet, net: cidr, mac: macaddr, mac8: macaddr8, m: money, o: oid,
            l: pg_lsn, ch: "\"char\"", r: int4range, primary key (id),
            foreign key (person) references auth.people (id),
        }

        table more as More {
            id: bigint,
            parent: bigint?,
            order_id: bigint,
            type: text as Title,
            table: text?,
            "Weird Name": text,
            more: text as _,
            feeling: mood, many: feelings, maybe: mood?[], places: place[]?, amount: positive?,
            role: role?, roles: role[], strange: void, empty: odd?, ct: citext,
            p: point, geo: "geometry(Point, 4326)"?, geos: "geometry(Point, 4326)[]", x: xml?,
            ranges: tstzrange, multi: int8multirange, vectors: tsvector[],
            primary key (id),
            foreign key (order_id) references orders,
            foreign key (parent) references more,
        }

        table keyless as Keyless { a: integer, b: text }
        table measures { at: date, partition by "range (at)" }
        table measures_rest as Rest { partition of measures default }
        table child as Child { extra: text, inherits (keyless) }
        table nothing {}
        view happy as Happy { id: text, n: bigint?, query "select 1" }
        materialized view counts { n: bigint?, query "select 1" }
        view unseen { query "select 1" }

        table wide as Wide {
            c01: text as _, c02: text, c03: text, c04: text, c05: text, c06: text, c07: text,
            c08: text, c09: text, c10: text, c11: text, c12: text, c13: text, c14: text, c15: text,
            c16: text, c17: text, c18: text, c19: text, c20: text, c21: text, c22: text, c23: text,
            c24: text, c25: text, c26: text, c27: text, c28: text, c29: text, c30: text, c31: text,
            c32: text, key: text, primary key (key),
        }
    }

    pub(crate) fn person_role(role: Role) -> &'static str {
        role.as_str()
    }
}

avenire_macros::together! { auth::people, shop::{orders, more} }

use diesel::pg::Pg;
use diesel::prelude::*;
use shop::{Feeling, happy, keyless, more, orders};

fn sql(query: &impl diesel::query_builder::QueryFragment<Pg>) -> String {
    diesel::debug_query::<Pg, _>(query).to_string()
}

#[test]
fn names_that_rust_can_not_have_keep_their_name_in_sql() {
    let query = more::table.select((more::type_, more::table_, more::weird_name, more::more_));
    let text = sql(&query);
    for name in
        ["\"more\".\"type\"", "\"more\".\"table\"", "\"more\".\"Weird Name\"", "\"more\".\"more\""]
    {
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn tables_are_joined_by_their_foreign_keys() {
    let across = sql(&orders::table.inner_join(auth::people::table).select(orders::id));
    assert!(across.contains("\"auth\".\"people\""), "{across}");
    assert!(across.contains("\"orders\".\"person\" = \"auth\".\"people\".\"id\""), "{across}");
    let within = sql(&more::table.inner_join(orders::table).select(orders::id));
    assert!(within.contains("\"more\".\"order_id\" = \"orders\".\"id\""), "{within}");
    let _ = more::table.inner_join(orders::table.inner_join(auth::people::table)).select(more::id);
}

#[test]
fn row_types_select_their_columns() {
    let text = sql(&more::table.select(shop::More::as_select()));
    assert!(!text.contains("\"more\".\"more\""), "a column without a field is selected: {text}");
    assert!(sql(&happy::table.select(shop::Happy::as_select())).contains("\"happy\".\"n\""));
    assert!(sql(&keyless::table.select(shop::Keyless::as_select())).contains("\"keyless\".\"a\""));
    let child = sql(&shop::child::table.select(shop::Child::as_select()));
    assert!(child.contains("\"child\".\"a\"") && child.contains("\"child\".\"extra\""), "{child}");
    let rest = sql(&shop::measures_rest::table.select(shop::Rest::as_select()));
    assert!(rest.contains("\"measures_rest\".\"at\""), "{rest}");
    let _ = sql(&orders::table.select(shop::Order::as_select()));
    let _ = sql(&shop::counts::table.select(shop::counts::n));
}

#[test]
fn of_wide_tables_the_key_and_the_wanted_columns_are_seen() {
    let text = sql(&shop::wide::table.select(shop::Wide::as_select()));
    assert!(text.contains("\"key\"") && text.contains("\"c32\"") && !text.contains("\"c01\""));
    assert_eq!(text.matches("\"wide\".\"").count(), 32);
}

#[test]
fn values_of_types_of_the_application_can_be_bound() {
    let place = shop::Place {
        floor: Some(1),
        label: None,
        feeling: Some(Feeling::VeryHappy),
        at: Some(avenire_values::Opaque(vec![0; 16])),
        type_: Some(3),
    };
    let text = sql(&more::table.filter(more::places.contains(vec![place])).select(more::id));
    assert!(text.contains("@>"), "{text}");
    let _ = sql(&more::table.filter(more::feeling.eq(Feeling::Sad)).select(more::id));
    let _ = sql(&more::table.filter(more::role.eq(auth::Role::Admin)).select(more::id));
    let _ =
        sql(&more::table.filter(more::geo.eq(avenire_values::Opaque(vec![1]))).select(more::id));
    let _ = sql(&more::table.filter(more::p.eq(avenire_values::Opaque(vec![1]))).select(more::id));
}

#[test]
fn enums_have_the_words_of_postgres() {
    let words: Vec<&str> = Feeling::ALL.iter().map(|value| value.as_str()).collect();
    assert_eq!(words, ["sad", "ok", "very happy"]);
    assert_eq!(shop::person_role(auth::Role::Member), "plain member");
    assert!(Feeling::Sad < Feeling::VeryHappy);
    assert_eq!(auth::AuthMood::Sad.as_str(), "sad");
}

#[test]
fn descriptions_say_what_is_defined() {
    let description = auth::DESCRIPTION;
    assert!(description.contains(r#""schema":"auth","name":"people""#), "{description}");
    assert!(description.contains(r#""values":["admin","plain member"]"#), "{description}");
    assert!(shop::DESCRIPTION.contains(r#""name":"ts","type":"timestamp(3) without time zone""#));
}
