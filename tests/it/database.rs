//! The database interface as a guest sees it: statements, their parameters and
//! errors, batches, types and cursors.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::run;
use crate::stage::{Stage, all_short, short_error, step};

#[test]
fn a_result_has_its_rows_and_an_empty_one_its_columns() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let sql = "select 7::int8, 'ß', null::text, true union all select -1, '', 'x', false";
        let rows = stage.ok("steady.run-sql", json!({"sql": sql})).await?;
        assert_eq!(rows, json!([["7", "ß", null, "true"], ["-1", "", "x", "false"]]));

        let sql =
            "select 1::int4 as id, 'a'::varchar(20) as name, 'calm'::mood as mood where false";
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
        let columns =
            stage.ok("steady.describe-sql", json!({"sql": "delete from note where false"}));
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
        assert_eq!(
            (&error["val"]["code"], &error["val"]["position"]),
            (&json!("42703"), &json!(8))
        );
        let wrong = json!({"sql": "select 'ß', nothing from note"});
        let error = stage.failure("steady.run-sql", wrong).await?;
        assert_eq!(error["val"]["position"], json!(13));

        let empty = json!({"sql": "insert into note (text) values (null)"});
        let error = stage.failure("steady.execute-sql", empty).await?;
        assert_eq!(
            (&error["val"]["code"], &error["val"]["column"]),
            (&json!("23502"), &json!("text"))
        );
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
            ("select $1", "invalid"),
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
fn a_parameter_that_the_statement_does_not_have_is_refused() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let extra = json!({"sql": "select 1", "parameter": "x"});
        let error = stage.failure("steady.run-sql-with", extra).await?;
        assert_eq!(short_error(&error), "42P18", "{error}");
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
            "commit",
            "select 1 / 0",
            "select generate_series(1, 3)",
            "insert into note (text) values ('batch 2'), ('batch 3')",
        ]);
        let outcomes = stage.ok("steady.run-batch", json!({"statements": statements})).await?;
        assert_eq!(all_short(&outcomes), ["1", "!23505", "!denied", "!22012", "3", "2"]);
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
            let statements = json!([
                "insert into note (text) values ('atomic')",
                middle,
                "select generate_series(1, 3)"
            ]);
            let outcome =
                stage.host().outcome("steady.run-batch-atomic", json!({"statements": statements}));
            Ok::<_, anyhow::Error>(outcome.await??.result)
        };
        for (middle, how) in [
            ("insert into note (text) values ('atomic')", "23505"),
            ("select 1 / 0", "22012"),
            ("commit", "denied"),
            ("", "invalid"),
        ] {
            let failure = run(middle).await?.err().context("it succeeded")?;
            assert_eq!(
                (&failure["index"], short_error(&failure["error"])),
                (&json!(1), how.into())
            );
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
        stage
            .database()
            .run(
                "alter table note add constraint late unique (text) deferrable initially deferred;
            alter table note drop constraint note_text_key",
            )
            .await?;
        let same = "insert into note (text) values ('same')";
        let failure =
            stage.failure("steady.run-batch-atomic", json!({"statements": [same, same]})).await?;
        assert_eq!(
            (&failure["index"], short_error(&failure["error"])),
            (&json!(2), "23505".into())
        );
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
            "columns",
            next,
            next,
            "columns",
            step("open-cursor", "select generate_series(1, 3)"),
            next,
            next,
            next,
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
            step("next", 1),
            step("next", 1),
            step("next", 1),
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
        let steps = json!([
            step("open-cursor", "select 100000 / (50000 - n) from generate_series(1, 100000) n"),
            step("next", 1024)
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert!(outcomes[1].starts_with("2;2;2"), "{outcomes:?}");
        let steps = json!([
            step("open-cursor", "select 1 / (2 - n) from generate_series(1, 3) n"),
            step("next", 1024)
        ]);
        assert_eq!(stage.script("steady", steps).await?, ["", "!22012"]);
        Ok(())
    })
}
