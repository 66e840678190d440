//! What a call costs beside what its function does.

use anyhow::Result;
use avenire_tests::Harness;
use cpu_time::ProcessTime;

use crate::table::Table;

/// Calls of one round.
const CALLS: u32 = 20_000;

/// The manifest of the benchmark's own component.
pub(crate) const MANIFEST: &str = r#"
    [components.bench]
    path = "target/components/bench.wasm"
    contract = "test:bench/costs@0.1.0"
    limits = { time = "60s", rows = 10000000, bytes = "1GiB", transfer = "1GiB" }
"#;

pub(crate) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let project = harness.project_with(MANIFEST, harness.empty_database().await?)?;
    let host = project.host().await?;
    let slot = host.slot("bench")?;
    let mut values = Vec::new();
    for round in 0..=rounds {
        let began = ProcessTime::now();
        for _ in 0..CALLS {
            slot.call_typed::<(), ()>("nothing", ()).await?;
        }
        let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
        // The first round warms up.
        if round > 0 {
            values.push(micros);
        }
    }
    table.add(
        "empty-call-us",
        "µs",
        "CPU time of a fresh instance and an empty call, typed",
        values,
    );
    Ok(())
}
