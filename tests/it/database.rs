//! The database interface as a guest sees it: statements, batches, cursors,
//! transactions, and the limits of each.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::run;
use crate::stage::{Stage, short, short_error};

/// What each element of a list of results is, in short.
fn all_short(outcomes: &Value) -> Vec<String> {
    outcomes.as_array().into_iter().flatten().map(short).collect()
}

/// A step with a value.
fn step(tag: &str, value: impl Into<Value>) -> Value {
    json!({"tag": tag, "val": value.into()})
}

fn query(sql: &str) -> Value {
    step("transaction-query", sql)
}

fn execute(sql: &str) -> Value {
    step("transaction-execute", sql)
}

fn insert(text: &str) -> Value {
    execute(&format!("insert into note (text) values ('{text}')"))
}

#[test]
fn a_result_has_its_rows_and_an_empty_one_its_columns() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let sql = "select 7::int8, 'ß', null::text, true union all select -1, '', 'x', false";
        let rows = stage.ok("steady.run-sql", json!({"sql": sql})).await?;
        assert_eq!(rows, json!([["7", "ß", null, "true"], ["-1", "", "x", "false"]]));

        let sql = "select 1::int4 as id, 'a'::varchar(20) as name, 'calm'::mood as mood where false";
        let columns = stage.ok("steady.describe-sql", json!({"sql": sql})).await?;
        let mood = stage.ok("steady.find-type", json!({"name": "mood", "schema": null})).await?;
        assert_eq!(
            columns,
            json!([
                {"name": "id", "typeOid": 23, "typeModifier": -1},
                {"name": "name", "typeOid": 1043, "typeModifier": 24},
                {"name": "mood", "typeOid": mood["typeOid"], "typeModifier": -1},
            ])
        );
        let columns = stage.ok("steady.describe-sql", json!({"sql": "delete from note where false"}));
        assert_eq!(columns.await?, json!([]));
        Ok(())
    })
}

#[test]
fn an_error_has_everything_postgres_says() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let twice = json!({"sql": "insert into note (text) values ('unique'), ('unique')"});
        let error = stage.failure("steady.execute-sql", twice).await?;
        assert_eq!(error["tag"], "database");
        let error = &error["val"];
        for (field, value) in [
            ("code", "23505"),
            ("severity", "ERROR"),
            ("schema", "public"),
            ("table", "note"),
            ("constraint", "note_text_key"),
            ("detail", "Key (text)=(unique) already exists."),
        ] {
            assert_eq!(error[field], value, "{field}");
        }
        assert!(error["message"].as_str().is_some_and(|text| text.contains("note_text_key")));

        let wrong = json!({"sql": "select ß, nothing from note"});
        let error = stage.failure("steady.run-sql", wrong).await?;
        // Characters, not bytes.
        assert_eq!((&error["val"]["code"], &error["val"]["position"]), (&json!("42703"), &json!(8)));
        let wrong = json!({"sql": "select 'ß', nothing from note"});
        let error = stage.failure("steady.run-sql", wrong).await?;
        assert_eq!(error["val"]["position"], json!(13));

        let empty = json!({"sql": "insert into note (text) values (null)"});
        let error = stage.failure("steady.execute-sql", empty).await?;
        assert_eq!((&error["val"]["code"], &error["val"]["column"]), (&json!("23502"), &json!("text")));
        Ok(())
    })
}

#[test]
fn statements_that_are_none_are_told_apart() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for (sql, how) in [
            ("", "invalid"),
            ("-- nothing", "invalid"),
            ("select '\0'", "invalid"),
            ("/* open", "invalid"),
            ("begin", "denied"),
            ("commit", "denied"),
            ("set work_mem = '1MB'", "denied"),
            ("listen a", "denied"),
            ("prepare a as select 1", "denied"),
            ("copy note from stdin", "denied"),
            ("copy note to stdout", "denied"),
            ("select 1; select 2", "42601"),
            ("selekt 1", "denied"),
            ("select 1 +", "42601"),
            ("select $1", "42P02"),
        ] {
            let error = stage.failure("steady.run-sql", json!({"sql": sql})).await?;
            assert_eq!(short_error(&error), how, "{sql}: {error}");
        }
        Ok(())
    })
}

