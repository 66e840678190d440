//! `avenire-db generate`

use std::path::{Path, PathBuf};

use anyhow::Result;
use avenire_app::Project;
use avenire_app::schema::generate::{Generated, Numbering};
use serde_json::json;

use super::{answers, open_workbench, tell_hazards};
use crate::arguments::GenerateArguments;
use crate::exit::Exit;
use crate::output::Printer;

pub(crate) async fn generate(
    project: &Project,
    arguments: &GenerateArguments,
    printer: &Printer,
) -> Result<Exit> {
    let numbering = if arguments.timestamp { Numbering::Time } else { Numbering::Sequence };
    let name = arguments.name.as_deref();
    if let (true, Some(name)) = (arguments.empty, name) {
        let file = avenire_app::empty_migration(project, name, numbering)?;
        let shown = shown(project, &file);
        printer.text(&format!("wrote      {}", shown.display()));
        printer.object(&json!({ "files": [shown] }));
        return Ok(Exit::Done);
    }
    let ask = answers::at_terminal(printer);
    let changes = answers::changes(&arguments.answers, &arguments.accept, &ask)?;
    let workbench = open_workbench(project, printer).await?;
    let generated = avenire_app::generate(project, &workbench, &changes, name, numbering).await;
    let generated = match generated {
        // They differ; how is not known before somebody answers or accepts.
        Err(error) if arguments.check && error.is_undecided() => {
            printer.error(&error.into());
            return Ok(Exit::Failure);
        }
        generated => generated?,
    };
    printer.done();
    if generated.is_empty() {
        printer.text("nothing to do: the migrations lead to what the schema modules say");
        printer.object(&json!({ "files": [], "differs": false }));
        return Ok(Exit::Done);
    }
    if !arguments.check {
        generated.write().map_err(avenire_app::AppError::from)?;
    }
    Ok(tell(project, &generated, arguments.check, printer))
}

fn tell(project: &Project, generated: &Generated, check: bool, printer: &Printer) -> Exit {
    let verb = if check { "missing   " } else { "wrote     " };
    let written = generated.files.iter().chain(&generated.snapshot);
    let files: Vec<PathBuf> = written.map(|(path, _)| shown(project, path)).collect();
    for file in &files {
        printer.text(&format!("{verb} {}", file.display()));
    }
    for rename in &generated.renames {
        printer.text(&format!("renames    {rename}"));
    }
    let hazards = tell_hazards(&generated.steps, printer);
    let renames: Vec<String> = generated.renames.iter().map(ToString::to_string).collect();
    let steps: Vec<&str> = generated.steps.iter().map(|step| step.what.as_str()).collect();
    if check {
        printer.note("the schema modules and the migrations differ: run `avenire-db generate`");
    } else {
        printer.text("proven     in a scratch database: leads to the schema modules, and back");
    }
    printer.object(&json!({
        "files": files, "differs": true, "renames": renames, "steps": steps, "hazards": hazards,
    }));
    if check { Exit::Failure } else { Exit::Done }
}

/// A path as the user thinks of it: from the project's folder.
fn shown(project: &Project, path: &Path) -> PathBuf {
    path.strip_prefix(project.root()).unwrap_or(path).to_owned()
}
