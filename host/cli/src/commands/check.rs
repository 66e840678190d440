//! `avenire-db components check`: would these components serve?

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use avenire_app::{AppError, Checked, Project, Targets};
use serde_json::{Value, json};

use crate::arguments::ComponentCheckArguments;
use crate::exit::Exit;
use crate::output::Printer;

/// What is to be checked.
enum Subject<'a> {
    /// A component of the manifest, or another file for it.
    Component(&'a str, Option<PathBuf>),
    /// Any file.
    File(PathBuf),
}

/// Checks everything that was named, also after something was refused.
pub(super) async fn run(
    project: impl Fn() -> Result<Project, AppError>,
    arguments: &ComponentCheckArguments,
    printer: &Printer,
) -> Result<Exit> {
    let all;
    let names = if arguments.names.is_empty() {
        all = project()?.manifest().components.keys().cloned().collect();
        &all
    } else {
        &arguments.names
    };
    let subjects: Vec<(&str, Subject<'_>)> = names
        .iter()
        .map(|name| Ok((name.as_str(), subject(name, arguments)?)))
        .collect::<Result<_>>()?;
    let is_of_manifest = |(_, one): &(_, Subject<'_>)| matches!(one, Subject::Component(..));
    let of_manifest = subjects.iter().any(is_of_manifest).then(&project).transpose()?;
    let targets = match &of_manifest {
        Some(project) if !arguments.offline => Some(super::open_targets(project, printer).await?),
        _ => None,
    };
    let mut exit = Exit::Done;
    let mut list = Vec::new();
    for (name, subject) in subjects {
        let checked = match subject {
            Subject::File(file) => avenire_app::check_file(file, arguments.contract.as_deref())
                .map(|component| Checked { component, unchecked: None }),
            Subject::Component(component, file) => {
                of_component(of_manifest.as_ref(), targets.as_ref(), component, file).await
            }
        };
        match checked {
            Ok(checked) => list.push(fits(name, &checked, printer)),
            Err(error) => {
                let error = anyhow::Error::from(error);
                list.push(refused(name, &error));
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

async fn of_component(
    project: Option<&Project>,
    targets: Option<&Targets>,
    name: &str,
    file: Option<PathBuf>,
) -> Result<Checked, AppError> {
    let Some(project) = project else { return Err(AppError::NoManifest(PathBuf::from("."))) };
    avenire_app::check(project, targets, name, file).await
}

/// A name with a slash or `.wasm` at its end is a file, anything else is a component of the
/// manifest.
fn subject<'a>(name: &'a str, arguments: &'a ComponentCheckArguments) -> Result<Subject<'a>> {
    let is_wasm =
        Path::new(name).extension().is_some_and(|e: &OsStr| e.eq_ignore_ascii_case("wasm"));
    let is_file = is_wasm || name.contains(std::path::MAIN_SEPARATOR);
    match (&arguments.name, &arguments.contract) {
        (Some(component), _) if is_file => Ok(Subject::Component(component, Some(name.into()))),
        (None, _) if is_file => Ok(Subject::File(name.into())),
        (None, None) => Ok(Subject::Component(name, None)),
        _ => bail!(
            "{name} is a component of the manifest, which says what it promises: \
             `--contract` and `--as` are for files"
        ),
    }
}

fn fits(name: &str, checked: &Checked, printer: &Printer) -> Value {
    let Checked { component, unchecked } = checked;
    let functions = component.functions().count();
    printer.text(&format!(
        "fits       {name}: {} ({functions} functions, {} bytes, sha-256 {})",
        component.interfaces().join(", "),
        component.size(),
        component.digest_hex()
    ));
    if let Some(unchecked) = unchecked {
        printer.text(&format!("           {unchecked}"));
    }
    json!({
        "component": name, "fits": true, "interfaces": component.interfaces(),
        "functions": functions, "bytes": component.size(), "sha256": component.digest_hex(),
        "unchecked": unchecked,
    })
}

fn refused(name: &str, error: &anyhow::Error) -> Value {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    let hint = crate::exit::hint(error);
    json!({ "component": name, "fits": false, "reason": causes.join(": "), "hint": hint })
}