#[test]
fn malformed_parameters_are_refused_before_they_are_sent() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for flaw in [
            "empty-count",
            "truncated",
            "count-too-large",
            "trailing",
            "unknown-format",
            "negative-length",
            "length-too-large",
        ] {
            let error = stage.failure("steady.bad-parameters", json!({"flaw": flaw})).await?;
            assert_eq!(error["tag"], "invalid", "{flaw}: {error}");
        }
        let rows = stage.ok("steady.bad-parameters", json!({"flaw": "none"})).await?;
        assert_eq!(rows, json!([["text"]]));
        let null = json!({"sql": "select $1::int is null", "parameter": null});
        assert_eq!(stage.ok("steady.run-sql-with", null).await?, json!([["true"]]));
        let wrong = json!({"sql": "select $1::int", "parameter": "seven"});
        let error = stage.failure("steady.run-sql-with", wrong).await?;
        assert_eq!(short_error(&error), "22P02");
        Ok(())
    })
}

#[test]
fn too_many_parameters_are_postgres_error() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let extra = json!({"sql": "select 1", "parameter": "x"});
        let error = stage.failure("steady.run-sql-with", extra).await?;
        assert_eq!(short_error(&error), "08P01", "{error}");
        Ok(())
    })
}

#[test]
fn statements_of_a_batch_commit_one_by_one() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let statements = json!([
            "insert into note (text) values ('batch 1')",
            "insert into note (text) values ('batch 1')",
            "selekt",
            "select generate_series(1, 3)",
            "insert into note (text) values ('batch 2'), ('batch 3')",
        ]);
        // What is denied is known before anything is sent: none was run.
        let error = stage.failure("steady.run-batch", json!({"statements": statements})).await?;
        assert_eq!(short_error(&error), "denied");
        assert_eq!(stage.notes("batch 1").await?, 0);

        let mut statements = statements;
        statements[2] = json!("select 1 / 0");
        let outcomes = stage.ok("steady.run-batch", json!({"statements": statements})).await?;
        assert_eq!(all_short(&outcomes), ["1", "!23505", "!22012", "3", "2"]);
        assert_eq!(stage.notes("batch 1").await?, 1);
        assert_eq!(stage.notes("batch 3").await?, 1);
        assert_eq!(stage.ok("steady.run-batch", json!({"statements": []})).await?, json!([]));
        Ok(())
    })
}

#[test]
fn statements_of_an_atomic_batch_take_effect_all_or_none() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let run = async |middle: &str| {
            let statements =
                json!(["insert into note (text) values ('atomic')", middle, "select generate_series(1, 3)"]);
            let outcome = stage.host().outcome("steady.run-batch-atomic", json!({"statements": statements}));
            Ok::<_, anyhow::Error>(outcome.await??.result)
        };
        for (middle, how) in [
            ("insert into note (text) values ('atomic')", "23505"),
            ("select 1 / 0", "22012"),
            ("commit", "denied"),
            ("", "invalid"),
        ] {
            let failure = run(middle).await?.err().context("it succeeded")?;
            assert_eq!((&failure["index"], short_error(&failure["error"])), (&json!(1), how.into()));
            assert_eq!(stage.notes("atomic").await?, 0, "{middle}");
        }
        let affected = run("update note set text = 'atomic!' where text = 'atomic'").await?;
        assert_eq!(affected, Ok(json!([1, 1, 3])));
        assert_eq!(stage.notes("atomic!").await?, 1);
        Ok(())
    })
}

