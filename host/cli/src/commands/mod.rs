//! One file for each command.

mod call;
mod components;
mod data;
mod dev;
mod doctor;

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
        Command::Dev => dev::run(&project()?, printer).await,
        Command::Call(call) => call::run(&project()?, call, printer).await,
        Command::Components(command) => components::run(project, command, printer).await,
        Command::Migrate => data::migrate(&project()?, printer).await,
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
