//! Attacks on the session that the next call gets, and on what a role has for good.

use anyhow::Result;
use serde_json::{Value, json};

use super::{sessions, untouched};
use crate::run;
use crate::stage::{Stage, all_short, short, step};

/// Statements that are refused alone and in a transaction.
const ALWAYS: &[(&str, &str)] = &[
    ("set statement_timeout = 0", "!denied"),
    ("set session authorization postgres", "!denied"),
    ("set role postgres", "!denied"),
    ("reset all", "!denied"),
    ("discard all", "!denied"),
    ("discard temp", "!denied"),
    ("deallocate all", "!denied"),
    ("deallocate s0", "!denied"),
    ("prepare s0 as select 1", "!denied"),
    ("execute s0", "!denied"),
    ("declare c cursor with hold for select 1", "!denied"),
    ("listen avenire", "!denied"),
    ("unlisten *", "!denied"),
    ("copy note to program 'id'", "!denied"),
    ("copy note to stdout", "!denied"),
    ("copy note from stdin", "!denied"),
    ("begin", "!denied"),
    ("commit", "!denied"),
    ("prepare transaction 'x'", "!denied"),
    ("do $$ begin raise notice '%', repeat('x', 100000000); end $$", "!denied"),
    ("create function lower(text) returns text language sql as 'select $1'", "!denied"),
    ("create or replace function pg_temp.f() returns int language sql as 'select 1'", "!denied"),
    ("create procedure pg_temp.p() language sql as ''", "!denied"),
    ("select pg_terminate_backend(pg_backend_pid())", "!denied"),
    ("select pg_terminate_backend(pid) from pg_stat_activity", "!denied"),
    ("select pg_cancel_backend(pid) from pg_stat_activity", "!denied"),
    ("select lo_create(0)", "!denied"),
    ("select lo_from_bytea(0, 'x')", "!denied"),
    ("select lastval()", "!denied"),
    ("select currval('note_id_seq')", "!denied"),
    ("select query_to_xml('select lo_create(0)', true, true, '')", "!denied"),
    ("select * from ts_stat('select set_config(''a.b'', ''c'', false)::tsvector')", "!denied"),
    ("select u&\"set\\005fconfig\"('a.b', 'c', false)", "!denied"),
    ("drop owned by current_user", "!denied"),
    ("alter default privileges grant all on tables to public", "!denied"),
    ("grant all on note to public", "!denied"),
    ("alter role current_user set statement_timeout = 0", "!denied"),
    ("load 'auto_explain'", "!denied"),
];

/// Statements that are refused alone only.
const ALONE: &[(&str, &str)] = &[
    ("select set_config('statement_timeout', '0', false)", "!denied"),
    ("select pg_catalog.\"set_config\"('search_path', 'pg_temp', false)", "!denied"),
    ("select setseed(0)", "!denied"),
    ("select pg_advisory_lock(77)", "!denied"),
    ("select pg_try_advisory_lock_shared(7, 7)", "!denied"),
    ("lock table note", "!denied"),
    ("create temp table note (id bigint, text text)", "!denied"),
    ("select 1::bigint as id, 'shadow' as text into temp note", "!denied"),
    ("with a as (select 1) select * into/**/temporary table note from a", "!denied"),
    ("explain analyze create temp table note as select 1 as id", "!denied"),
    ("create table pg_temp.note (id bigint, text text)", "!denied"),
    ("create view \"pg_temp\" . note as select 1 as id", "!denied"),
    ("create type pg_temp.mood as enum ('none')", "!denied"),
    ("select 1; set role postgres", "!42601"),
    ("select 1; begin", "!42601"),
];

/// Everything of the database that a role without grants could have changed for good.
const DATABASE: &str = "select concat_ws(' | ',
    (select count(*) from pg_largeobject_metadata), (select count(*) from pg_proc),
    (select count(*) from pg_type), (select count(*) from pg_default_acl),
    (select count(*) from pg_db_role_setting where setdatabase = (
        select oid from pg_database where datname = current_database())),
    (select relacl::text from pg_class where oid = 'note'::regclass))";

async fn database(stage: &Stage) -> Result<String> {
    let rows = stage.database().rows(DATABASE, &[]).await?;
    Ok(rows[0].get(0))
}