#[test]
fn a_constraint_that_waits_for_the_commit_fails_an_atomic_batch_as_a_whole() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        stage.database().run("alter table note add constraint late unique (text) deferrable initially deferred;
            alter table note drop constraint note_text_key").await?;
        let same = "insert into note (text) values ('same')";
        let failure = stage.failure("steady.run-batch-atomic", json!({"statements": [same, same]})).await?;
        assert_eq!((&failure["index"], short_error(&failure["error"])), (&json!(2), "23505".into()));
        assert_eq!(stage.notes("same").await?, 0);
        Ok(())
    })
}

#[test]
fn types_are_found_along_the_search_path_and_by_schema() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let find = |name: &str, schema: Option<&str>| json!({"name": name, "schema": schema});
        let oids = stage.ok("steady.find-type", find("int4", None)).await?;
        assert_eq!(oids, json!({"typeOid": 23, "arrayOid": 1007}));
        let mood = stage.ok("steady.find-type", find("mood", Some("public"))).await?;
        assert!(mood["typeOid"].as_u64().is_some_and(|oid| oid > 16_000));
        assert!(mood["arrayOid"].as_u64().is_some_and(|oid| oid > 16_000));
        for (name, schema) in [("mood", Some("pg_catalog")), ("temper", None), ("x'y\"z", None)] {
            let error = stage.failure("steady.find-type", find(name, schema)).await?;
            assert_eq!(short_error(&error), "42704", "{name}");
        }
        Ok(())
    })
}

#[test]
fn a_cursor_reads_more_than_fits_into_memory() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let count = 1_000_000_u64;
        for max_bytes in [0, 64 << 10, u32::MAX] {
            let count = if max_bytes == 0 { 10_000 } else { count };
            let arguments = json!({"count": count, "maxBytes": max_bytes});
            let sum = stage.ok("small.cursor-sum", arguments).await?;
            assert_eq!(sum, json!(count * (count + 1) / 2));
        }
        Ok(())
    })
}

#[test]
fn a_cursor_tells_its_columns_and_stays_at_its_end() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let next = step("next", 1024);
        let steps = json!([
            step("open-cursor", "select 1::int4 as a, 'x'::varchar(3) as b where false"),
            "columns", next, next, "columns",
            step("open-cursor", "select generate_series(1, 3)"),
            next, next, next,
        ]);
        let columns = "a:23:-1,b:1043:7";
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", columns, "", "", columns, "", "1;2;3", "", ""]);
        Ok(())
    })
}

#[test]
fn a_cursor_gives_at_least_one_row_and_no_more_than_fits() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let steps = json!([
            step("open-cursor", "select repeat('x', 100000) from generate_series(1, 2)"),
            step("next", 1), step("next", 1), step("next", 1),
            // 100 rows of 100 bytes and 4 of length in parts of 1 KiB.
            step("open-cursor", "select repeat('y', 100) from generate_series(1, 100)"),
            step("next", 1024),
        ]);
        let outcomes = stage.script("steady", steps).await?;
        let lengths: Vec<usize> = outcomes.iter().map(String::len).collect();
        assert_eq!(lengths[..5], [0, 100_000, 100_000, 0, 0]);
        let rows = outcomes[5].split(';').count();
        assert!((1..=10).contains(&rows), "{rows} rows");
        Ok(())
    })
}

#[test]
fn a_cursor_tells_its_error_when_it_comes_to_it() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for sql in ["selekt", "begin", "insert into note (text) values ('by cursor')"] {
            let outcomes = stage.script("steady", json!([step("open-cursor", sql)])).await?;
            assert!(outcomes[0] == "!denied" || outcomes[0] == "!invalid", "{sql}: {outcomes:?}");
        }
        assert_eq!(stage.notes("by cursor").await?, 0);
        let steps = json!([step("open-cursor", "select 100000 / (50000 - n) from generate_series(1, 100000) n"), step("next", 1024)]);
        let outcomes = stage.script("steady", steps).await?;
        assert!(outcomes[1].starts_with("2;2;2"), "{outcomes:?}");
        let steps = json!([step("open-cursor", "select 1 / (2 - n) from generate_series(1, 3) n"), step("next", 1024)]);
        assert_eq!(stage.script("steady", steps).await?, ["", "!22012"]);
        Ok(())
    })
}

