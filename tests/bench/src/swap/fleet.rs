//! From a deployment to the first call on it, and until five hosts serve it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use avenire_app::engine::{Call, Slot};
use avenire_app::{ServeOptions, Service, Shipment, Shipping};
use avenire_tests::life::{CONTRACT, version};
use avenire_tests::{Harness, TestProject};
use serde_json::Map;

use crate::table::Table;

const HOSTS: usize = 5;

/// How often hosts look when nobody notifies them, in the measurement of that.
const LOOKS: Duration = Duration::from_secs(1);

pub(super) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let (first, converged) = fleet(harness, rounds, Duration::from_mins(10), false).await?;
    table.add(
        "deploy-to-call-ms",
        "ms",
        "from deploying a compiled component to the first call on it, validated twice",
        first,
    );
    table.add("fleet-converged-s", "s", "the same until five hosts serve it", converged);
    let (_, converged) = fleet(harness, rounds.min(5), LOOKS, true).await?;
    table.add(
        "fleet-looking-s",
        "s",
        "the same without notifications, hosts looking every second",
        converged,
    );
    Ok(())
}

async fn fleet(
    harness: &Harness,
    rounds: usize,
    interval: Duration,
    deaf: bool,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let manifest = format!("[components.life]\npath = \"life.wasm\"\ncontract = \"{CONTRACT}\"\n");
    let project = harness.project_with(&manifest, harness.empty_database().await?)?;
    let file = project.folder().join("life.wasm");
    std::fs::write(&file, version(0))?;
    let (of_program, targets) = project.open().await?;
    let shipping = Shipping::open(&of_program, &targets).await?;
    deploy(&shipping, &file).await?;
    let hosts = start(&project, interval, deaf).await?;
    let (mut first, mut converged) = (Vec::new(), Vec::new());
    for round in 0..rounds + 2 {
        std::fs::write(&file, version(u32::try_from(round % 2)? + 1))?;
        let began = Instant::now();
        let generation = deploy(&shipping, &file).await?;
        let mut until = Vec::new();
        for host in &hosts {
            until.push(serves(slot(host)?, generation, began));
        }
        let mut times = Vec::new();
        for time in until {
            times.push(time.await?);
        }
        times.sort_by(f64::total_cmp);
        // The first two rounds compile.
        if round > 1 {
            first.extend(times.first().map(|time| time * 1000.0));
            converged.extend(times.last());
        }
    }
    for host in hosts {
        host.stop().await;
    }
    Ok((first, converged))
}

async fn start(project: &TestProject, interval: Duration, deaf: bool) -> Result<Vec<Service>> {
    let mut hosts = Vec::new();
    for number in 0..HOSTS {
        let name = format!("host-{number}");
        let options = ServeOptions { name, interval, listen: !deaf, ..ServeOptions::default() };
        hosts.push(project.service(options).await?.0);
    }
    Ok(hosts)
}

fn slot(host: &Service) -> Result<&Slot> {
    Ok(host.host().slot(host.project(), "life")?)
}

async fn deploy(shipping: &Shipping<'_>, file: &Path) -> Result<u64> {
    let shipment = Shipment { component: "life".into(), file: Some(file.into()), canary: None };
    Ok(u64::try_from(shipping.deploy(&shipment).await?.generation)?)
}

/// How long after `began` a call was served by that generation, in seconds.
async fn serves(slot: &Slot, generation: u64, began: Instant) -> Result<f64> {
    loop {
        let outcome = slot.call(Call::new("answer", Map::new())).await?;
        if outcome.generation == generation {
            return Ok(began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