#[test]
fn statements_alone_leave_the_session_and_the_database_as_they_were() -> Result<()> {
    run(async {
        let (stage, before) = untouched(&["steady"]).await?;
        let database_before = database(&stage).await?;
        for (sql, expected) in ALWAYS.iter().chain(ALONE) {
            let statement = json!({"statements": [sql]});
            let outcome = stage.host().outcome("steady.run-sql", json!({"sql": sql})).await??;
            let outcome = outcome.result.expect_err(sql);
            assert_eq!(short(&json!({"tag": "err", "val": outcome})), *expected, "{sql}");
            // In a batch too, and by way of a function that returns no rows.
            let outcomes = all_short(&stage.ok("steady.run-batch", statement).await?);
            assert_eq!(outcomes, [*expected], "{sql}");
            let outcomes = stage.script("steady", json!([step("execute", *sql)])).await?;
            assert_eq!(outcomes, [*expected], "{sql}");
        }
        assert_eq!(sessions(&stage, "steady").await?, before);
        assert_eq!(database(&stage).await?, database_before);
        Ok(())
    })
}

#[test]
fn what_is_refused_in_a_transaction_leaves_it_open_and_nothing_else() -> Result<()> {
    run(async {
        let (stage, before) = untouched(&["steady"]).await?;
        let database_before = database(&stage).await?;
        for (sql, expected) in ALWAYS {
            let steps = json!([
                "begin",
                step("transaction-execute", *sql),
                step("transaction-query", "select 5"),
                "commit",
            ]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes, ["", expected, "5", ""], "{sql}");
        }
        assert_eq!(sessions(&stage, "steady").await?, before);
        assert_eq!(database(&stage).await?, database_before);
        Ok(())
    })
}

/// Statements that a transaction may send and whose effect outlives it.
const LASTING: &[&[&str]] = &[
    &["create temp table note (id bigint, text text)"],
    &["select 1::bigint as id, 'shadow' as text into temp note"],
    &["with a as (select 1) select 'shadow' as text into local temporary note from a"],
    &["create table pg_temp.note (id bigint, text text)"],
    &["create view pg_temp.note as select 'shadow' as text"],
    &["explain analyze create temp table note as select 'shadow' as text"],
    &["set local search_path = pg_temp, public", "create table note (text text)"],
    &["set local search_path = E'pg\\137temp', public", "create table note (text text)"],
    &["set local schema U&'pg!005ftemp' uescape '!'", "create table note (text text)"],
    &["select set_config('statement_timeout', '0', false)"],
    &["select set_config('search_path', 'pg_temp', false)"],
    &["select setseed(0)"],
    &["select pg_advisory_lock(77)"],
];

#[test]
fn what_outlives_a_transaction_ends_with_its_connection() -> Result<()> {
    run(async {
        let (stage, before) = untouched(&["steady"]).await?;
        for making in LASTING {
            for end in ["commit", "rollback", "drop-transaction"] {
                let mut steps = vec![json!("begin")];
                // Its rows may be of a type that has no text.
                steps.extend(making.iter().map(|sql| step("transaction-execute", *sql)));
                steps.push(json!(end));
                let outcomes = stage.script("steady", Value::Array(steps)).await?;
                assert!(
                    outcomes.iter().all(|one| !one.starts_with('!')),
                    "{making:?} {outcomes:?}"
                );
                assert_eq!(sessions(&stage, "steady").await?, before, "{making:?} {end}");
            }
        }
        Ok(())
    })
}

#[test]
fn a_component_keeps_its_grants_whatever_it_sends() -> Result<()> {
    run(async {
        let (stage, _) = untouched(&["steady"]).await?;
        for sql in [
            "drop owned by current_user",
            "/**/DROP owned by session_user cascade",
            "revoke all on note from current_user",
            "reassign owned by current_user to postgres",
        ] {
            let outcomes = stage.script("steady", json!([step("execute", sql)])).await?;
            assert_eq!(outcomes, ["!denied"], "{sql}");
            assert_eq!(stage.cell("steady", "select text from note").await?, "real", "{sql}");
        }
        Ok(())
    })
}
