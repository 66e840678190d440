//! Which statements are let through, and which are told apart.

use super::*;

#[test]
fn what_was_set_for_a_caller_can_not_be_set_again() {
    for sql in [
        "set local app.user_id = 'other'",
        "/**/ SET constraints all deferred",
        "select set_config('app.user_id', 'other', true)",
        "with a as (select pg_catalog.set_config('a.b', 'c', true)) select 1",
    ] {
        let error = check(sql, Place::Fixed).unwrap_err();
        assert!(matches!(error, Error::Denied { instead: FIXED, .. }), "{sql}: {error:?}");
    }
    assert_eq!(check("select 1", Place::Fixed).unwrap(), Kind::Read);
    assert!(check("commit", Place::Fixed).is_err());
}

#[test]
fn a_form_that_reads_is_told_from_one_that_may_write() {
    for sql in ["select 1", "with a as (select 1) table a", "(values (1))", "select updated_at"] {
        assert!(only_reads(sql), "{sql}");
    }
    for sql in [
        "insert into t values (1)",
        "with a as (DELETE from t returning 1) select * from a",
        "select 1 into t",
        "select 1 for update",
        "explain analyze select 1",
        "select set_config('a.b', 'c', true)",
        "truncate t",
        "",
    ] {
        assert!(!only_reads(sql), "{sql}");
    }
}

fn denied(sql: &str, place: Place) -> String {
    match check(sql, place) {
        Err(Error::Denied { statement, .. }) => statement,
        other => panic!("{sql:?} gave {other:?}"),
    }
}

#[test]
fn reading_and_writing_statements_pass() {
    for (sql, kind) in [
        ("select 1", Kind::Read),
        ("  \n\t SELECT 1", Kind::Read),
        ("((select 1) union (select 2))", Kind::Read),
        ("with a as (select 1) insert into t select * from a", Kind::Read),
        ("/* a /* b */ begin */ values (1)", Kind::Read),
        ("-- begin\nselect 1", Kind::Read),
        ("-- begin\rselect 1", Kind::Read),
        ("table t", Kind::Read),
        ("insert into t values (1)", Kind::Write),
        ("MERGE into t using s on true when matched then delete", Kind::Write),
        ("create index on t (a)", Kind::Utility),
        ("create or replace view v as select 1", Kind::Utility),
        ("select'begin'", Kind::Read),
    ] {
        assert_eq!(check(sql, Place::Autocommit).unwrap(), kind, "{sql}");
    }
}

#[test]
fn session_and_transaction_statements_are_denied_however_they_are_disguised() {
    for sql in [
        "begin",
        "BEGIN",
        "/**/begin",
        "/* /* */ select */ commit",
        "--\n--\nrollback",
        "(((begin",
        "start transaction",
        "end",
        "abort",
        "savepoint a",
        "release a",
        "prepare a as select 1",
        "execute a",
        "deallocate all",
        "declare c cursor for select 1",
        "fetch all from c",
        "move 1 from c",
        "close c",
        "listen a",
        "unlisten *",
        "set a = 1",
        "set local a = 1",
        "reset all",
        "discard all",
        "copy t from stdin",
        "load 'x'",
        "lock table t",
        "; begin",
        ";",
        "\u{feff}select 1",
        "selecté 1",
        "select$ 1",
        "\"select\" 1",
        "frobnicate",
        "create temp table t ()",
        "create local temporary table t ()",
        "create or replace temp view v as select 1",
        "create/**/temp table t ()",
        "do $$ begin perform set_config('role', 'other', false); end $$",
        "alter role component password 'x'",
        "ALTER /**/ user component set search_path = other",
        "alter database d set statement_timeout = 0",
        "create function pg_temp.f() returns int language sql as 'select 1'",
        "create or replace procedure pg_temp.p() language sql as ''",
        "select set_config('search_path', 'other', false)",
        "select pg_catalog.SET_CONFIG('a.b', 'c', false)",
        "select u&\"set\\005fconfig\"('a.b', 'c', false)",
        "select pg_advisory_lock(1)",
        "select query_to_xml('select 1', true, false, '')",
        "select setseed(0.5)",
        "select pg_catalog . \"set_config\" /* */ ('a.b', 'c', false)",
        "select 1set_config('a.b', 'c', false)",
        "select $a$b$a$set_config('a.b', 'c', false)",
        "create table pg_temp.t ()",
        "create view PG_TEMP /**/ . v as select 1",
        "create table pg_temp_3.t ()",
        "select 1 as a into temp t",
        "select 1 as a into/**/local temporary table t",
        "with b as (select 1) select * into temp t from b",
        "explain analyze create temp table t as select 1",
        "explain analyze select 1 as a into temp t",
        "drop owned by current_user",
        "grant select on t to public",
        "revoke select on t from public",
        "reassign owned by a to b",
        "alter default privileges grant select on tables to public",
    ] {
        denied(sql, Place::Autocommit);
    }
}