#[test]
fn a_transaction_is_seen_by_others_when_it_is_committed() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let others = step("query", "select count(*) from note where text = 'committed'");
        let steps = json!([
            "begin", insert("committed"), others,
            query("select count(*) from note where text = 'committed'"),
            "commit", others,
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "1", "0", "1", "", "1"]);
        Ok(())
    })
}

#[test]
fn a_transaction_that_ended_is_invalid() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for end in ["commit", "rollback"] {
            let steps = json!([
                "begin", end, query("select 1"), insert("after the end"),
                step("transaction-batch", json!(["select 1"])),
                step("transaction-open-cursor", "select 1"),
                "savepoint", "release-savepoint", "rollback-to-savepoint", "commit", "rollback",
            ]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes[..2], ["", ""]);
            assert_eq!(outcomes[2..], ["!invalid"; 9], "{end}");
        }
        assert_eq!(stage.notes("after the end").await?, 0);
        Ok(())
    })
}

#[test]
fn a_failed_transaction_refuses_until_it_is_rolled_back() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let steps = json!([
            "begin", insert("failed"), query("select 1 / 0"),
            query("select 1"), insert("failed again"), "savepoint",
            step("transaction-batch", json!(["select 1"])),
            step("transaction-open-cursor", "select 1"),
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes[..3], ["", "1", "!22012"]);
        assert_eq!(outcomes[3..], ["!25P02"; 6]);
        assert_eq!(stage.notes("failed").await?, 0);
        let steps = json!(["begin", query("select 1 / 0"), "rollback", "begin", query("select 1"), "commit"]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "!22012", "", "", "1", ""]);
        Ok(())
    })
}

#[test]
fn savepoints_nest() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let seen = query("select string_agg(text, ' ' order by id) from note where text like 'level %'");
        let steps = json!([
            "begin", insert("level 0"),
            "savepoint", insert("level 1"),
            "savepoint", insert("level 2"), query("select 1 / 0"), seen,
            "rollback-to-savepoint", seen,
            "savepoint", insert("level 2b"), "release-savepoint", seen,
            "rollback-to-savepoint", seen,
            "release-savepoint", "rollback-to-savepoint", seen,
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(
            outcomes,
            [
                "", "1", "", "1", "", "1", "!22012", "!25P02", "", "level 0 level 1", "", "1", "",
                "level 0 level 1 level 2b", "", "level 0", "!invalid", "!invalid", "level 0", "",
            ]
        );
        assert_eq!(stage.notes("level 0").await?, 1);
        assert_eq!(stage.notes("level 1").await?, 0);
        Ok(())
    })
}

#[test]
fn savepoints_are_bounded() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let mut steps = vec![json!("begin")];
        steps.extend(std::iter::repeat_n(json!("savepoint"), 65));
        steps.extend([insert("deep"), json!("commit")]);
        let outcomes = stage.script("small", Value::Array(steps)).await?;
        assert!(outcomes[..65].iter().all(String::is_empty), "{outcomes:?}");
        assert_eq!(outcomes[65..], ["!invalid", "1", ""]);
        assert_eq!(stage.notes("deep").await?, 1);
        Ok(())
    })
}

#[test]
fn a_transaction_is_what_its_options_say() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let shown = query(
            "select current_setting('transaction_isolation') || ' ' || \
             current_setting('transaction_read_only') || ' ' || current_setting('transaction_deferrable')",
        );
        let begin = |isolation: Value, access: &str, deferrable: bool| {
            step("begin-with", json!({"isolation": isolation, "access": access, "deferrable": deferrable}))
        };
        let steps = json!([
            begin(Value::Null, "read-write", false), shown, "rollback",
            begin(json!("repeatable-read"), "read-write", false), shown, "rollback",
            begin(json!("serializable"), "read-only", true), shown, insert("read only"), "rollback",
            begin(json!("read-committed"), "read-only", false), shown, insert("read only"), "rollback",
            "begin", shown, "rollback",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(
            outcomes,
            [
                "", "read committed off off", "", "", "repeatable read off off", "",
                "", "serializable on on", "!25006", "", "", "read committed on off", "!25006", "",
                "", "read committed off off", "",
            ]
        );
        Ok(())
    })
}

