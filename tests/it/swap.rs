//! Generations: replaced under load, taken back, tried with some of the calls; and what is refused
//! leaves the slot as it was.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use avenire_app::AppError;
use avenire_app::engine::{Call, CanaryTerms, Outcome, Slot, SwapError};
use avenire_tests::life::{CONTRACT, component, version};
use avenire_tests::{TestHost, TestProject, repository};
use serde_json::{Map, Value, json};

use crate::{harness, run};

/// A host that serves version 1 in the slot `life`.
async fn host_with(more: &str) -> Result<TestHost> {
    let harness = harness().await?;
    let manifest =
        format!("[components.life]\npath = \"life.wasm\"\ncontract = \"{CONTRACT}\"\n{more}");
    let project = harness.project_with(&manifest, harness.empty_database().await?)?;
    std::fs::write(project.folder().join("life.wasm"), version(1))?;
    project.host().await
}

async fn host() -> Result<TestHost> {
    host_with("").await
}

fn answer_of(outcome: &Outcome) -> &str {
    outcome.result.as_ref().unwrap().as_str().unwrap()
}

async fn call(slot: &Slot, function: &str, key: Option<&str>) -> Outcome {
    let key = key.map(str::to_owned);
    slot.call(Call { key, ..Call::new(function, Map::new()) }).await.unwrap()
}

/// A host that serves the hostile component, and the bytes of another one that does the same.
async fn hostile() -> Result<(TestProject, TestHost, Vec<u8>)> {
    let harness = harness().await?;
    harness.test_components().await?;
    let manifest = "[components.hostile]\npath = \"target/components/hostile.wasm\"\n\
                    limits = { time = \"120s\" }";
    let project = harness.project_with(manifest, harness.empty_database().await?)?;
    let host = project.host().await?;
    let mut next = std::fs::read(repository().join("target/components/hostile.wasm"))?;
    // A custom section: another component by its digest.
    next.extend([0, 5, 4, b'm', b'o', b'r', b'e']);
    Ok((project, host, next))
}

#[test]
fn a_call_keeps_the_generation_it_began_with_and_the_next_one_gets_the_new() -> Result<()> {
    run(async {
        let (project, host, next) = hostile().await?;
        let slot = host.slot("hostile")?;
        let holder = project.database().session().await?;
        holder.batch("select pg_advisory_lock(7)").await?;
        let wait = json!({"sql": "select pg_advisory_xact_lock(7)"});
        let old = host.outcome("hostile.run-sql", wait);
        let swap = async {
            let waiting =
                "select count(*) from pg_locks where locktype = 'advisory' and not granted";
            while project.database().count(waiting).await? == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let published = host.swap("hostile", next, 2).await?;
            assert_eq!((published.former, published.generation), (1, 2));
            // While the old one waits for its lock.
            assert_eq!(slot.figures().running, 1);
            let new = host.outcome("hostile.remember", json!({})).await??;
            assert_eq!(new.generation, 2);
            holder.batch("select pg_advisory_unlock(7)").await?;
            let drained = published.drained(Duration::from_mins(1)).await;
            assert_eq!((drained.calls, drained.left), (1, 0));
            anyhow::Ok(())
        };
        let old = async {
            let outcome = old.await??;
            anyhow::ensure!(outcome.result.is_ok(), "{outcome:?}");
            assert_eq!(outcome.generation, 1);
            Ok(())
        };
        tokio::try_join!(old, swap)?;
        Ok(())
    })
}

#[test]
fn swaps_under_load_fail_no_call_and_mix_no_generations() -> Result<()> {
    run(async {
        let host = host().await?;
        let slot = host.slot("life")?;
        let over = AtomicBool::new(false);
        let caller = || async {
            let mut seen = BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                let outcome = call(slot, "answer", None).await;
                // The answer is of the component that the generation was published with.
                assert_eq!(answer_of(&outcome), (outcome.generation % 10).to_string());
                seen.insert(outcome.generation);
            }
            seen
        };
        let swaps = async {
            for number in 2..=30 {
                let bytes = version(u32::try_from(number % 10)?);
                host.swap("life", bytes, number).await?;
            }
            over.store(true, Ordering::Relaxed);
            anyhow::Ok(())
        };
        let callers = futures_util::future::join_all((0..64).map(|_| caller()));
        let (seen, swapped) = tokio::join!(callers, swaps);
        swapped?;
        let seen: BTreeSet<u64> = seen.into_iter().flatten().collect();
        assert!(seen.len() > 10, "calls were served by the generations {seen:?} only");
        assert_eq!(slot.figures().errors, 0);
        assert_eq!(slot.generation(), 30);
        Ok(())
    })
}

