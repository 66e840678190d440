//! Attacks on what calls of one slot share, and on what all slots share.

use anyhow::Result;
use avenire_app::engine::CallError;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::patience::eventually;
use crate::run;
use crate::stage::{Stage, step};

/// The connections of a pool: two shared, four exclusive.
const CONNECTIONS: i64 = 6;

#[test]
fn calls_that_fill_their_pool_with_sleep_end_by_themselves() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        let asleep = || stage.beside("brief.sleep-in-sql", json!({"seconds": 600}));
        let sleep = step("transaction-query", "select pg_sleep(600)");
        let in_transaction = || stage.beside("brief.run", json!({"steps": ["begin", sleep]}));
        let asleep = join_all((0..3).map(|_| asleep()));
        let in_transactions = join_all((0..5).map(|_| in_transaction()));
        let (asleep, in_transactions) = tokio::join!(asleep, in_transactions);
        for outcome in asleep.into_iter().chain(in_transactions) {
            let (error, others) = outcome?;
            assert!(matches!(error, CallError::Deadline { .. }), "{error:?}");
            assert!(others > 1, "only {others} calls ran beside it");
        }
        stage.no_statement_goes_on().await?;
        stage.serves("brief").await?;
        let of_slot = "select count(*) from pg_stat_activity where usename like '%brief%'
            and datname = current_database()";
        eventually("only the pool's connections are left", async || {
            Ok(stage.database().count(of_slot).await? <= CONNECTIONS)
        })
        .await
    })
}

#[test]
fn ten_thousand_cursors_are_as_many_as_handles_allow() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let open = step("transaction-open-cursor", "select generate_series(1, 9)");
        let mut steps = vec![json!("begin")];
        for _ in 0..10_000 {
            steps.extend([open.clone(), json!("forget-cursor")]);
        }
        let error = stage.script_error("steady", Value::Array(steps)).await?;
        let CallError::LeftOpen { transactions, cursors, .. } = error else { panic!("{error:?}") };
        assert_eq!(
            (transactions, cursors),
            (0, 15),
            "sixteen handles, of which the guest drops the transaction's"
        );
        stage.no_statement_goes_on().await?;

        // Those that say no are told why: first the handles, then the statements end.
        let mut steps = vec![json!("begin")];
        steps.extend(vec![open; 200]);
        steps.push(json!("drop-cursor"));
        steps.push(json!("commit"));
        let outcomes = stage.script("steady", Value::Array(steps)).await?;
        assert!(outcomes[1..=100].iter().all(String::is_empty), "{outcomes:?}");
        assert!(outcomes[101..=200].iter().all(|one| one == "!limit statements 100"));
        assert_eq!(outcomes[202], "");
        stage.serves("steady").await
    })
}

#[test]
fn locks_that_are_kept_end_with_their_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        for lock in [
            "lock table note in access exclusive mode",
            "select 1 from pg_advisory_xact_lock(77)",
            "select 1 from pg_advisory_lock(77)",
        ] {
            for last in [json!("loop-forever"), json!("forget-transaction"), step("panic", "x")] {
                let steps = json!(["begin", step("transaction-execute", lock), last]);
                stage.beside("brief.run", json!({"steps": steps})).await?;
                let held = "select count(*) from pg_locks where pid <> pg_backend_pid()
                    and (locktype = 'advisory' or relation = 'note'::regclass)";
                eventually(
                    "no lock is held",
                    async || Ok(stage.database().count(held).await? == 0),
                )
                .await?;
            }
        }
        stage.serves("brief").await
    })
}

#[test]
fn notifications_reach_no_component_and_do_not_pile_up() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let payload = "x".repeat(7_000);
        for _ in 0..20 {
            let statements = vec![format!("notify anything, '{payload}'"); 100];
            stage.ok("steady.run-batch", json!({"statements": statements})).await?;
        }
        let usage = "select pg_notification_queue_usage() < 0.01";
        assert_eq!(stage.cell("steady", usage).await?, "true");
        stage.serves("steady").await
    })
}
