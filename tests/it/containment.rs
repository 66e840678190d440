//! What a component does wrong ends its own call, with the right error, and nothing
//! else: calls beside it go on, nothing it did stays, and its slot serves the next.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avenire_app::engine::{Blame, Call, CallError};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::run;

/// Runs an attack and, on the same thread, well-behaved calls one after another until
/// it ends. Returns the attack's error and how many of the calls it took.
async fn beside(stage: &Stage, function: &str, arguments: Value) -> Result<(CallError, u32)> {
    let ended = AtomicBool::new(false);
    let attack = async {
        let error = stage.error(function, arguments).await;
        ended.store(true, Ordering::Relaxed);
        error
    };
    let others = async {
        let mut calls = 0;
        while !ended.load(Ordering::Relaxed) {
            let answer = stage.cell("steady", "select 6 * 7").await?;
            ensure!(answer == "42", "a well-behaved call answered {answer}");
            calls += 1;
        }
        Ok(calls)
    };
    let (error, calls) = tokio::join!(attack, others);
    Ok((error?, calls?))
}

/// The slot still serves.
async fn serves(stage: &Stage, slot: &str) -> Result<()> {
    let answer = stage.cell(slot, "select 'alive'").await?;
    ensure!(answer == "alive", "{slot} answered {answer}");
    Ok(())
}

#[test]
fn endless_loops_end_at_their_deadline_while_other_calls_go_on() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        let (spin, hammer) = tokio::join!(
            beside(&stage, "brief.loop-forever", json!({})),
            beside(&stage, "brief.hammer-forever", json!({})),
        );
        for (error, others) in [spin?, hammer?] {
            let limit = Duration::from_secs(2);
            assert!(
                matches!(&error, CallError::Deadline { component, limit: of, .. }
                    if component == "brief" && *of == limit),
                "{error:?}"
            );
            assert_eq!(error.blame(), Blame::Guest);
            // The loops and the other calls share one thread here, so these can only
            // have run because the loops were interrupted.
            assert!(others > 1, "only {others} calls ran beside the loop");
        }
        serves(&stage, "brief").await
    })
}

#[test]
fn waiting_for_the_database_ends_at_the_deadline_too() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        let asleep = json!({"seconds": 600});
        let (error, others) = beside(&stage, "brief.sleep-in-sql", asleep).await?;
        assert!(matches!(error, CallError::Deadline { .. }), "{error:?}");
        assert!(others > 1, "only {others} calls ran beside the wait");
        no_statement_goes_on(&stage).await?;
        serves(&stage, "brief").await
    })
}

/// Cancelling reaches Postgres a moment after the call's end; a minute is far more
/// than it takes and far less than what the attacks sleep.
async fn no_statement_goes_on(stage: &Stage) -> Result<()> {
    let busy = format!(
        "select count(*) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid() \
         and (state like 'idle in transaction%' or query like '%pg_sleep%' and state = 'active')",
        stage.database().name()
    );
    for _ in 0..600 {
        if stage.database().count(&busy).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("a statement or a transaction outlived its call")
}

#[test]
fn memory_beyond_the_limit_is_refused() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "small"]).await?;
        let (error, _) = beside(&stage, "small.allocate-forever", json!({})).await?;
        let limit_of = |error: &CallError| match error {
            CallError::Memory { limit, .. } => Some(*limit),
            _ => None,
        };
        assert_eq!(limit_of(&error), Some(4 << 20), "{error:?}");
        assert_eq!(error.blame(), Blame::Guest);
        // A guest that notices the refusal goes on with what it has.
        let had = stage.ok("small.allocate", json!({"bytes": 1_u64 << 30})).await?;
        let had = had.as_u64().context("a number")?;
        assert!((1 << 20..4 << 20).contains(&had), "{had}");
        let had = stage.ok("steady.allocate", json!({"bytes": 16 << 20})).await?;
        assert_eq!(had, json!(16 << 20));
        serves(&stage, "small").await
    })
}

#[test]
fn deep_recursion_ends_the_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let (error, _) = beside(&stage, "steady.recurse-forever", json!({})).await?;
        assert!(matches!(error, CallError::StackOverflow { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Guest);
        // Large variables live in linear memory, whose stack ends before the host's.
        let (error, _) = beside(&stage, "steady.recurse-with-variables", json!({})).await?;
        assert!(
            matches!(&error, CallError::Trapped { reason, .. } if reason.contains("out of bounds")),
            "{error:?}"
        );
        serves(&stage, "steady").await
    })
}

