//! A thousand swaps while 64 callers call without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use avenire_app::engine::{Call, Slot};
use avenire_tests::life::{CONTRACT, version};
use avenire_tests::{Harness, TestHost, repository};
use serde_json::{Map, Value, json};

use super::variant;
use crate::table::Table;

const CALLERS: usize = 64;

const SWAPS: u64 = 1000;

/// How long callers are measured without swaps, before and after those with.
const CALM: Duration = Duration::from_secs(10);

pub(super) async fn measure(harness: &Harness, table: &mut Table) -> Result<()> {
    queries(harness, table).await?;
    answers(harness, table).await
}

/// What callers saw.
#[derive(Default)]
struct Seen {
    failed: AtomicU64,
    mixed: AtomicU64,
}

/// Calls without a pause until the work is over. How long each call took, in milliseconds.
async fn calling<T>(
    slot: &Arc<Slot>,
    call: &Call,
    check: fn(&Value, u64) -> bool,
    seen: &Arc<Seen>,
    work: impl Future<Output = Result<T>>,
) -> Result<Vec<f64>> {
    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (slot, call, seen, over) =
                (Arc::clone(slot), call.clone(), Arc::clone(seen), Arc::clone(&over));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let outcome = slot.call(call.clone()).await;
                    times.push(began.elapsed().as_secs_f64() * 1000.0);
                    match outcome.map(|outcome| (outcome.generation, outcome.result)) {
                        Ok((generation, Ok(value))) if check(&value, generation) => {}
                        Ok((_, Ok(_))) => drop(seen.mixed.fetch_add(1, Ordering::Relaxed)),
                        _ => drop(seen.failed.fetch_add(1, Ordering::Relaxed)),
                    }
                    // A function that never waits would keep the runtime from its sockets.
                    tokio::task::yield_now().await;
                }
                times
            })
        })
        .collect();
    let worked = work.await;
    over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await?);
    }
    worked?;
    Ok(times)
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}

async fn calm() -> Result<()> {
    tokio::time::sleep(CALM).await;
    Ok(())
}

/// Queries of twenty rows, and swaps of the component that sends them.
async fn queries(harness: &Harness, table: &mut Table) -> Result<()> {
    let project = harness.project().await?;
    let host = project.host().await?;
    let slot = host.shared_slot("chat")?;
    let component = std::fs::read(repository().join("target/components/chat.wasm"))?;
    let Value::Object(arguments) = json!({"chatId": "chat-1", "reader": "user-1"}) else {
        anyhow::bail!("an object")
    };
    let call = Call::new("get-messages-by-chat-id", arguments);
    let any = |_: &Value, _: u64| true;
    // Both are compiled before anything is measured.
    host.swap("chat", variant(&component, 1), 2).await?;
    host.swap("chat", variant(&component, 0), 3).await?;
    let seen = Arc::new(Seen::default());
    let before = calling(&slot, &call, any, &seen, calm()).await?;
    let mut publish = Vec::new();
    let swapping = swaps(&host, "chat", &mut publish, |number| {
        variant(&component, u32::from(number % 2 == 1))
    });
    let during = calling(&slot, &call, any, &seen, swapping).await?;
    let after = calling(&slot, &call, any, &seen, calm()).await?;
    let failed = seen.failed.load(Ordering::Relaxed);
    let (calls, without) = (during.len(), f64::midpoint(p99(before), p99(after)));
    let during = p99(during);
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    table.add(
        "failed-calls",
        "",
        "calls that failed in a thousand swaps under 64 callers",
        vec![failed as f64],
    );
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    table.add("swap-calls", "", "calls during these swaps", vec![calls as f64]);
    table.add("p99-without-ms", "ms", "99th percentile of calls without swaps", vec![without]);
    table.add("p99-ratio", "", "the same with swaps, divided by that", vec![during / without]);
    table.add("swap-ms", "ms", "validating and publishing under that load", publish);
    let mut alone = Vec::new();
    for number in 5000..5100 {
        let component = slot.component();
        let began = Instant::now();
        drop(slot.publish(component, number, None));
        alone.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    table.add("publish-ms", "ms", "publishing alone", alone);
    Ok(())
}

/// Answers that tell which component gave them.
async fn answers(harness: &Harness, table: &mut Table) -> Result<()> {
    let manifest = format!("[components.life]\npath = \"life.wasm\"\ncontract = \"{CONTRACT}\"\n");
    let project = harness.project_with(&manifest, harness.empty_database().await?)?;
    std::fs::write(project.folder().join("life.wasm"), version(1))?;
    let host = project.host().await?;
    let slot = host.shared_slot("life")?;
    let call = Call::new("answer", Map::new());
    let right = |value: &Value, generation: u64| {
        value.as_str().and_then(|digit| digit.parse().ok()) == Some(generation % 10)
    };
    let seen = Arc::new(Seen::default());
    let mut took = Vec::new();
    let swapping = swaps(&host, "life", &mut took, |number| {
        version(u32::try_from(number % 10).unwrap_or_default())
    });
    calling(&slot, &call, right, &seen, swapping).await?;
    let failed = seen.failed.load(Ordering::Relaxed);
    anyhow::ensure!(failed == 0, "{failed} calls failed");
    let mixed = seen.mixed.load(Ordering::Relaxed);
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    table.add(
        "mixed-generation-calls",
        "",
        "calls answered by another generation than theirs, in a thousand swaps",
        vec![mixed as f64],
    );
    Ok(())
}

/// A thousand swaps, one after another. How long each took is added to `took`.
async fn swaps(
    host: &TestHost,
    component: &str,
    took: &mut Vec<f64>,
    bytes: impl Fn(u64) -> Vec<u8>,
) -> Result<()> {
    for number in 11..11 + SWAPS {
        let bytes = bytes(number);
        let began = Instant::now();
        host.swap(component, bytes, number).await.context("a swap")?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(())
}
