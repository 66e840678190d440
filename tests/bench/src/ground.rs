//! What is paid once: loading a component from compiled code, the memory of the
//! idle embedded cluster, the way from process start to a first answer.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use avenire_app::engine::{Cache, Sandbox, SandboxOptions};
use avenire_app::postgres::embedded::{self, Cluster, Guard};
use avenire_tests::{Harness, repository};

use crate::table::Table;

pub(crate) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    loading(rounds, table)?;
    embedded_cluster(table).await?;
    first_answer(harness, rounds, table).await
}

/// Loads the chat component, whose compiled code is in the cache.
fn loading(rounds: usize, table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::new(folder.path().join("compiled"));
    let sandbox = Sandbox::new(&SandboxOptions::default())?;
    let file = repository().join("target/components/chat.wasm");
    let began = Instant::now();
    cache.load(&sandbox, &file)?;
    table.add(
        "compile-ms",
        "ms",
        "the chat component, compiled for the first time",
        vec![millis(began.elapsed())],
    );
    let mut values = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        cache.load(&sandbox, &file)?;
        values.push(millis(began.elapsed()));
    }
    table.add(
        "cached-load-ms",
        "ms",
        "the same from its compiled cache: read, check, link",
        values,
    );
    Ok(())
}

/// Starts a cluster of its own and adds up the memory of its processes, each page
/// shared among n of them counted as 1/n (PSS in proc_pid_smaps_rollup(5)).
async fn embedded_cluster(table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let guard = || Guard {
        program: std::env::current_exe().unwrap_or_default(),
        arguments: vec!["__guard".into()],
    };
    let start = async || -> Result<(Cluster, f64)> {
        let began = Instant::now();
        let cluster = embedded::start(embedded::Options::new(folder.path(), guard())).await?;
        Ok((cluster, millis(began.elapsed())))
    };
    let (cluster, first) = start().await?;
    table.add(
        "embedded-first-start-ms",
        "ms",
        "making and starting an embedded cluster",
        vec![first],
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    let postmaster = postmaster(&cluster)?;
    let guard_process = parent(postmaster)?;
    let kib: u64 = family(guard_process)?.into_iter().map(pss).sum();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mib = kib as f64 / 1024.0;
    table.add("embedded-idle-mb", "MiB", "PSS of the idle cluster, its guard included", vec![mib]);
    drop(cluster);
    // The guard stops the server now.
    let proc = format!("/proc/{postmaster}");
    for _ in 0..500 {
        if !Path::new(&proc).exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_cluster, again) = start().await?;
    table.add("embedded-restart-ms", "ms", "starting it again", vec![again]);
    Ok(())
}

/// From the start of the process to the printed answer of one call.
async fn first_answer(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let project = harness.project().await?;
    let program = repository_binary()?;
    let mut values = Vec::new();
    for round in 0..=rounds {
        let began = Instant::now();
        let status = Command::new(&program)
            .args(["call", "chat.get-chat-by-id", r#"{"chatId":"chat-1","reader":"user-1"}"#])
            .current_dir(project.folder())
            .env("DATABASE_URL", project.database().url())
            .stdout(Stdio::null())
            .status()?;
        anyhow::ensure!(status.success(), "the call did not succeed");
        if round > 0 {
            values.push(millis(began.elapsed()));
        }
    }
    table.add("cold-start-ms", "ms", "process start to first answer, compiled cache warm", values);
    Ok(())
}

/// The program itself, beside the benchmark.
pub(crate) fn repository_binary() -> Result<std::path::PathBuf> {
    let here = std::env::current_exe()?;
    let program = here.parent().unwrap_or(Path::new(".")).join("avenire-db");
    anyhow::ensure!(program.exists(), "build it first: cargo build --release");
    Ok(program)
}

fn postmaster(cluster: &Cluster) -> Result<u32> {
    let file = std::fs::read_to_string(cluster.data_folder().join("postmaster.pid"))?;
    file.lines().next().and_then(|pid| pid.parse().ok()).context("no pid in postmaster.pid")
}

/// A process and everything below it.
fn family(root: u32) -> Result<Vec<u32>> {
    let mut members = vec![root];
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let mut ancestor = pid;
        while ancestor > 1 && ancestor != root {
            ancestor = parent(ancestor).unwrap_or(0);
        }
        if ancestor == root && pid != root {
            members.push(pid);
        }
    }
    Ok(members)
}

/// The fourth field of `/proc/PID/stat`, after the name in parentheses (proc_pid_stat(5)).
fn parent(pid: u32) -> Result<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ").context("no name")?;
    rest.split(' ').nth(1).and_then(|ppid| ppid.parse().ok()).context("no parent")
}

fn pss(pid: u32) -> u64 {
    std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
