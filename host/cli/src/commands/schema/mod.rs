//! The commands about schema and migrations, one file for each subject.

mod answers;
mod check;
mod generate;
mod history;
mod pull;
mod push;

use anyhow::Result;
use avenire_app::Project;
use avenire_app::postgres::embedded::Guard;
use avenire_app::schema::plan::Step;
use avenire_app::{AppError, Embedding, Workbench};
use serde_json::{Value, json};

use crate::arguments::GUARD;
use crate::output::Printer;

pub(super) use check::{check, verify};
pub(super) use generate::generate;
pub(super) use history::{baseline, mark, migrate, rollback, status};
pub(super) use pull::pull;
pub(super) use push::push;

/// Opens the server of scratch databases.
async fn open_workbench(project: &Project, printer: &Printer) -> Result<Workbench, AppError> {
    let guard = Guard::this_program(GUARD)
        .map_err(|source| AppError::Read { file: "this program's own file".into(), source })?;
    let progress = |text: &str| printer.progress(text);
    let workbench = Workbench::open(project, Embedding { guard, progress: &progress }).await;
    printer.done();
    workbench
}

/// The hazards of steps, for people and for machines.
fn tell_hazards(steps: &[Step], printer: &Printer) -> Vec<Value> {
    let mut told = Vec::new();
    for step in steps {
        for hazard in &step.hazards {
            printer.text(&format!("hazard     {}: {} ({})", hazard.kind, hazard.about, step.what));
            told.push(json!({
                "kind": hazard.kind.to_string(), "about": hazard.about, "step": step.what,
            }));
        }
    }
    told
}
