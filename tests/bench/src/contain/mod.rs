//! The latency of a well-behaved component beside one that attacks, over what it is
//! without: for each attack as a steady flood, in short rounds with and without it in turn.

mod attacks;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use avenire_app::engine::{Call, Slot};
use avenire_tests::{Harness, TestHost};
use serde_json::{Value, json};

use crate::table::Table;
use attacks::{ATTACKS, Attack};

/// Who attacks at once.
const ATTACKERS: usize = 8;

/// How long is measured with the attack, and as long without.
const ROUND: Duration = Duration::from_secs(1);

/// What passes between the beginning of an attack and that of measuring.
const ONSET: Duration = Duration::from_millis(100);

/// More rounds would take longer than anybody waits.
const MOST_ROUNDS: usize = 3;

/// How long an attack may take to be over.
const PATIENCE: Duration = Duration::from_secs(20);

const MANIFEST: &str = r#"
    [components.attacker]
    path = "target/components/hostile.wasm"
    grants = { prey = "all" }
    limits = { time = "2s" }

    [components.neighbour]
    path = "target/components/hostile.wasm"
    grants = { note = ["select"] }
"#;

const TABLES: &str = "
    create table note (id int primary key, text text not null);
    insert into note select n, 'note ' || n from generate_series(1, 1000) as n;
    create table prey (id int primary key);
";

pub(crate) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let database = harness.empty_database().await?;
    database.run(TABLES).await?;
    let project = harness.project_with(MANIFEST, database)?;
    let host = project.host().await?;
    let neighbour = host.shared_slot("neighbour")?;
    let mut quiet_all = Vec::new();
    let mut worst = f64::NAN;
    // Warms both up.
    flood(&host, &neighbour, ATTACKS.first().context("an attack")?).await?;
    for attack in ATTACKS {
        let mut ratios = Vec::new();
        for _ in 0..rounds.clamp(1, MOST_ROUNDS) {
            let quiet = p99(latencies(&neighbour, ROUND).await?);
            let beside = flood(&host, &neighbour, attack).await?;
            quiet_all.push(quiet);
            ratios.push(p99(beside) / quiet);
        }
        ratios.sort_by(f64::total_cmp);
        worst = ratios.get((ratios.len() - 1) / 2).copied().unwrap_or(f64::NAN).max(worst);
        table.add(attack.figure, "", attack.meaning, ratios);
    }
    table.add(
        "neighbour-p99-ms",
        "ms",
        "99th percentile of a query by key, undisturbed",
        quiet_all,
    );
    table.add("neighbour-p99-ratio-worst", "", "the largest of the ratios", vec![worst]);
    Ok(())
}

/// The neighbour's latencies while the attack goes on, in milliseconds.
async fn flood(host: &TestHost, neighbour: &Arc<Slot>, attack: &Attack) -> Result<Vec<f64>> {
    let attacker = host.shared_slot("attacker")?;
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let attackers: Vec<_> = (0..ATTACKERS)
        .map(|_| {
            let (slot, over, sent) = (Arc::clone(&attacker), Arc::clone(&over), Arc::clone(&sent));
            let (function, arguments) = (attack.function, attack.arguments);
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    // How it ends is what the tests are about.
                    drop(slot.call(call(function, arguments(number))).await);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    tokio::time::sleep(ONSET).await;
    let beside = latencies(neighbour, ROUND).await;
    over.store(true, Ordering::Relaxed);
    for attacker in attackers {
        tokio::time::timeout(PATIENCE, attacker).await.context("an attack does not end")??;
    }
    ensure!(sent.load(Ordering::Relaxed) > 0, "nobody attacked");
    beside
}

/// Small queries one after another. How long each took, in milliseconds.
async fn latencies(slot: &Arc<Slot>, time: Duration) -> Result<Vec<f64>> {
    let slot = Arc::clone(slot);
    let task = tokio::spawn(async move {
        let mut times = Vec::new();
        let end = Instant::now() + time;
        while Instant::now() < end {
            let id = times.len() % 1000 + 1;
            let began = Instant::now();
            let query = json!({
                "sql": "select text from note where id = $1::text::int",
                "parameter": id.to_string(),
            });
            let outcome = slot.call(call("run-sql-with", query)).await?;
            times.push(began.elapsed().as_secs_f64() * 1000.0);
            let rows = outcome.result.map_err(|failure| anyhow::anyhow!("refused: {failure}"))?;
            ensure!(rows == json!([[format!("note {id}")]]), "a wrong answer: {rows}");
        }
        Ok(times)
    });
    task.await?
}

fn call(function: &str, arguments: Value) -> Call {
    let arguments = match arguments {
        Value::Object(arguments) => arguments,
        _ => serde_json::Map::new(),
    };
    Call::new(function, arguments)
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}
