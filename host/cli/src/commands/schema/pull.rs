//! `avenire-db pull`

use anyhow::Result;
use avenire_app::{Project, PullOptions};
use serde_json::json;

use super::open_workbench;
use crate::arguments::PullArguments;
use crate::commands::open_targets;
use crate::exit::Exit;
use crate::output::Printer;

pub(crate) async fn pull(
    project: &Project,
    arguments: &PullArguments,
    printer: &Printer,
) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let workbench = open_workbench(project, printer).await?;
    let options = PullOptions {
        into: arguments.into.as_deref(),
        schemas: &arguments.schemas,
        baseline: !arguments.no_baseline,
        overwrite: arguments.overwrite,
        proven: !arguments.unproven,
    };
    let pulled = avenire_app::pull(project, &targets, &workbench, &options).await?;
    printer.done();
    for file in &pulled.files {
        let shown = file.strip_prefix(project.root()).unwrap_or(file);
        printer.text(&format!("wrote      {}", shown.display()));
    }
    for left in &pulled.left_out {
        printer.text(&format!("left out   {} {}", left.kind, left.name));
    }
    match &pulled.difference {
        None => printer.text("unproven   nothing of it was tried"),
        Some(difference) if difference.is_empty() => {
            printer.text("proven     the modules make the same schema in an empty database");
        }
        Some(difference) => {
            printer.text("differs    in an empty database the modules make this otherwise:");
            printer.text(&difference.to_string());
        }
    }
    printer.object(&json!({
        "files": pulled.files, "leftOut": pulled.left_out, "difference": pulled.difference,
    }));
    Ok(Exit::Done)
}
