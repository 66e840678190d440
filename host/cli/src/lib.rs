//! The command line: arguments in, text or JSON out, an exit code for each class
//! of failure.
//!
//! Owns what users read on a terminal. Never holds logic that another front end
//! would need: that is `avenire-app`'s.

mod arguments;
mod commands;
mod exit;
mod output;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Command};
use exit::Exit;
use output::Printer;

/// Runs the program with the process' own arguments.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The guard lives as long as the embedded cluster: it gets by without the
    // runtime, the logger and everything else.
    if let Command::Guard { home } = &arguments.command {
        return avenire_app::postgres::embedded::run_guard(home);
    }
    start_logging();
    let printer = Printer::new(arguments.json, arguments.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error_text(&format!("could not start: {error}"), None);
            return Exit::Host.into();
        }
    };
    let exit = runtime.block_on(commands::run(arguments, &printer)).unwrap_or_else(|error| {
        printer.error(&error);
        Exit::of(&error)
    });
    // What is still on its way, such as a blocked name look-up, is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    exit.into()
}

/// Warnings and errors to standard error, more with `AVENIRE_LOG`.
fn start_logging() {
    let filter = EnvFilter::try_from_env("AVENIRE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .try_init();
}