#[test]
fn sessions_and_transactions_are_not_changed_by_text() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let texts = ["commit", "rollback", "savepoint a", "set work_mem = '1MB'", "set transaction read only"];
        let mut steps = vec![json!("begin"), insert("by text")];
        steps.extend(texts.map(execute));
        // Denied before it was sent, so the transaction has not failed.
        steps.extend([query("select 1"), json!("rollback")]);
        let outcomes = stage.script("steady", Value::Array(steps)).await?;
        assert_eq!(outcomes, ["", "1", "!denied", "!denied", "!denied", "!denied", "!denied", "1", ""]);
        Ok(())
    })
}

#[test]
fn a_batch_in_a_transaction_fails_with_it() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let texts = |list: &[&str]| step("transaction-batch", json!(list));
        let steps = json!([
            "begin",
            texts(&["insert into note (text) values ('inside')", "select generate_series(1, 4)"]),
            "savepoint",
            texts(&["insert into note (text) values ('lost')", "select 1 / 0", "select 1"]),
            query("select 1"),
            "rollback-to-savepoint",
            texts(&[]),
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "1,4", "", "!22012", "!25P02", "", "", ""]);
        assert_eq!((stage.notes("inside").await?, stage.notes("lost").await?), (1, 0));
        Ok(())
    })
}

#[test]
fn a_cursor_goes_on_while_its_transaction_does_other_things() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let open = step("transaction-open-cursor", "select repeat('x', 400) || n from generate_series(1, 5) n");
        let next = step("next", 1024);
        let steps = json!([
            "begin", open, next, insert("between two reads"), next,
            query("select count(*) from note where text = 'between two reads'"),
            next, next, "drop-cursor", "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        let reads: Vec<String> =
            [2, 4, 6, 7].map(|at: usize| outcomes[at].replace('x', "")).into_iter().collect();
        assert_eq!(reads.join(";").trim_end_matches(';'), "1;2;3;4;5");
        assert_eq!([&outcomes[3], &outcomes[5], &outcomes[9]], ["1", "1", ""]);
        assert_eq!(stage.notes("between two reads").await?, 1);
        Ok(())
    })
}

#[test]
fn a_cursor_ends_with_its_transaction() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let sql = "select repeat('x', 2000) as x from generate_series(1, 9)";
        let open = step("transaction-open-cursor", sql);
        let next = step("next", 1024);
        for end in ["commit", "rollback", "drop-transaction"] {
            let steps = json!(["begin", open, next, end, next, "columns", "drop-cursor"]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes[4], "!invalid", "{end}: {outcomes:?}");
            assert_eq!(outcomes[5], "x:25:-1");
        }
        Ok(())
    })
}

#[test]
fn transactions_run_beside_each_other_and_beside_statements() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let write = |number: u32| {
            json!([
                "begin",
                insert(&format!("beside {number}")),
                step("query", "select 1"),
                query("select pg_sleep(0.05)::text"),
                "commit",
            ])
        };
        let one = async |number| stage.script("steady", write(number)).await;
        // More than there are connections, so that some wait for others.
        let (a, b, c, d) = tokio::join!(one(1), one(2), one(3), one(4));
        let (e, f, g, h) = tokio::join!(one(5), one(6), one(7), one(8));
        for outcomes in [a, b, c, d, e, f, g, h] {
            assert_eq!(outcomes?, ["", "1", "1", "", ""]);
        }
        let all = "select count(*) from note where text like 'beside %'";
        assert_eq!(stage.database().count(all).await?, 8);
        Ok(())
    })
}

