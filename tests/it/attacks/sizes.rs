//! Attacks with size: of statements, results, errors, notices, documents, and of what is
//! kept for statements.

use anyhow::Result;
use avenire_app::engine::{Blame, CallError};
use serde_json::{Value, json};

use crate::run;
use crate::stage::{Stage, all_short, short_error, step};

/// How a statement of the steady slot is refused, in short.
async fn refused(stage: &Stage, sql: &str) -> Result<String> {
    let error = stage.failure("steady.run-sql", json!({"sql": sql})).await?;
    Ok(short_error(&error))
}

#[test]
fn ten_megabytes_of_sql_are_refused_before_they_are_sent() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let error = stage.failure("steady.huge-statement", json!({"bytes": 10 << 20})).await?;
        assert_eq!(short_error(&error), "limit statement-bytes 4194304");
        let rows = stage.ok("steady.huge-statement", json!({"bytes": 4 << 20})).await?;
        assert_eq!(rows, json!([["1"]]));
        stage.serves("steady").await
    })
}

#[test]
fn results_without_an_end_are_cut_off_and_the_next_call_gets_its_own() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        for (sql, expected) in [
            ("select generate_series(1, 1000000000)", "limit rows 100000"),
            ("select from generate_series(1, 2000000)", "limit rows 100000"),
            ("select repeat('x', 2147483647)", "54000"),
            ("select repeat('x', 200000000)", "limit result-bytes 16777216"),
            (
                "select repeat('x', 1000000) from generate_series(1, 1000)",
                "limit result-bytes 16777216",
            ),
        ] {
            assert_eq!(refused(&stage, sql).await?, expected, "{sql}");
            stage.serves("steady").await?;
        }
        // Rows that nobody wants are thrown away, but not for ever.
        let endless = "select repeat('x', 1000), generate_series(1, 1000000000)";
        let outcomes = stage.script("steady", json!([step("execute", endless)])).await?;
        assert_eq!(outcomes, ["!limit result-bytes 16777216"]);
        for open in ["open-cursor", "transaction-open-cursor"] {
            let empty = step(open, "select from generate_series(1, 2000000)");
            let steps = json!(["begin", empty, step("next", 1024), "drop-cursor", "rollback"]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes[2], "!limit rows 100000", "{open}");
        }
        stage.no_statement_goes_on().await?;
        stage.serves("steady").await
    })
}

#[test]
fn an_error_with_a_gigantic_text_keeps_its_code_only() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let sql = "select repeat('x', 100000000)::int";
        let error = stage.failure("steady.run-sql", json!({"sql": sql})).await?;
        assert_eq!(short_error(&error), "22P02");
        assert_eq!(error["val"]["message"], "the server's message is larger than the host takes");
        // In a transaction it is a failure as any other.
        let steps = json!(["begin", step("transaction-query", sql), "rollback"]);
        assert_eq!(stage.script("steady", steps).await?, ["", "!22P02", ""]);
        stage.serves("steady").await
    })
}

#[test]
fn notices_do_not_reach_the_component_and_cost_nothing() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let names: Vec<String> = (0..5000).map(|number| format!("absent_{number}")).collect();
        let sql = format!("drop table if exists {}", names.join(", "));
        let outcomes = stage.script("steady", json!([step("execute", sql.as_str())])).await?;
        assert_eq!(outcomes, ["0"]);
        let steps = json!([
            "begin",
            step("transaction-execute", "set local client_min_messages = debug5"),
            step("transaction-execute", sql),
            "rollback",
        ]);
        assert_eq!(stage.script("steady", steps).await?, ["", "0", "0", ""]);
        assert_eq!(stage.cell("steady", "show client_min_messages").await?, "notice");
        Ok(())
    })
}

#[test]
fn what_nests_too_deeply_ends_its_own_call_only() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let (open, close) = ("(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(refused(&stage, &format!("select {open}1{close}")).await?, "42601");
        assert_eq!(refused(&stage, "select repeat('[', 1000000)::jsonb").await?, "54001");
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let error = stage.error("steady.json-of", json!({"text": deep})).await?;
        assert!(matches!(error, CallError::Trapped { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Guest);
        stage.serves("steady").await
    })
}

#[test]
fn a_recursion_without_an_end_ends_at_the_deadline() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        let bomb = "with recursive a as (select 1 as n union all select n + 1 from a)
            select count(*) from a";
        let (error, others) = stage.beside("brief.run-sql", json!({"sql": bomb})).await?;
        assert!(matches!(error, CallError::Deadline { .. }), "{error:?}");
        assert!(others > 1, "only {others} calls ran beside it");
        let running = "select count(*) from pg_stat_activity
            where state = 'active' and query like '%with recursive a%' and pid <> pg_backend_pid()";
        crate::patience::eventually("the server has stopped", async || {
            Ok(stage.database().count(running).await? == 0)
        })
        .await?;
        // Behind the deadline stands a bound on the disk that it may fill meanwhile.
        assert_eq!(stage.cell("brief", "show temp_file_limit").await?, "1GB");
        stage.serves("brief").await
    })
}

#[test]
fn what_is_kept_for_statements_is_bounded() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        for call in 0..20 {
            let statements: Vec<String> =
                (0..100).map(|number| format!("select {}", call * 100 + number)).collect();
            let outcomes = stage.ok("steady.run-batch", json!({"statements": statements})).await?;
            assert_eq!(all_short(&outcomes), vec!["1"; 100]);
        }
        for call in 0..4 {
            let text =
                |number: usize| format!("select {} -- {}", call + number, "x".repeat(60_000));
            let statements: Vec<String> = (0..25).map(text).collect();
            stage.ok("steady.run-batch", json!({"statements": statements})).await?;
            // Too long to be kept at all.
            stage.ok("steady.huge-statement", json!({"bytes": 1 << 20})).await?;
        }
        // The closing of a statement travels behind the next one.
        for _ in 0..4 {
            stage.serves("steady").await?;
        }
        let kept = "select count(*) <= 130 and sum(length(statement)) <= 700000
            and max(length(statement)) <= 70000 from pg_prepared_statements";
        assert_eq!(stage.cell("steady", kept).await?, "true");
        Ok(())
    })
}

#[test]
fn odd_types_of_results_are_passed_on_or_refused() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        // No binary form, so Postgres can not send it.
        assert_eq!(refused(&stage, "select relacl from pg_class").await?, "42883");
        for sql in [
            "select t from pg_type t limit 1",
            "select array_agg(t) from (select t from pg_type t limit 3) as t",
            "select row(1, row(2, 'a'), array[row(3)])",
            "select null::mood, array['calm'::mood], row('wild'::mood)",
            "select most_common_vals from pg_stats limit 1",
            "select pg_sleep(0), '(1,2)'::point, '1.5'::numeric, 'a=>b'::text, '{}'::int[]",
        ] {
            let rows = stage.ok("steady.run-sql", json!({"sql": sql})).await?;
            assert!(matches!(rows, Value::Array(_)), "{sql}: {rows}");
        }
        stage.serves("steady").await
    })
}
