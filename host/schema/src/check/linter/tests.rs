//! What files are blamed for, and what comments change about it.

use super::*;

fn check(sql: &str) -> Vec<Finding> {
    let header = sql.starts_with("-- avenire: no-transaction");
    let transaction = if header { Transaction::None } else { Transaction::One };
    super::check("0007_x.sql", sql, transaction, &mut Checked::default())
}

fn rules(sql: &str) -> Vec<String> {
    check(sql).into_iter().map(|one| one.rule).collect()
}

#[track_caller]
fn finds(sql: &str, rule: &str) {
    assert_eq!(rules(sql), [rule], "{sql}");
}

#[test]
fn what_loses_data_or_breaks_callers_is_told() {
    finds("drop table chat", "ban-drop-table");
    finds("alter table chat drop column title", "ban-drop-column");
    finds("truncate chat", "truncate");
    finds("delete from chat", "delete-without-where");
    finds("update chat set title = ''", "update-without-where");
    finds("alter table chat rename to talk", "renaming-table");
    finds("alter table chat rename column title to name", "renaming-column");
    assert_eq!(rules("drop function f cascade"), ["ban-drop-function", "drop-cascade"]);
    assert!(rules("delete from chat where id = 'x'").is_empty());
    assert!(rules("update chat set title = '' where id = 'x'").is_empty());
    let key =
        "alter table a add constraint b foreign key (c) references d on delete cascade not valid";
    assert!(rules(key).is_empty());
}

#[test]
fn what_locks_rewrites_or_fails_is_told() {
    finds("alter table chat alter column title type integer", "changing-column-type");
    finds(
        "alter table chat add column x uuid default gen_random_uuid()",
        "adding-field-with-default",
    );
    finds("create index on chat (title)", "require-concurrent-index-creation");
    finds("drop index chat_title_idx", "require-concurrent-index-deletion");
    finds("alter table chat alter column title set not null", "adding-not-nullable-field");
    finds("alter table chat add column x text not null", "adding-required-field");
    finds("alter table chat add constraint x unique (title)", "disallowed-unique-constraint");
    finds("alter table chat add constraint x check (title <> '')", "constraint-missing-not-valid");
    let key = "alter table chat add constraint x foreign key (a) references b (c)";
    finds(key, "adding-foreign-key-constraint");
    assert!(rules("alter table chat add column x text").is_empty());
    assert!(rules("alter table chat add column x int not null default 1").is_empty());
}

#[test]
fn a_table_of_the_same_file_is_nobodys_yet() {
    let sql = "create table chat (id bigint primary key, title text);\n\
               create index on public.chat (title);\n\
               alter table \"chat\" alter column title type varchar(5);\n\
               truncate chat;\ndrop table chat;";
    assert!(rules(sql).is_empty(), "{:?}", check(sql));
    let view = "create materialized view busy as select 1 as n;\ncreate index on busy (n);";
    assert!(rules(view).is_empty(), "{:?}", check(view));
    // One that is made after it was dropped was somebody's.
    finds("drop table chat; create table chat (id bigint primary key)", "ban-drop-table");
    finds("create table a (id bigint primary key); drop table a, b", "ban-drop-table");
}

#[test]
fn what_cannot_run_in_a_transaction_needs_the_header() {
    for sql in [
        "create index concurrently a on b (c)",
        "create unique index concurrently a on b (c)",
        "drop index concurrently a",
        "reindex index concurrently a",
        "vacuum chat",
        "create database a",
        "alter system set a = 1",
        "alter table a detach partition b concurrently",
    ] {
        finds(sql, "needs-no-transaction");
        let with_header = format!("-- avenire: no-transaction\n{sql}");
        assert!(rules(&with_header).is_empty(), "{:?}", check(&with_header));
    }
}

