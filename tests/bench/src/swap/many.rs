//! A thousand components in one host.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result};
use avenire_tests::{Harness, repository};

use super::variant;
use crate::table::Table;

const COMPONENTS: u32 = 1000;

pub(super) async fn measure(harness: &Harness, table: &mut Table) -> Result<()> {
    harness.test_components().await?;
    let component = std::fs::read(repository().join("target/components/bench.wasm"))?;
    let mut manifest = "[database]\nroles = \"shared\"\n".to_owned();
    for number in 0..COMPONENTS {
        write!(manifest, "[components.c{number}]\npath = \"c{number}.wasm\"\n")?;
    }
    let project = harness.project_with(&manifest, harness.empty_database().await?)?;
    for number in 0..COMPONENTS {
        let file = project.folder().join(format!("c{number}.wasm"));
        std::fs::write(file, variant(&component, number))?;
    }
    // Compiles all of them.
    drop(project.host().await?);
    let before = resident()?;
    let began = Instant::now();
    let host = project.host().await?;
    let took = began.elapsed().as_secs_f64();
    let mib = (resident()? - before) / f64::from(COMPONENTS);
    anyhow::ensure!(host.host().slots().count() == COMPONENTS as usize, "not all are served");
    table.add(
        "start-1000-s",
        "s",
        "starting a host with a thousand components, compiled cache warm",
        vec![took],
    );
    table.add(
        "idle-mb-per-component",
        "MiB",
        "resident memory of each of them while idle",
        vec![mib],
    );
    Ok(())
}

/// This process' resident memory in MiB (proc_pid_status(5)).
fn resident() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
