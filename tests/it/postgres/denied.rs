//! Statements that would change a session others use, or a transaction that the host
//! keeps: refused with what to use instead, however they are written.

use anyhow::Result;
use avenire_app::postgres::{Error, Pool, Transaction};

use super::{Ground, begin, execute, none, number, number_in, query, run_in};
use crate::patience::soon;
use crate::run;

/// Refused by themselves and in a transaction; what is shown, what to use instead.
const ALWAYS: &[(&str, &str, &str)] = &[
    ("begin", "BEGIN", "transaction functions"),
    ("Start Transaction", "START", "transaction functions"),
    ("commit", "COMMIT", "transaction functions"),
    ("end", "END", "transaction functions"),
    ("rollback", "ROLLBACK", "transaction functions"),
    ("abort", "ABORT", "transaction functions"),
    ("savepoint a", "SAVEPOINT", "savepoint functions"),
    ("release a", "RELEASE", "savepoint functions"),
    ("prepare p as select 1", "PREPARE", "prepared by the host"),
    ("execute p", "EXECUTE", "prepared by the host"),
    ("deallocate all", "DEALLOCATE", "prepared by the host"),
    ("declare c cursor with hold for select 1", "DECLARE", "open-cursor"),
    ("fetch all from c", "FETCH", "open-cursor"),
    ("close all", "CLOSE", "open-cursor"),
    ("listen news", "LISTEN", "shared"),
    ("unlisten *", "UNLISTEN", "shared"),
    ("set work_mem = '77MB'", "SET", "SET LOCAL"),
    ("set session work_mem = '77MB'", "SET", "SET LOCAL"),
    ("set role none", "SET ROLE", "the role the host gives it"),
    ("set local role none", "SET ROLE", "the role the host gives it"),
    ("set session authorization default", "SET SESSION AUTHORIZATION", "the role"),
    ("set transaction read only", "SET TRANSACTION", "transaction functions"),
    ("set session characteristics as transaction read only", "SET TRANSACTION", "transaction"),
    ("reset all", "RESET", "SET LOCAL"),
    ("discard all", "DISCARD", "kept by the host"),
    ("copy item to stdout", "COPY", "cursor"),
    ("copy item from stdin", "COPY", "batches"),
    ("load 'x'", "LOAD", "configuration"),
    ("frobnicate", "FROBNICATE", "none of the statements the host knows"),
];

/// Refused by themselves only.
const AUTOCOMMIT: &[(&str, &str, &str)] = &[
    ("create temp table t ()", "CREATE TEMPORARY", "inside a transaction"),
    ("create local temporary table t ()", "CREATE TEMPORARY", "inside a transaction"),
    ("create or replace temp view v as select 1", "CREATE TEMPORARY", "inside a transaction"),
    ("set local work_mem = '77MB'", "SET", "SET LOCAL"),
    ("lock table item", "LOCK", "inside a transaction"),
];

/// The same statement in disguise.
fn disguised(sql: &str) -> Vec<String> {
    let (first, rest) = sql.split_once(' ').unwrap_or((sql, ""));
    vec![
        sql.to_owned(),
        sql.to_uppercase(),
        format!(" \t\r\n\x0b\x0c{sql}"),
        format!("/* select */{sql}"),
        format!("/* /* nested */ select */{sql}"),
        format!("-- select\n{sql}"),
        format!("-- select\r{sql}"),
        format!("--\n/**/--x\n  ({sql}"),
        format!("((({sql}"),
        format!("{first}/**/ {rest}"),
        format!("{first} --\n{rest}"),
    ]
}

fn check(sql: &str, result: Result<u64, Error>, statement: &str, remedy: &str) {
    let Err(error @ Error::Denied { .. }) = result else { panic!("{sql:?}: {result:?}") };
    let told = error.to_string();
    assert!(told.contains(&format!("`{statement}`")), "{sql:?}: {told}");
    assert!(told.contains(remedy), "{sql:?}: {told}");
}

