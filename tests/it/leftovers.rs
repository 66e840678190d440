//! What a call leaves open, however it ends, is rolled back and closed, and nothing of
//! it holds up others.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use avenire_app::engine::{Blame, CallError};
use serde_json::{Value, json};

use crate::run;
use crate::stage::{Stage, step};

/// Steps that write a row in a transaction and hold the lock of the first one.
fn write_and(last: &[Value]) -> Value {
    let first = [
        json!("begin"),
        step("transaction-execute", "update note set text = 'stolen' where id = 1"),
        step("transaction-execute", "insert into note (text) values ('lost')"),
    ];
    first.iter().chain(last).cloned().collect()
}

#[test]
fn whatever_ends_a_call_its_transaction_is_rolled_back() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        let sleep = step("transaction-query", "select pg_sleep(600)");
        let open = step("transaction-open-cursor", "select generate_series(1, 9)");
        let attacks: [(&str, Vec<Value>); 7] = [
            ("panicked", vec![step("panic", "here")]),
            ("deadline", vec![json!("loop-forever")]),
            ("deadline", vec![sleep]),
            ("left-open", vec![json!("forget-transaction")]),
            ("left-open", vec![open.clone(), json!("forget-cursor"), json!("forget-transaction")]),
            ("trapped", vec![open, json!("use-stale-cursor")]),
            ("trapped", vec![json!("use-invented-transaction")]),
        ];
        for (kind, last) in attacks {
            let before = stage.writes().await?;
            let (error, _) = stage.beside("brief.run", json!({"steps": write_and(&last)})).await?;
            assert_eq!((error.kind(), error.blame()), (kind, Blame::Guest), "{last:?}: {error:?}");
            assert_eq!(stage.writes().await?, before + 1, "{last:?} did not write at all");
            nothing_is_left(&stage, &last).await?;
        }
        stage.no_statement_goes_on().await
    })
}

/// The row is gone, and its lock is free for others.
async fn nothing_is_left(stage: &Stage, attack: &[Value]) -> Result<()> {
    let touch = json!({"sql": "update note set text = 'first' where id = 1"});
    assert_eq!(stage.ok("steady.execute-sql", touch).await?, 1, "{attack:?}");
    assert_eq!(stage.notes("first").await?, 1, "{attack:?}");
    assert_eq!(stage.notes("lost").await?, 0, "{attack:?}");
    stage.serves("brief").await
}

#[test]
fn a_transaction_that_is_dropped_is_rolled_back_without_an_error() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        for last in [vec![], vec![json!("drop-transaction")], vec![json!("rollback")]] {
            let before = stage.writes().await?;
            let outcomes = stage.script("brief", write_and(&last)).await?;
            assert_eq!(outcomes[..3], ["", "1", "1"], "{last:?}");
            assert_eq!(stage.writes().await?, before + 1);
            nothing_is_left(&stage, &last).await?;
        }
        Ok(())
    })
}

#[test]
fn handles_left_open_are_counted() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let counts = |error: CallError| match error {
            CallError::LeftOpen { transactions, cursors, .. } => Ok((transactions, cursors)),
            other => Err(anyhow::anyhow!("not left open: {other:?}")),
        };
        let open = step("open-cursor", "select generate_series(1, 9)");
        let forget = json!("forget-cursor");
        let steps =
            json!(["begin", "forget-transaction", "begin", "forget-transaction", open, forget]);
        let error = stage.script_error("steady", steps).await?;
        assert_eq!(counts(error)?, (2, 1));
        let error = stage.script_error("steady", json!([open, forget])).await?;
        assert_eq!(error.blame(), Blame::Guest);
        assert_eq!(counts(error)?, (0, 1));
        stage.no_statement_goes_on().await?;

        // What has ended by itself is not left open, dropped or not.
        let next = step("next", 1024);
        let steps = json!(["begin", "commit", "forget-transaction", open, next, next, forget]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes[4], "1;2;3;4;5;6;7;8;9");
        Ok(())
    })
}

#[test]
fn misused_handles_end_the_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let open = step("open-cursor", "select 1");
        for steps in [
            json!([open, "use-stale-cursor"]),
            json!(["use-invented-transaction"]),
            json!([open, "use-cursor-as-transaction"]),
        ] {
            let error = stage.script_error("steady", steps.clone()).await?;
            assert_eq!(
                (error.kind(), error.blame()),
                ("trapped", Blame::Guest),
                "{steps}: {error}"
            );
        }
        stage.serves("steady").await
    })
}

#[test]
fn a_call_that_is_given_up_leaves_nothing_behind() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        let before = stage.writes().await?;
        let sleep = step("transaction-query", "select pg_sleep(600)");
        let written = async {
            while stage.writes().await? == before {
                tokio::task::yield_now().await;
            }
            Ok::<_, anyhow::Error>(())
        };
        tokio::select! {
            written = written => written?,
            error = stage.script_error("steady", write_and(&[sleep])) => anyhow::bail!("{error:?}"),
        }
        nothing_is_left(&stage, &[]).await?;
        stage.no_statement_goes_on().await
    })
}

#[test]
fn a_storm_of_attacks_leaves_the_slot_usable() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        let lasts = [step("panic", "x"), json!("forget-transaction"), json!("loop-forever")];
        let contained = AtomicU32::new(0);
        let attack = async |last: &Value| {
            // The row's lock lets one in at a time; the others wait for it and end at
            // their deadline.
            stage.script_error("brief", write_and(std::slice::from_ref(last))).await?;
            contained.fetch_add(1, Ordering::Relaxed);
            Ok::<_, anyhow::Error>(())
        };
        let [a, b, c] = &lasts;
        let (one, two, three, four, five, six) =
            tokio::join!(attack(a), attack(b), attack(c), attack(a), attack(b), attack(c));
        for result in [one, two, three, four, five, six] {
            result?;
        }
        assert_eq!(contained.into_inner(), 6);
        nothing_is_left(&stage, &lasts).await?;
        let figures = stage.slot("brief")?.figures();
        assert_eq!((figures.errors, figures.running, figures.waiting), (6, 0, 0));
        stage.no_statement_goes_on().await
    })
}
