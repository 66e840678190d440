//! `avenire-db components build|list`; the rest is checking and shipping.

use anyhow::Result;
use avenire_app::manifest::ComponentEntry;
use avenire_app::{AppError, Checked, Project, Signature};
use serde_json::json;

use crate::arguments::ComponentsCommand;
use crate::exit::Exit;
use crate::output::Printer;

pub(super) async fn run(
    project: impl Fn() -> Result<Project, AppError>,
    command: &ComponentsCommand,
    printer: &Printer,
) -> Result<Exit> {
    match command {
        ComponentsCommand::Build { names } => build(&project()?, names, printer).await,
        ComponentsCommand::Check(what) => super::check::run(project, what, printer).await,
        ComponentsCommand::List { fleet: false } => list(&project()?, printer).await,
        shipping => super::ship::run(&project()?, shipping, printer).await,
    }
}

async fn build(project: &Project, names: &[String], printer: &Printer) -> Result<Exit> {
    // Cargo draws its own progress below ours, so ours is a line.
    let built = avenire_app::build(project, names, &|text| printer.note(text)).await?;
    for one in &built {
        let state = if one.changed { "built" } else { "unchanged" };
        printer.text(&format!(
            "{state:<10} {:<12} {} ({} bytes)",
            one.component,
            one.file.display(),
            one.size
        ));
    }
    let list: Vec<_> = built
        .iter()
        .map(|one| {
            json!({ "component": one.component, "file": one.file, "bytes": one.size, "changed": one.changed })
        })
        .collect();
    printer.object(&json!({ "built": list }));
    Ok(Exit::Done)
}

async fn list(project: &Project, printer: &Printer) -> Result<Exit> {
    let mut exit = Exit::Done;
    let mut list = Vec::new();
    for (name, entry) in &project.manifest().components {
        match avenire_app::check(project, None, name, None).await {
            Ok(Checked { component, .. }) => {
                printer.text(&format!("{name} ({})", component.interfaces().join(", ")));
                let functions = signatures_of(project, entry)?;
                for function in &functions {
                    printer.text(&format!("  {}", function.text));
                }
                let functions: Vec<_> = functions.iter().map(describe).collect();
                list.push(json!({
                    "component": name, "file": entry.path, "sha256": component.digest_hex(),
                    "functions": functions,
                }));
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                exit = Exit::of(&error);
                if !printer.is_json() {
                    printer.error(&error);
                }
                list.push(json!({ "component": name, "error": format!("{error:#}") }));
            }
        }
    }
    printer.object(&json!({ "components": list }));
    Ok(exit)
}

fn signatures_of(project: &Project, entry: &ComponentEntry) -> Result<Vec<Signature>> {
    let bytes = std::fs::read(project.path(&entry.path))?;
    avenire_app::signatures(&bytes).map_err(anyhow::Error::msg)
}

fn describe(function: &Signature) -> serde_json::Value {
    json!({
        "interface": function.interface, "name": function.name, "signature": function.text,
    })
}