#[test]
fn statements_that_may_be_repeated_can_share_a_file_without_a_transaction() {
    let file = |sql: &str| format!("-- avenire: no-transaction\n{sql}");
    let index = "create index concurrently a on b (c);\ncomment on index a is 'x';\n";
    assert!(rules(&file(&format!("{index}drop index concurrently if exists d"))).is_empty());
    assert!(rules(&file("vacuum a; vacuum b")).is_empty());
    let several = "several-statements-without-transaction";
    finds(&file(&format!("{index}create table d (id bigint primary key)")), several);
    finds(&file("create index concurrently on b (c); vacuum a"), several);
}

#[test]
fn a_constraint_is_validated_in_another_transaction_than_the_one_that_adds_it() {
    let add = "alter table a add constraint b check (c > 0) not valid;";
    let validate = "alter table a validate constraint b;";
    assert!(rules(add).is_empty());
    assert!(rules(validate).is_empty());
    finds(&format!("{add}\n{validate}"), "constraint-missing-not-valid");
    let apart = format!("-- avenire: no-transaction\n{add}\n{validate}");
    finds(&apart, "several-statements-without-transaction");
}

#[test]
fn a_checked_column_may_become_not_null_in_a_later_file() {
    let files = |files: &[&str]| -> Vec<String> {
        let mut checked = Checked::default();
        let check = |sql: &&str| super::check("x.sql", sql, Transaction::One, &mut checked);
        files.iter().flat_map(check).map(|one| one.rule).collect()
    };
    let add = "alter table a add constraint b check ((c is not null)) not valid;";
    let validate = "alter table public.a validate constraint b;";
    let set = "alter table a alter column c set not null;\nalter table a drop constraint b;";
    assert!(files(&[add, validate, set]).is_empty());
    let found = ["adding-not-nullable-field"];
    assert_eq!(files(&[add, set]), found);
    assert_eq!(files(&[add, validate, "alter table a drop constraint b", set]), found);
    assert_eq!(files(&[add, validate, "alter table a alter d set not null"]), found);
    let other = "alter table a add constraint b check (c is not null or d) not valid;";
    assert_eq!(files(&[other, validate, set]), found);
}

#[test]
fn a_type_that_grows_leaves_the_rows_as_they_are() {
    let files = |files: &[&str]| -> Vec<String> {
        let mut checked = Checked::default();
        let check = |sql: &&str| super::check("x.sql", sql, Transaction::One, &mut checked);
        files.iter().flat_map(check).map(|one| one.rule).collect()
    };
    let make = "create table a.t (id bigint primary key, b varchar(40) not null);";
    let add = "alter table a.t add column c numeric(10,2);\n\
               alter table a.t rename to u; alter table a.u rename column c to d;";
    let hazard = |sql: &str| format!("-- hazard: breaks-callers: renamed\n{sql}");
    let grow = "alter table a.u alter column b type character varying(80), \
                alter column d type numeric(12,2);";
    assert!(files(&[make, &hazard(add), grow]).is_empty());
    let found = ["changing-column-type"];
    assert_eq!(files(&[grow])[..1], found, "it is not known what they were");
    let back = "alter table a.u alter column b type character varying(60)";
    assert_eq!(files(&[make, &hazard(add), grow, back]), found);
    assert_eq!(files(&[make, "alter table a.t alter b type text"]), found, "readers see another");
    let collated = make.replace(" not null", " collate \"C\" not null");
    let grown = "alter table a.t alter column b type character varying(80)";
    assert!(files(&[make, grown]).is_empty());
    assert_eq!(files(&[&collated, grown]), found, "indexes are built anew");
    assert_eq!(files(&[make, "alter table a.t alter b type varchar(50) using b || ''"]), found);
}

#[test]
fn a_new_value_of_an_enum_is_not_used_at_once() {
    let used = "alter type mood add value 'sad';\ninsert into a values ('sad')";
    finds(used, "enum-value-used-at-once");
    assert_eq!(check(used)[0].to_string().split(": ").next(), Some("0007_x.sql:2:1"));
    assert!(rules("alter type mood add value 'sad'; insert into a values ('ok')").is_empty());
    let new =
        "create type mood as enum ('ok'); alter type mood add value 'sad'; select 'sad'::mood";
    assert!(rules(new).is_empty());
}

