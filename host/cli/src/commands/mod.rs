//! One file for each command.

mod call;
mod check;
mod client;
mod components;
mod data;
mod dev;
mod doctor;
mod http;
mod schema;
mod serve;
mod ship;

use std::path::Path;

use anyhow::Result;
use avenire_app::postgres::embedded::Guard;
use avenire_app::{AppError, Embedding, Project, Targets};

use crate::arguments::{Arguments, Command, GUARD};
use crate::exit::Exit;
use crate::output::Printer;

pub(crate) async fn run(arguments: Arguments, printer: &Printer) -> Result<Exit> {
    let project = || {
        let start = arguments.project.as_deref().unwrap_or(Path::new("."));
        Project::find(start)
    };
    match &arguments.command {
        Command::Dev(what) => dev::run(project()?, what, printer).await,
        Command::Serve(what) => serve::run(project()?, what, printer).await,
        Command::Call(call) => call::run(&project()?, call, printer).await,
        Command::Components(command) => components::run(project, command, printer).await,
        Command::Generate(what) => schema::generate(&project()?, what, printer).await,
        Command::Migrate(what) => schema::migrate(&project()?, what, printer).await,
        Command::Status => schema::status(&project()?, printer).await,
        Command::Verify => schema::verify(&project()?, printer).await,
        Command::Check(what) => schema::check(&project()?, what, printer),
        Command::Rollback(what) => schema::rollback(&project()?, what, printer).await,
        Command::Mark(what) => schema::mark(&project()?, what, printer).await,
        Command::Baseline(what) => schema::baseline(&project()?, what, printer).await,
        Command::Push(what) => schema::push(&project()?, what, printer).await,
        Command::Pull(what) => schema::pull(&project()?, what, printer).await,
        Command::Client(command) => client::run(&project()?, command, printer),
        Command::Seed => data::seed(&project()?, printer).await,
        Command::Doctor => doctor::run(&project()?, printer).await,
        // Handled before anything else was started.
        Command::Guard { .. } => Ok(Exit::Done),
    }
}

/// Opens the project's database, starting the embedded one if none is configured.
async fn open_targets(project: &Project, printer: &Printer) -> Result<Targets, AppError> {
    let guard = Guard::this_program(GUARD)
        .map_err(|source| AppError::Read { file: "this program's own file".into(), source })?;
    let progress = |text: &str| printer.progress(text);
    let targets = Targets::open(project, Embedding { guard, progress: &progress }).await;
    printer.done();
    targets
}

/// Ends at Ctrl-C, or at the signal that service managers send: listened for from this call on, and
/// not only when it is waited for.
#[cfg(unix)]
fn stopped() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [interrupted, terminated] = signals;
        let received = |signal: std::io::Result<tokio::signal::unix::Signal>| async {
            match signal {
                Ok(mut signal) => drop(signal.recv().await),
                // The system's own way to end the process is left.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = received(interrupted) => {}
            () = received(terminated) => {}
        }
    }
}

/// Ends at Ctrl-C.
#[cfg(not(unix))]
fn stopped() -> impl Future<Output = ()> {
    async { drop(tokio::signal::ctrl_c().await) }
}
