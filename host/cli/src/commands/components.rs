//! `avenire-db components build|check|list`; the rest is shipping

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use avenire_app::engine::Component;
use avenire_app::manifest::ComponentEntry;
use avenire_app::{AppError, Project, Signature};
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
        ComponentsCommand::Check { names, contract } => {
            check(project, names, contract.as_deref(), printer).await
        }
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

/// Checks everything that was named, also after something was refused.
async fn check(
    project: impl Fn() -> Result<Project, AppError>,
    names: &[String],
    contract: Option<&str>,
    printer: &Printer,
) -> Result<Exit> {
    let names = if names.is_empty() {
        project()?.manifest().components.keys().cloned().collect()
    } else {
        names.to_vec()
    };
    let mut exit = Exit::Done;
    let mut list = Vec::new();
    for name in &names {
        match check_one(&project, name, contract).await {
            Ok(component) => {
                let functions = component.functions().count();
                printer.text(&format!(
                    "fits       {name}: {} ({functions} functions, {} bytes, sha-256 {})",
                    component.interfaces().join(", "),
                    component.size(),
                    component.digest_hex()
                ));
                list.push(json!({
                    "component": name, "fits": true, "interfaces": component.interfaces(),
                    "functions": functions, "bytes": component.size(), "sha256": component.digest_hex(),
                }));
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
                let hint = crate::exit::hint(&error);
                list.push(json!({
                    "component": name, "fits": false, "reason": causes.join(": "), "hint": hint,
                }));
                if !printer.is_json() {
                    printer.error(&error);
                }
                exit = Exit::of(&error);
            }
        }
    }
    printer.object(&json!({ "checked": list }));
    Ok(exit)
}

/// A name with a slash or `.wasm` at its end is a file, anything else is a
/// component of the manifest.
async fn check_one(
    project: &impl Fn() -> Result<Project, AppError>,
    name: &str,
    contract: Option<&str>,
) -> Result<Arc<Component>, AppError> {
    let is_file = name.contains(std::path::MAIN_SEPARATOR)
        || std::path::Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("wasm"));
    if is_file {
        return avenire_app::check_file(PathBuf::from(name), contract);
    }
    avenire_app::check(&project()?, name).await
}

async fn list(project: &Project, printer: &Printer) -> Result<Exit> {
    let mut exit = Exit::Done;
    let mut list = Vec::new();
    for (name, entry) in &project.manifest().components {
        match avenire_app::check(project, name).await {
            Ok(component) => {
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