#[test]
fn a_panic_is_told_in_the_guests_words_and_bounded() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let told = json!({"message": "the list has no first element"});
        let (error, _) = beside(&stage, "steady.panic", told).await?;
        let message_of = |error: &CallError| match error {
            CallError::Panicked { message, .. } => message.clone(),
            other => format!("not a panic: {other:?}"),
        };
        assert_eq!(message_of(&error), "the list has no first element");
        assert_eq!(error.blame(), Blame::Guest);
        assert_eq!(error.to_string(), "steady.panic panicked: the list has no first element");

        let forged = json!({"message": "a\nERROR \u{1b}[31mb".to_owned() + &"x".repeat(100_000)});
        let message = message_of(&stage.error("steady.panic", forged).await?);
        assert!(message.starts_with("a ERROR  [31mbxxx"), "{message}");
        assert!(message.len() <= 8 << 10, "{} bytes", message.len());
        serves(&stage, "steady").await
    })
}

#[test]
fn a_trap_without_a_word_says_what_the_machine_said() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        for function in ["steady.trap-unreachable", "steady.panic-silently"] {
            let (error, _) = beside(&stage, function, json!({})).await?;
            assert!(
                matches!(&error, CallError::Trapped { reason, .. } if reason.contains("unreachable")),
                "{error:?}"
            );
            assert_eq!(error.blame(), Blame::Guest);
            assert!(!error.to_string().contains('\n'), "a backtrace: {error}");
        }
        // Who says that it panicked and answers nevertheless has answered.
        assert_eq!(stage.ok("steady.cry-wolf", json!({})).await?, "alive");
        Ok(())
    })
}

#[test]
fn a_gigantic_result_is_refused_before_it_is_copied() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "narrow"]).await?;
        let (error, _) = beside(&stage, "narrow.huge-result", json!({"bytes": 1 << 20})).await?;
        let is_too_large = |error: &CallError, limit| {
            matches!(error, CallError::TransferTooLarge { limit: of, .. } if *of == limit)
        };
        assert!(is_too_large(&error, 256 << 10), "{error:?}");
        assert_eq!(error.blame(), Blame::Guest);
        // A list of empty lists is small in the guest and would be large in the host.
        let (error, _) = beside(&stage, "steady.many-values", json!({"count": 2_000_000})).await?;
        assert!(is_too_large(&error, 16 << 20), "{error:?}");
        let result = stage.ok("narrow.huge-result", json!({"bytes": 3})).await?;
        assert_eq!(result, "eHh4");
        Ok(())
    })
}

#[test]
fn a_statement_too_large_to_pass_ends_the_call_before_it_is_copied() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "narrow"]).await?;
        let (error, _) = beside(&stage, "narrow.huge-statement", json!({"bytes": 1 << 20})).await?;
        assert!(matches!(error, CallError::TransferTooLarge { .. }), "{error:?}");
        serves(&stage, "narrow").await
    })
}

#[test]
fn a_flood_of_log_messages_is_dropped_and_the_call_goes_on() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let flood = json!({"messages": 100_000, "bytes": 20_000});
        stage.ok("steady.log-flood", flood).await?;
        Ok(())
    })
}

/// Steps that write a row in a transaction and hold the lock of the first one.
fn write_and(last: &[Value]) -> Value {
    let first = [
        json!("begin"),
        json!({"tag": "transaction-execute", "val": "update note set text = 'stolen' where id = 1"}),
        json!({"tag": "transaction-execute", "val": "insert into note (text) values ('lost')"}),
    ];
    first.iter().chain(last).cloned().collect()
}

