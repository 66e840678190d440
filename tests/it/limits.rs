//! The budgets of a call: what a guest sees when one is used up.

use anyhow::Result;
use serde_json::{Value, json};

use crate::run;
use crate::stage::{Stage, all_short, short_error, step};

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
            Ok::<_, anyhow::Error>(all_short(
                &stage.ok("narrow.many-rows", json!({"counts": counts})).await?,
            ))
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
        let error =
            stage.failure("narrow.huge-statement", json!({"bytes": (64 << 10) + 1})).await?;
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