#[test]
fn types_are_advised_about() {
    let table = |column: &str| format!("create table a (id bigint primary key, {column})");
    finds(&table("b timestamp"), "prefer-timestamp-tz");
    finds(&table("b char(3)"), "ban-char-field");
    finds(&table("b serial"), "prefer-identity");
    assert_eq!(check(&table("b serial"))[0].severity, crate::check::Severity::Advice);
}

#[test]
fn an_announced_hazard_is_acknowledged_and_no_other() {
    let drop = "alter table chat drop column title";
    assert!(rules(&format!("-- hazard: deletes-data: the column is gone\n{drop}")).is_empty());
    finds(&format!("-- hazard: may-fail: not what it is\n{drop}"), "ban-drop-column");
    finds(&format!("-- hazard: deletes-data: x\nselect 1;\n\n{drop}"), "ban-drop-column");
}

#[test]
fn a_hazard_is_announced_for_all_statements_up_to_a_blank_line() {
    let step = "-- hazard: deletes-data: the rows are gone\nselect 1; -- first\ntruncate chat;\n\
                -- hazard: breaks-callers: it is gone\ndrop table chat, \n\n other;\n";
    assert!(rules(step).is_empty(), "{:?}", check(step));
    finds(&format!("{step}  \ntruncate users;"), "truncate");
}

#[test]
fn a_rule_is_allowed_with_a_reason_only() {
    let allow = |rest: &str| format!("-- check: allow {rest}\ntruncate chat");
    assert!(rules(&allow("truncate because it holds nothing yet")).is_empty());
    finds(&allow("truncate"), "allow-without-reason");
    assert_eq!(rules(&allow("trunkate because x")), ["allow-of-unknown-rule", "truncate"]);
    assert_eq!(rules(&allow("ban-drop-table because x")), ["unused-allow", "truncate"]);
    finds("-- squawk-ignore ban-drop-table\ndrop table chat", "ban-drop-table");
}

#[test]
fn a_name_that_code_hardly_ever_uses_may_change() {
    for sql in [
        "alter table chat rename constraint a to b",
        "alter domain mood rename constraint a to b",
        "alter index a rename to b",
        "alter trigger a on chat rename to b",
        "alter policy a on chat rename to b",
    ] {
        assert!(rules(sql).is_empty(), "{:?}", check(sql));
    }
    finds("alter view a rename to b", "renaming-object");
    finds("alter domain a rename to b", "renaming-object");
}

#[test]
fn places_are_told_in_characters() {
    let found = check("select 'ä';\n  select 'ö'; truncate chat;");
    assert_eq!(found[0].at, At::File { file: "0007_x.sql".into(), line: 2, column: 15 });
}

#[test]
fn what_is_not_understood_is_told_once() {
    finds("creat table a (b int);\ncreat table c", "not-understood");
}

#[test]
fn the_projects_own_migrations_are_clean() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let migrations = crate::Migrations::load(std::path::Path::new(folder)).unwrap();
    assert!(migrations.available().len() >= 3);
    let found = crate::check::files(migrations.available());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_rule_about_tables_is_allowed_for_a_table_and_no_other_is() {
    let table = "-- check: allow missing-primary-key on log because rows are only added\nselect 1;";
    assert!(rules(table).is_empty());
    assert!(rules(&format!("select 1;\n{}", table.replace("select 1;", ""))).is_empty());
    finds("-- check: allow missing-primary-key on log\nselect 1", "allow-without-reason");
    finds("-- check: allow missing-primary-key because so\nselect 1", "unused-allow");
    finds("-- check: allow truncate on log because so\nselect 1", "unused-allow");
    finds("select 1;\n-- check: allow truncate because so\n", "unused-allow");
}