#[test]
fn what_reaches_beyond_the_session_is_denied_in_a_transaction_too() {
    for sql in [
        "select pg_terminate_backend(1)",
        "select pg_cancel_backend(pid) from pg_stat_activity",
        "select lo_create(0)",
        "select lo_from_bytea(0, '')",
        "select lastval()",
        "select query_to_xml('select 1', true, false, '')",
        "select * from ts_stat('select 1')",
        "select u&\"lo\\005fcreate\"(0)",
        "select currval('s')",
        "drop owned by current_user",
    ] {
        denied(sql, Place::Transaction);
    }
}

#[test]
fn names_that_only_resemble_those_of_functions_pass() {
    for sql in [
        "select count(*) from accounts_status",
        "select * from posts_stats (a)",
        "select asset_config, currval, set_config from t",
        "insert into temp values (1)",
        "select 'into temporary places'",
        "select lo_created (1)",
        "select pg_temperature.x from pg_temperature",
    ] {
        let literal = sql.contains('\'');
        assert_eq!(check(sql, Place::Autocommit).is_ok(), !literal, "{sql}");
    }
}

#[test]
fn a_search_path_that_may_lead_to_temporary_objects_taints() {
    for (value, kind) in [
        ("tenant_1, public", Kind::Utility),
        ("'tenant'", Kind::Utility),
        ("PG_temp", Kind::Tainting),
        (r"E'pg\137temp'", Kind::Tainting),
        (r"U&'pg!005ftemp' uescape '!'", Kind::Tainting),
    ] {
        for setting in ["search_path =", "search_path to", "schema"] {
            let sql = format!("set local {setting} {value}");
            assert_eq!(check(&sql, Place::Transaction).unwrap(), kind, "{sql}");
        }
    }
}

#[test]
fn inside_a_transaction_only_local_settings_pass() {
    let allowed = |sql| check(sql, Place::Transaction).is_ok();
    assert!(allowed("set local work_mem = '1MB'"));
    assert!(allowed("set constraints all deferred"));
    assert!(allowed("lock table t in share mode"));
    let lasting = check("select set_config('a.b', 'c', true)", Place::Transaction);
    assert_eq!(lasting.unwrap(), Kind::Tainting);
    assert!(check("select pg_advisory_xact_lock(1)", Place::Autocommit).is_ok());
    assert_eq!(check("create temp table t ()", Place::Transaction).unwrap(), Kind::Tainting);
    for sql in [
        "set work_mem = '1MB'",
        "set session work_mem = '1MB'",
        "set local/**/role other",
        "set session role other",
        "set role other",
        "set session authorization other",
        "set local session authorization other",
        "set transaction read write",
        "set local transaction read write",
        "set session characteristics as transaction read write",
        "commit",
    ] {
        denied(sql, Place::Transaction);
    }
}

#[test]
fn malformed_statements_are_invalid() {
    for sql in ["", "   ", "-- nothing", "/* /* */", "((", "select '\0'"] {
        assert!(matches!(check(sql, Place::Autocommit), Err(Error::Invalid { .. })), "{sql:?}");
    }
}