#[test]
fn a_rollback_serves_what_served_before_and_can_not_go_further_than_that() -> Result<()> {
    run(async {
        let host = host().await?;
        let slot = host.slot("life")?;
        host.swap("life", version(2), 2).await?;
        assert_eq!(answer_of(&call(slot, "answer", None).await), "2");
        let back = host.roll_back("life")?;
        assert_eq!((back.former, back.generation), (2, 1));
        let outcome = call(slot, "answer", None).await;
        assert_eq!((answer_of(&outcome), outcome.generation), ("1", 1));
        let refused = host.roll_back("life").err();
        assert!(
            matches!(refused, Some(AppError::Swap(SwapError::NothingBefore { serving: 1, .. }))),
            "{refused:?}"
        );
        assert_eq!(answer_of(&call(slot, "answer", None).await), "1");
        Ok(())
    })
}

/// Calls a function that traps, so many times.
async fn fail(slot: &Slot, times: usize) {
    for _ in 0..times {
        slot.call(Call::new("fail", Map::new())).await.unwrap_err();
    }
}

#[test]
fn a_generation_that_fails_its_probation_is_taken_back() -> Result<()> {
    run(async {
        let host = host_with("probation = { calls = 10, faults = 0.5 }").await?;
        let slot = host.slot("life")?;
        let mut fallen = slot.fallen();
        host.swap("life", component(CONTRACT, &["answer", "again", "fail"], 2), 2).await?;
        for _ in 0..4 {
            call(slot, "answer", None).await;
        }
        fail(slot, 5).await;
        assert_eq!(slot.generation(), 2, "nine calls conclude nothing");
        fail(slot, 1).await;
        assert_eq!(slot.generation(), 1);
        let fell = fallen.try_recv()?;
        assert_eq!((fell.generation, fell.to), (2, 1));
        assert_eq!((fell.fault.tally.calls, fell.fault.tally.faults), (10, 6));
        assert_eq!(answer_of(&call(slot, "answer", None).await), "1");
        Ok(())
    })
}

#[test]
fn wrong_calls_are_no_fault_of_a_generation() -> Result<()> {
    run(async {
        let host = host_with("probation = { calls = 1, faults = 0.0 }").await?;
        let slot = host.slot("life")?;
        host.swap("life", version(2), 2).await?;
        for _ in 0..20 {
            slot.call(Call::new("ansver", Map::new())).await.unwrap_err();
            let arguments = Map::from_iter([("more".to_owned(), Value::Null)]);
            slot.call(Call::new("answer", arguments)).await.unwrap_err();
        }
        assert_eq!(slot.generation(), 2);
        Ok(())
    })
}

#[test]
fn without_probation_nothing_is_taken_back() -> Result<()> {
    run(async {
        let host = host_with("probation = { enabled = false, calls = 1, faults = 0.0 }").await?;
        let slot = host.slot("life")?;
        host.swap("life", component(CONTRACT, &["answer", "again", "fail"], 2), 2).await?;
        fail(slot, 30).await;
        assert_eq!(slot.generation(), 2);
        Ok(())
    })
}

fn terms(share: u16, keys: &[&str]) -> CanaryTerms {
    let keys = keys.iter().map(|&key| key.to_owned()).collect();
    CanaryTerms { share_per_mille: share, keys }
}

#[test]
fn a_canary_gets_its_share_and_its_keys_until_it_is_promoted() -> Result<()> {
    run(async {
        let host = host().await?;
        let slot = host.slot("life")?;
        host.try_out("life", version(2), 2, terms(200, &["tenant-7"])).await?;
        assert_eq!((slot.generation(), slot.canary()), (1, Some(2)));
        let mut taken = 0;
        for _ in 0..1000 {
            taken += usize::from(call(slot, "answer", None).await.generation == 2);
        }
        assert_eq!(taken, 200);
        for _ in 0..20 {
            assert_eq!(answer_of(&call(slot, "answer", Some("tenant-7")).await), "2");
        }
        let published = slot.promote()?;
        assert_eq!((published.former, published.generation), (1, 2));
        assert_eq!((slot.generation(), slot.canary()), (2, None));
        assert_eq!(answer_of(&call(slot, "answer", Some("tenant-8")).await), "2");
        assert!(matches!(slot.promote(), Err(SwapError::NoCanary { .. })));
        Ok(())
    })
}

#[test]
fn a_canary_that_fails_or_is_abandoned_takes_no_more_calls() -> Result<()> {
    run(async {
        let host = host_with("probation = { calls = 5, faults = 0.2 }").await?;
        let slot = host.slot("life")?;
        let faulty = component(CONTRACT, &["answer", "again", "fail"], 2);
        host.try_out("life", faulty, 2, terms(0, &["brave"])).await?;
        for _ in 0..5 {
            let key = Some("brave".to_owned());
            slot.call(Call { key, ..Call::new("fail", Map::new()) }).await.unwrap_err();
        }
        assert_eq!((slot.generation(), slot.canary()), (1, None));
        host.try_out("life", version(3), 3, terms(1000, &[])).await?;
        assert_eq!(answer_of(&call(slot, "answer", None).await), "3");
        assert_eq!(slot.abandon()?, 3);
        assert_eq!(answer_of(&call(slot, "answer", None).await), "1");
        Ok(())
    })
}

