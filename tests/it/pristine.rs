//! Every call begins with pristine memory and a pristine session: what one call left
//! behind is not there for the next.

use anyhow::Result;
use serde_json::json;

use crate::run;
use crate::stage::Stage;

#[test]
fn memory_of_one_call_is_never_seen_by_the_next() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for _ in 0..50 {
            assert_eq!(stage.ok("steady.remember", json!({})).await?, 1);
        }
        let (a, b, c, d) = tokio::join!(
            stage.ok("steady.remember", json!({})),
            stage.ok("steady.remember", json!({})),
            stage.ok("small.remember", json!({})),
            stage.ok("small.remember", json!({})),
        );
        assert_eq!([a?, b?, c?, d?], [1, 1, 1, 1]);
        Ok(())
    })
}

#[test]
fn memory_is_pristine_after_a_call_that_filled_it_or_trapped() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        stage.error("small.allocate-forever", json!({})).await?;
        assert_eq!(stage.ok("small.remember", json!({})).await?, 1);
        stage.error("small.trap-unreachable", json!({})).await?;
        assert_eq!(stage.ok("small.remember", json!({})).await?, 1);
        stage.error("small.recurse-with-variables", json!({})).await?;
        assert_eq!(stage.ok("small.remember", json!({})).await?, 1);
        Ok(())
    })
}

#[test]
fn a_budget_is_a_calls_own() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for _ in 0..3 {
            assert_eq!(stage.ok("narrow.many-statements", json!({"count": 10})).await?, 10);
        }
        Ok(())
    })
}

/// Each slot here has few connections, so that calls one after another meet the
/// session that the one before used.
const ROUNDS: usize = 10;

#[test]
fn temporary_tables_end_with_their_call() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for _ in 0..ROUNDS {
            let steps = json!([
                "begin",
                {"tag": "transaction-execute", "val": "create temp table leftover (a int)"},
                {"tag": "transaction-execute", "val": "insert into leftover values (1)"},
                "commit",
                {"tag": "query", "val": "select to_regclass('leftover') is null"},
            ]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes, ["", "0", "1", "", "true"]);
        }
        Ok(())
    })
}

#[test]
fn local_settings_end_with_their_transaction() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for _ in 0..ROUNDS {
            let steps = json!([
                "begin",
                {"tag": "transaction-query", "val": "select current_setting('work_mem') = '77MB'"},
                {"tag": "transaction-execute", "val": "set local work_mem = '77MB'"},
                {"tag": "transaction-query", "val": "select current_setting('work_mem') = '77MB'"},
                "commit",
            ]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes, ["", "false", "0", "true", ""]);
        }
        Ok(())
    })
}

#[test]
fn locks_end_with_their_transaction() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for _ in 0..ROUNDS {
            let steps = json!([
                "begin",
                {"tag": "transaction-query", "val": "select pg_advisory_xact_lock(4711)::text"},
                {"tag": "transaction-execute", "val": "lock table note in share mode"},
                "drop-transaction",
                {"tag": "query", "val": "select pg_try_advisory_xact_lock(4711)"},
            ]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes[..3], ["", "", "0"]);
        }
        let held = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711";
        assert_eq!(stage.database().count(held).await?, 0);
        Ok(())
    })
}

/// What a later call finds of the setting that an earlier one made.
const PROBE: &str = "select coalesce(current_setting('my.leak', true), '')";

/// Makes a setting by that statement in one call, and looks for it in later ones, in
/// both lanes.
async fn found_later(stage: &Stage, making: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for _ in 0..ROUNDS {
        let steps = json!(["begin", {"tag": "transaction-query", "val": making}, "commit"]);
        stage.script("steady", steps).await?;
        let probe = json!(["begin", {"tag": "transaction-query", "val": PROBE}, "commit"]);
        found.extend(stage.script("steady", probe).await?);
        found.push(stage.cell("steady", PROBE).await?.as_str().unwrap_or_default().to_owned());
    }
    Ok(found)
}

#[test]
fn settings_of_the_session_end_with_their_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let making = "select set_config('my.leak', 'seen', false)";
        let found = found_later(&stage, making).await?;
        assert!(found.iter().all(String::is_empty), "{found:?}");
        // That the probe would see a leak is shown by one that the host can not know of:
        // a function of the application that does the same.
        let function = "create function leak() returns text language sql as \
                        $$ select set_config('my.leak', 'seen', false) $$";
        stage.database().run(function).await?;
        let found = found_later(&stage, "select leak()").await?;
        assert!(found.iter().any(|cell| cell == "seen"), "the probe sees nothing: {found:?}");
        Ok(())
    })
}
