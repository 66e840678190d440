//! `avenire-db check` and `avenire-db verify`

use anyhow::Result;
use avenire_app::Project;
use avenire_app::schema::check::Severity;
use serde_json::json;

use super::open_workbench;
use crate::arguments::CheckArguments;
use crate::commands::open_targets;
use crate::exit::Exit;
use crate::output::Printer;

pub(crate) fn check(
    project: &Project,
    arguments: &CheckArguments,
    printer: &Printer,
) -> Result<Exit> {
    if let Some(moving) = &arguments.renumber {
        let moving = Some(moving.as_str()).filter(|name| !name.is_empty());
        let renames = avenire_app::renumber_migrations(project, moving)?;
        for (from, to) in &renames {
            printer.text(&format!("renamed    {from} to {to}"));
        }
        if renames.is_empty() {
            printer.text("nothing to do: there are no parallel branches");
        }
        printer.object(&json!({ "renamed": renames }));
        return Ok(Exit::Done);
    }
    let report = avenire_app::check_migrations(project, &arguments.files)?;
    for finding in &report.findings {
        printer.text(&finding.to_string());
        if let Some(help) = &finding.help {
            printer.text(&format!("  help: {help}"));
        }
    }
    let counts = |severity: Severity| {
        severity == Severity::Error || (arguments.strict && severity == Severity::Warning)
    };
    let bad = report.findings.iter().any(|finding| counts(finding.severity));
    let bad = bad || report.conflict.is_some();
    if let Some(conflict) = &report.conflict {
        printer.text(&format!("conflict   {conflict}"));
    } else if report.findings.is_empty() {
        printer.text(&format!("fine       {} migrations", report.migrations));
    }
    printer.object(&json!({
        "migrations": report.migrations, "findings": report.findings, "conflict": report.conflict,
    }));
    Ok(if bad { Exit::Failure } else { Exit::Done })
}

pub(crate) async fn verify(project: &Project, printer: &Printer) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let workbench = open_workbench(project, printer).await?;
    let difference = avenire_app::verify(project, &targets, &workbench).await?;
    printer.done();
    printer.object(&json!({ "drift": !difference.is_empty(), "difference": difference }));
    if difference.is_empty() {
        printer.text("fine       the database is what its migrations produce");
        return Ok(Exit::Done);
    }
    printer.text("drift      the database differs from what its migrations produce:");
    printer.text(&difference.to_string());
    Ok(Exit::Failure)
}
