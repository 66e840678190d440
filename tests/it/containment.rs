//! What a component does wrong ends its own call, with the right error, and nothing
//! else: calls beside it go on, and its slot serves the next.

use std::time::Duration;

use anyhow::{Context as _, Result};
use avenire_app::engine::{Blame, Call, CallError, Doing};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::{harness, run};

#[test]
fn endless_loops_end_at_their_deadline_while_other_calls_go_on() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        let (spin, hammer) = tokio::join!(
            stage.beside("brief.loop-forever", json!({})),
            stage.beside("brief.hammer-forever", json!({})),
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
        stage.serves("brief").await
    })
}

#[test]
fn waiting_for_the_database_ends_at_the_deadline_too() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "brief"]).await?;
        let asleep = json!({"seconds": 600});
        let (error, others) = stage.beside("brief.sleep-in-sql", asleep).await?;
        assert!(matches!(error, CallError::Deadline { .. }), "{error:?}");
        assert!(others > 1, "only {others} calls ran beside the wait");
        stage.no_statement_goes_on().await?;
        stage.serves("brief").await
    })
}

#[test]
fn memory_beyond_the_limit_is_refused() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "small"]).await?;
        let (error, _) = stage.beside("small.allocate-forever", json!({})).await?;
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
        stage.serves("small").await
    })
}

#[test]
fn deep_recursion_ends_the_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let (error, _) = stage.beside("steady.recurse-forever", json!({})).await?;
        assert!(matches!(error, CallError::StackOverflow { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Guest);
        // Large variables live in linear memory, whose stack ends before the host's.
        let (error, _) = stage.beside("steady.recurse-with-variables", json!({})).await?;
        assert!(
            matches!(&error, CallError::Trapped { reason, .. } if reason.contains("out of bounds")),
            "{error:?}"
        );
        stage.serves("steady").await
    })
}

#[test]
fn a_panic_is_told_in_the_guests_words_and_bounded() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let told = json!({"message": "the list has no first element"});
        let (error, _) = stage.beside("steady.panic", told).await?;
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
        stage.serves("steady").await
    })
}

#[test]
fn a_trap_without_a_word_says_what_the_machine_said() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        for function in ["steady.trap-unreachable", "steady.panic-silently"] {
            let (error, _) = stage.beside(function, json!({})).await?;
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
        let (error, _) = stage.beside("narrow.huge-result", json!({"bytes": 1 << 20})).await?;
        let is_too_large = |error: &CallError, limit| matches!(error, CallError::TransferTooLarge { limit: of, .. } if *of == limit);
        assert!(is_too_large(&error, 256 << 10), "{error:?}");
        assert_eq!(error.blame(), Blame::Guest);
        // A list of empty lists is small in the guest and would be large in the host.
        let (error, _) = stage.beside("steady.many-values", json!({"count": 1_000_000})).await?;
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
        let (error, _) = stage.beside("narrow.huge-statement", json!({"bytes": 1 << 20})).await?;
        assert!(matches!(error, CallError::TransferTooLarge { .. }), "{error:?}");
        stage.serves("narrow").await
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

#[test]
fn more_calls_than_allowed_are_refused_at_once() -> Result<()> {
    run(async {
        let stage = Stage::with(&["single"]).await?;
        let slot = stage.slot("single")?;
        let Value::Object(arguments) = json!({"seconds": 600}) else { unreachable!() };
        let call = Call::new("sleep-in-sql", arguments);
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
        stage.serves("single").await?;
        stage.no_statement_goes_on().await
    })
}

#[test]
fn a_call_that_gets_no_connection_is_not_the_components_fault() -> Result<()> {
    run(async {
        let harness = harness().await?;
        harness.test_components().await?;
        let database = harness.empty_database().await?;
        let manifest = "[components.narrow]\npath = \"target/components/hostile.wasm\"\n\
                        limits = { time = \"2s\" }";
        let project = harness.project_with(manifest, database)?;
        let host = project.host().await?;
        let steps = json!({"steps": [
            {"tag": "begin"},
            {"tag": "transaction-query", "val": "select pg_sleep(60)"},
        ]});
        let calls = (0..32).map(|_| host.outcome("narrow.run", steps.clone()));
        let mut blamed = Vec::new();
        for outcome in futures_util::future::join_all(calls).await {
            match outcome? {
                Err(CallError::Deadline { doing, .. }) => blamed.push(doing),
                other => panic!("{other:?}"),
            }
        }
        let of = |doing| blamed.iter().filter(|one| **one == doing).count();
        assert!(of(Doing::Statement) > 0 && of(Doing::Connection) > 0, "{blamed:?}");
        assert_eq!(of(Doing::Computing), 0, "{blamed:?}");
        // Too few faults for a probation to end: most calls were told to be somebody else's.
        let tally = host.slot("narrow")?.tally();
        assert_eq!(tally.faults, of(Doing::Statement) as u64);
        Ok(())
    })
}