#[test]
fn the_number_of_statements_is_limited() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        assert_eq!(stage.ok("narrow.many-statements", json!({"count": 10})).await?, 10);
        let error = stage.failure("narrow.many-statements", json!({"count": 11})).await?;
        assert_eq!(short_error(&error), "limit statements 10");
        let statements = json!({"statements": vec!["select 1"; 11]});
        let error = stage.failure("narrow.run-batch", statements).await?;
        assert_eq!(short_error(&error), "limit statements 10");
        Ok(())
    })
}

#[test]
fn rows_and_bytes_are_limited_over_the_whole_call() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let rows = async |counts: Value| {
            Ok::<_, anyhow::Error>(all_short(&stage.ok("narrow.many-rows", json!({"counts": counts})).await?))
        };
        assert_eq!(rows(json!([1000])).await?, ["1000"]);
        let used_up = "!limit rows 1000";
        assert_eq!(rows(json!([600, 401])).await?, ["600", used_up]);
        // A budget that is used up stays so.
        assert_eq!(rows(json!([1001, 1])).await?, [used_up, used_up]);
        assert_eq!(rows(json!([1000, 1, 0])).await?, ["1000", used_up, used_up]);

        let lengths = json!({"lengths": [30_000, 30_000, 30_000, 1]});
        let outcomes = all_short(&stage.ok("narrow.many-bytes", lengths).await?);
        let used_up = "!limit result-bytes 65536";
        assert_eq!(outcomes, ["30000", "30000", used_up, used_up]);
        Ok(())
    })
}

#[test]
fn rows_of_cursors_and_batches_count_too() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let arguments = json!({"count": 1001, "maxBytes": 4096});
        let error = stage.failure("narrow.cursor-sum", arguments).await?;
        assert_eq!(short_error(&error), "limit rows 1000");
        let statements = json!({"statements": vec!["select generate_series(1, 501)"; 2]});
        let error = stage.failure("narrow.run-batch-atomic", statements).await?;
        assert_eq!(short_error(&error["error"]), "limit rows 1000");
        let statements = json!({"statements": vec!["select generate_series(1, 501)"; 2]});
        let outcomes = stage.ok("narrow.run-batch", statements).await?;
        assert_eq!(all_short(&outcomes), ["501", "!limit rows 1000"]);
        Ok(())
    })
}

#[test]
fn the_size_of_a_statement_is_limited() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let rows = stage.ok("narrow.huge-statement", json!({"bytes": 64 << 10})).await?;
        assert_eq!(rows, json!([["1"]]));
        let error = stage.failure("narrow.huge-statement", json!({"bytes": (64 << 10) + 1})).await?;
        assert_eq!(short_error(&error), "limit statement-bytes 65536");
        Ok(())
    })
}

#[test]
fn the_number_of_handles_is_limited_and_dropped_ones_are_free() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        // The transaction is one of three handles; each forgotten cursor keeps one.
        let open = step("transaction-open-cursor", "select 1 where false");
        let next = step("next", 1024);
        let keep = [open.clone(), next, json!("forget-cursor")];
        let mut steps = vec![json!("begin")];
        for _ in 0..2 {
            steps.extend(keep.clone());
        }
        steps.extend([open.clone(), json!("commit")]);
        let outcomes = stage.script("narrow", Value::Array(steps)).await?;
        assert_eq!(outcomes[..7], [""; 7]);
        assert_eq!(outcomes[7..], ["!limit handles 3", ""]);

        let mut steps = vec![json!("begin")];
        for _ in 0..9 {
            steps.extend([open.clone(), json!("drop-cursor")]);
        }
        steps.push(json!("commit"));
        let outcomes = stage.script("narrow", Value::Array(steps)).await?;
        assert!(outcomes.iter().all(String::is_empty), "{outcomes:?}");
        Ok(())
    })
}
