//! `avenire-db push`

use anyhow::Result;
use avenire_app::Project;
use serde_json::json;

use super::{answers, open_workbench, tell_hazards};
use crate::arguments::PushArguments;
use crate::exit::{BadArgument, Exit};
use crate::output::Printer;

pub(crate) async fn push(
    project: &Project,
    arguments: &PushArguments,
    printer: &Printer,
) -> Result<Exit> {
    let ask = answers::at_terminal(printer);
    let changes = answers::changes(&arguments.answers, &arguments.accept, &ask)?;
    let targets = crate::commands::open_targets(project, printer).await?;
    if targets.embedded.is_none() && !arguments.force_remote && !arguments.dry_run {
        return Err(BadArgument {
            message: "push is for development, and this database is not the embedded one".into(),
            hint: "write a migration with `avenire-db generate`, or repeat with --force-remote"
                .into(),
        }
        .into());
    }
    let workbench = open_workbench(project, printer).await?;
    let push = avenire_app::push(project, &targets, &workbench, &changes).await?;
    printer.done();
    let revision = push.revision();
    if revision.is_empty() {
        printer.text("nothing to do: the database is what the schema modules say");
        printer.object(&json!({ "steps": [], "done": false }));
        return Ok(Exit::Done);
    }
    let sql: Vec<&str> = revision.files.iter().map(|file| file.up.trim_end()).collect();
    for text in &sql {
        printer.text(text);
    }
    let hazards = tell_hazards(&revision.steps, printer);
    if !arguments.dry_run {
        let progress = |text: &str| printer.progress(text);
        push.carry_out(&changes.accept, &progress).await?;
        printer.text("pushed     the database is what the schema modules say");
        printer.note(
            "note: no migration knows of it; when `avenire-db generate` has written one, record it \
             in this database with `avenire-db mark VERSION --applied`",
        );
    }
    let steps: Vec<&str> = revision.steps.iter().map(|step| step.what.as_str()).collect();
    printer.object(&json!({
        "steps": steps, "sql": sql, "hazards": hazards, "done": !arguments.dry_run,
    }));
    Ok(Exit::Done)
}