#[test]
fn what_is_refused_leaves_the_slot_as_it_was_and_all_that_is_wrong_is_told() -> Result<()> {
    run(async {
        let host = host().await?;
        let slot = host.slot("life")?;
        let whole = version(2);
        let cut = whole[..whole.len() / 2].to_vec();
        let newer = component("test:life/queries@0.2.0", &["answer", "again"], 2);
        let other = component("test:death/queries@0.1.0", &["answer", "again"], 2);
        let less = component(CONTRACT, &["answer"], 2);
        let foreign = wat::parse_str(
            r#"(component
               (import "wasi:clocks/wall-clock@0.2.0" (instance (export "now" (func))))
               (import "evil:net/socket" (instance (export "open" (func)))))"#,
        )?;
        for (name, bytes, parts) in [
            ("truncated", cut, vec!["not a valid component"]),
            ("newer track", newer, vec![CONTRACT, "test:life/queries@0.2.0"]),
            ("other contract", other, vec![CONTRACT, "test:death/queries@0.1.0"]),
            ("less", less, vec!["breaks the contract", "the function again is missing"]),
            ("foreign", foreign, vec!["wasi:clocks/wall-clock@0.2.0", "evil:net/socket"]),
            ("empty", Vec::new(), vec!["0 bytes"]),
        ] {
            let error = anyhow::Error::from(host.swap("life", bytes, 2).await.err().unwrap());
            let text = format!("{error:#}");
            for part in parts {
                assert!(text.contains(part), "{name}: no {part:?} in {text}");
            }
            let outcome = call(slot, "answer", None).await;
            assert_eq!((answer_of(&outcome), outcome.generation), ("1", 1), "{name}");
        }
        // Additions are fine, and are promised from then on.
        host.swap("life", component(CONTRACT, &["answer", "again", "more"], 2), 2).await?;
        let error = host.swap("life", version(3), 3).await.err().unwrap();
        assert!(error.to_string().contains("the function more is missing"), "{error}");
        Ok(())
    })
}

#[test]
fn the_first_generation_keeps_what_the_wit_files_promise() -> Result<()> {
    run(async {
        let harness = harness().await?;
        let manifest = format!(
            "[contracts]\npath = \"promises\"\n[components.life]\npath = \"life.wasm\"\n\
             contract = \"{CONTRACT}\"\n"
        );
        let project = harness.project_with(&manifest, harness.empty_database().await?)?;
        std::fs::write(project.folder().join("life.wasm"), version(1))?;
        std::fs::create_dir(project.folder().join("promises"))?;
        let promise = |more: &str| {
            let text = format!(
                "package test:life@0.1.0; interface queries {{ answer: func() -> string;
                 again: func() -> string; {more} }}"
            );
            std::fs::write(project.folder().join("promises/life.wit"), text)
        };
        promise("")?;
        project.host().await?;
        promise("count: func() -> u64;")?;
        let refused = project.run(&["components", "check", "life"])?;
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("the function count is missing"), "{refused:?}");
        promise("count: fun")?;
        let refused = project.run(&["components", "check", "life"])?;
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.stderr.contains("life.wit:2"), "{refused:?}");
        Ok(())
    })
}

#[test]
fn connections_and_their_prepared_statements_outlive_a_swap() -> Result<()> {
    run(async {
        let (_project, host, next) = hostile().await?;
        let sql = "select pg_backend_pid()::text, \
                   (select count(*)::text from pg_prepared_statements where statement like '%outlive%')";
        let run_sql = || host.ok("hostile.run-sql", json!({"sql": sql}));
        run_sql().await?;
        let before = run_sql().await?;
        host.swap("hostile", next, 2).await?;
        assert_eq!(host.slot("hostile")?.generation(), 2);
        assert_eq!(run_sql().await?, before);
        assert_eq!(before.pointer("/0/1"), Some(&json!("1")));
        Ok(())
    })
}

#[test]
fn a_promise_is_kept_however_many_generations_came_between() -> Result<()> {
    run(async {
        let host = host().await?;
        for number in 2..=20 {
            host.swap("life", version(3), number).await?;
        }
        let less = component(CONTRACT, &["answer"], 4);
        let refused = host.swap("life", less.clone(), 21).await.err();
        assert!(matches!(refused, Some(AppError::Contract { .. })), "{refused:?}");
        host.roll_back("life")?;
        let refused = host.swap("life", less, 21).await.err();
        assert!(matches!(refused, Some(AppError::Contract { .. })), "{refused:?}");
        Ok(())
    })
}