/// What a statement that came through would have changed.
async fn is_unharmed(pool: &Pool) -> Result<()> {
    for _ in 0..4 {
        let sql = "select count(*) from pg_settings where source = 'session'
            and name not in ('application_name', 'client_encoding')";
        assert_eq!(number(pool, sql).await?, 0, "a setting of the session");
        let sql =
            "select (select count(*) from pg_prepared_statements where statement = 'select 1')
            + (select count(*) from pg_cursors where name = 'c')
            + (select count(*) from pg_listening_channels())
            + (select count(*) from pg_class where relpersistence = 't')";
        assert_eq!(number(pool, sql).await?, 0, "a remainder in the session");
        // Outside of a transaction each statement has its own.
        let sql = "select pg_current_xact_id()::text::int8";
        assert_ne!(number(pool, sql).await?, number(pool, sql).await?);
    }
    Ok(())
}

async fn is_open(transaction: &Transaction) -> Result<()> {
    let sql = "select count(*) from item where xmin = pg_current_xact_id()::xid";
    assert_eq!(number_in(transaction, sql).await?, 1, "still the same transaction");
    Ok(())
}

#[test]
fn statements_that_change_the_session_are_refused_however_they_are_written() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            for (sql, statement, remedy) in ALWAYS.iter().chain(AUTOCOMMIT) {
                for text in disguised(sql) {
                    check(&text, execute(&pool, &text).await, statement, remedy);
                }
            }
            is_unharmed(&pool).await?;
        }
        Ok(())
    })
}

#[test]
fn a_transaction_is_ended_by_nothing_but_its_functions() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            for (sql, statement, remedy) in ALWAYS {
                for text in disguised(sql) {
                    check(&text, run_in(&transaction, &text).await, statement, remedy);
                }
            }
            is_open(&transaction).await?;
            for sql in [
                "set local work_mem = '77MB'",
                "lock table item",
                "create temp table t ()",
                "set constraints all deferred",
            ] {
                run_in(&transaction, sql).await?;
            }
            transaction.rollback(soon()).await?;
            is_unharmed(&pool).await?;
        }
        Ok(())
    })
}

#[test]
fn a_second_statement_behind_the_first_is_not_run() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            let smuggled = run_in(&transaction, "select 1; commit").await;
            assert_eq!(super::sqlstate(smuggled), "42601");
            transaction.rollback(soon()).await?;
            assert_eq!(number(&pool, "select count(*) from item").await?, 0);
            for sql in
                ["select 1; set work_mem = '77MB'", "select 1;;begin", "(select 1); listen x"]
            {
                assert_eq!(super::sqlstate(query(&pool, sql, &none()).await), "42601", "{sql}");
            }
            is_unharmed(&pool).await?;
        }
        Ok(())
    })
}

#[test]
fn what_only_looks_like_such_a_statement_runs() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            for sql in [
                "select 5 as \"begin\"",
                "/* begin */ select 5 -- commit",
                "-- rollback\nselect 5",
                "((select 5))",
                "( ( select 5 ) union all (select 6) order by 1)",
                "with listen as (select 5 as set) select set from listen",
                "values (5)",
                "select'5'::int",
                "\n\tSELECT\n5",
                "select 5 from (select 'set role x; commit') as t",
            ] {
                assert_eq!(number(&pool, sql).await?, 5, "{sql}");
            }
        }
        Ok(())
    })
}

#[test]
fn what_is_no_statement_is_invalid() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        for sql in ["", "   ", "-- nothing", "/* open", "((", "select '\0'", "select 1\0; begin"] {
            let error = query(&pool, sql, &none()).await.unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{sql:?}: {error:?}");
        }
        let long = "x".repeat(1 << 20);
        let error = query(&pool, &long, &none()).await.unwrap_err();
        assert!(error.to_string().len() < 200, "it is not echoed: {}", error.to_string().len());
        Ok(())
    })
}