#[test]
fn whatever_ends_a_call_its_transaction_is_rolled_back() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        let sleep = json!({"tag": "transaction-query", "val": "select pg_sleep(600)"});
        let open = json!({"tag": "transaction-open-cursor", "val": "select generate_series(1, 9)"});
        let attacks: [(&str, Vec<Value>); 7] = [
            ("panicked", vec![json!({"tag": "panic", "val": "here"})]),
            ("deadline", vec![json!("loop-forever")]),
            ("deadline", vec![sleep]),
            ("left-open", vec![json!("forget-transaction")]),
            ("left-open", vec![open.clone(), json!("forget-cursor"), json!("forget-transaction")]),
            ("trapped", vec![open, json!("use-stale-cursor")]),
            ("trapped", vec![json!("use-invented-transaction")]),
        ];
        for (kind, last) in attacks {
            let before = stage.writes().await?;
            let (error, _) = beside(&stage, "brief.run", json!({"steps": write_and(&last)})).await?;
            assert_eq!((error.kind(), error.blame()), (kind, Blame::Guest), "{last:?}: {error:?}");
            assert_eq!(stage.writes().await?, before + 1, "{last:?} did not write at all");
            nothing_is_left(&stage, &last).await?;
        }
        no_statement_goes_on(&stage).await
    })
}

/// The row is gone, and its lock is free for others.
async fn nothing_is_left(stage: &Stage, attack: &[Value]) -> Result<()> {
    let touch = json!({"sql": "update note set text = 'first' where id = 1"});
    assert_eq!(stage.ok("steady.execute-sql", touch).await?, 1, "{attack:?}");
    assert_eq!(stage.notes("first").await?, 1, "{attack:?}");
    assert_eq!(stage.notes("lost").await?, 0, "{attack:?}");
    serves(stage, "brief").await
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
        let open = json!({"tag": "open-cursor", "val": "select generate_series(1, 9)"});
        let forget = json!("forget-cursor");
        let steps = json!(["begin", "forget-transaction", "begin", "forget-transaction", open, forget]);
        let error = stage.script_error("steady", steps).await?;
        assert_eq!(counts(error)?, (2, 1));
        let error = stage.script_error("steady", json!([open, forget])).await?;
        assert_eq!(error.blame(), Blame::Guest);
        assert_eq!(counts(error)?, (0, 1));
        no_statement_goes_on(&stage).await?;

        // What has ended by itself is not left open, dropped or not.
        let next = json!({"tag": "next", "val": 1024});
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
        let open = json!({"tag": "open-cursor", "val": "select 1"});
        for steps in [
            json!([open, "use-stale-cursor"]),
            json!(["use-invented-transaction"]),
            json!([open, "use-cursor-as-transaction"]),
        ] {
            let error = stage.script_error("steady", steps.clone()).await?;
            assert_eq!((error.kind(), error.blame()), ("trapped", Blame::Guest), "{steps}: {error}");
        }
        serves(&stage, "steady").await
    })
}

#[test]
fn more_calls_than_allowed_are_refused_at_once() -> Result<()> {
    run(async {
        let stage = Stage::with(&["single"]).await?;
        let slot = stage.slot("single")?;
        let Value::Object(arguments) = json!({"seconds": 600}) else { unreachable!() };
        let call = Call { function: "sleep-in-sql".into(), arguments };
        let running = async {
            let _ = slot.call(call).await;
            Err::<(), _>(anyhow::anyhow!("the long call ended"))
        };
        let refused = async {
            while slot.figures().running == 0 {
                tokio::task::yield_now().await;
            }
            stage.error("single.remember", json!({})).await
        };
        let error = tokio::select! { error = refused => error?, failed = running => return failed };
        assert!(
            matches!(&error, CallError::Busy { component, running: 1, waiting: 0 } if component == "single"),
            "{error:?}"
        );
        assert_eq!(error.blame(), Blame::Host);
        // The long call was given up, so its place is free again.
        assert_eq!(slot.figures().running, 0);
        serves(&stage, "single").await?;
        no_statement_goes_on(&stage).await
    })
}

#[test]
fn a_call_that_is_given_up_leaves_nothing_behind() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        let before = stage.writes().await?;
        let sleep = json!({"tag": "transaction-query", "val": "select pg_sleep(600)"});
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
        no_statement_goes_on(&stage).await
    })
}

#[test]
fn a_storm_of_attacks_leaves_the_slot_usable() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        stage.database().run("insert into note (text) values ('first')").await?;
        let lasts = [json!({"tag": "panic", "val": "x"}), json!("forget-transaction"), json!("loop-forever")];
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
        no_statement_goes_on(&stage).await
    })
}
