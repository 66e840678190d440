//! What plans announce, there and back.

use std::collections::BTreeSet;

use avenire_schema::catalog::{Introspected, Scope, introspect};
use avenire_schema::plan::{HazardKind, Plan, PlanOptions, plan};
use avenire_schema_tests::Server;

use crate::with;

async fn read(server: &Server, sql: &str) -> Introspected {
    let database = server.database().await.unwrap();
    database.run(sql).await.unwrap();
    introspect(&database.session().await.unwrap(), &Scope::All).await.unwrap()
}

async fn planned(server: &Server, before: &str, after: &str) -> Plan {
    let (from, to) = (read(server, before).await, read(server, after).await);
    let options = PlanOptions { online: true, accept: BTreeSet::from(HazardKind::ALL) };
    plan(&from, &to, &options)
}

/// All up files and all down files.
fn texts(plan: &Plan) -> (String, String) {
    let files = plan.files();
    let up = files.iter().map(|file| file.up.as_str()).collect();
    let down = files.iter().rev().filter_map(|file| file.down.as_deref()).collect();
    (up, down)
}

/// The kinds of hazards that stand before the statement that begins with `statement`.
fn announced(text: &str, statement: &str) -> Vec<String> {
    let (before, _) = text.split_once(&format!("\n{statement}")).unwrap();
    let lines = before.lines().rev().map_while(|line| line.strip_prefix("-- hazard: "));
    let mut kinds: Vec<String> =
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect();
    kinds.reverse();
    kinds
}

#[test]
fn what_is_dropped_is_missed_by_code_that_reads_it() {
    with(async |server| {
        let before = "create table a (id bigint, b text, c bigint generated always as (id) stored); \
                      create table d (id bigint)";
        let after = "create table a (id bigint, e text); create table f (id bigint)";
        let (up, down) = texts(&planned(server, before, after).await);
        let both = ["deletes-data", "breaks-callers"];
        assert_eq!(announced(&up, "alter table a drop column b"), both);
        assert_eq!(announced(&up, "alter table a drop column c"), ["breaks-callers"]);
        assert_eq!(announced(&up, "drop table d"), both);
        assert_eq!(announced(&format!("\n{down}"), "alter table a drop column e"), both);
        assert_eq!(announced(&format!("\n{down}"), "drop table f"), both);
    });
}

#[test]
fn a_view_that_is_dropped_on_the_way_down_is_announced() {
    with(async |server| {
        let table = "create table a (id bigint, b text);";
        let before = format!(
            "{table} create view v as select id from a; create view w as select id from a; \
             create materialized view m as select id from v"
        );
        let after = format!(
            "{table} create view v as select b from a; create view w as select id, b from a; \
             create materialized view m as select b from v; create view n as select id from a"
        );
        let (_, down) = texts(&planned(server, &before, &after).await);
        let down = format!("\n{down}");
        for drop in ["drop view v", "drop view w", "drop materialized view m", "drop view n"] {
            assert_eq!(announced(&down, drop), ["breaks-callers"], "{drop}\n{down}");
        }
        let again = announced(&down, "create materialized view m");
        assert_eq!(again, ["blocks-reads-and-writes"], "{down}");
    });
}

#[test]
fn a_change_of_a_collation_tells_what_is_built_anew_and_nothing_where_nothing_is() {
    with(async |server| {
        let table = |collation: &str, more: &str| {
            format!("create table t (id bigint, a text collate \"{collation}\"); {more}")
        };
        let mut found = Vec::new();
        for more in [
            "",
            "create index on t (id)",
            "alter table t add check (a > 'a')",
            "create index on t (lower(a))",
            "alter table t add unique (a)",
        ] {
            let plan = planned(server, &table("C", more), &table("POSIX", more)).await;
            let abouts = plan.steps.iter().flat_map(|step| {
                assert_eq!(step.hazards, step.down_hazards);
                step.hazards.iter().map(ToString::to_string)
            });
            found.push(abouts.collect::<Vec<_>>());
        }
        let hazard = |about: &str| vec![format!("-- hazard: blocks-reads-and-writes: {about}")];
        let (rows, indexes) = ("all rows are checked anew", "the column's indexes are built anew");
        let expected = [vec![], vec![], hazard(rows), hazard(indexes), hazard(indexes)];
        assert_eq!(found, expected);
    });
}

#[test]
fn columns_of_one_table_change_their_types_together() {
    with(async |server| {
        let before = "create type mood as enum ('a', 'b', 'c'); \
                      create table t (a integer default 1, b integer, c text, m mood, n mood[]); \
                      create view v as select a, b from t";
        let after = "create type mood as enum ('a', 'b'); \
                     create table t (a bigint default 2, b bigint, c uuid, m mood, n mood[]); \
                     create view v as select a, b from t";
        let plan = planned(server, before, after).await;
        let (up, down) = texts(&plan);
        // One for the columns that change their type, one for those whose type is another.
        assert_eq!(up.matches("alter table t").count(), 2, "{up}");
        assert_eq!(down.matches("alter table t").count(), 2, "{down}");
        let whats: Vec<&str> = plan.steps.iter().map(|step| &*step.what).collect();
        assert!(whats.contains(&"change the types of a, b, c of public.t"), "{whats:?}");
        let kinds = ["rewrites-table", "may-fail", "breaks-callers"];
        assert_eq!(announced(&up, "alter table t\n    alter column a drop default"), kinds);
    });
}
