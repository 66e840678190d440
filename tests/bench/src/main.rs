//! `avenire-bench SUITE`: measures, prints a table with what it was measured on, and
//! with `--json` one object from figure to number.
//!
//! Every suite sets up what it needs. Figures are medians over rounds; the table
//! shows the spread beside them.

mod calls;
mod contain;
mod context;
mod ground;
mod migrate;
mod rows;
mod swap;
mod table;

use anyhow::Result;
use avenire_app::postgres::embedded::run_guard;
use avenire_tests::Harness;
use clap::{Parser, ValueEnum};

use table::Table;

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Suite {
    /// What a call costs: an instance and an empty function.
    Calls,
    /// What a row costs on its way from the host into a component.
    Rows,
    /// What is paid once: loading a component, the idle embedded cluster.
    Ground,
    /// What the schema toolkit costs: migrate, generate, pull.
    Migrate,
    /// What it costs to replace components: swaps under load, a fleet, a thousand components.
    Swap,
    /// What a well-behaved component notices of one that attacks beside it.
    Contain,
}

/// Benchmarks of avenire-db.
#[derive(Parser, Debug)]
struct Arguments {
    /// The suite; all by default.
    suite: Option<Suite>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
    /// Rounds of each measurement.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

fn main() -> Result<()> {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "__guard") {
        let home = words.next().unwrap_or_default();
        std::process::exit(i32::from(run_guard(home.as_ref()) != std::process::ExitCode::SUCCESS));
    }
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let table = runtime.block_on(measure(&arguments))?;
    runtime.shutdown_background();
    table.print(arguments.json);
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Table> {
    let harness = Harness::start(std::env::current_exe()?).await?;
    harness.test_components().await?;
    harness.components().await?;
    let mut table = Table::new(context::line(arguments.rounds, harness.cluster().version()));
    let wanted = |suite: Suite| arguments.suite.is_none_or(|given| given as u8 == suite as u8);
    if wanted(Suite::Calls) {
        calls::measure(&harness, arguments.rounds, &mut table).await?;
    }
    if wanted(Suite::Rows) {
        rows::measure(&harness, arguments.rounds, &mut table).await?;
    }
    if wanted(Suite::Ground) {
        ground::measure(&harness, arguments.rounds, &mut table).await?;
    }
    if wanted(Suite::Migrate) {
        migrate::measure(&harness, arguments.rounds, &mut table).await?;
    }
    if wanted(Suite::Swap) {
        swap::measure(&harness, arguments.rounds, &mut table).await?;
    }
    if wanted(Suite::Contain) {
        contain::measure(&harness, arguments.rounds, &mut table).await?;
    }
    Ok(table)
}
