//! `avenire-db migrate`, `status`, `rollback`, `mark` and `baseline`

use std::collections::BTreeSet;

use anyhow::Result;
use avenire_app::schema::{
    ApplyOptions, Extent, Mark, Marked, Order, Preview, State, Target, Transaction,
};
use avenire_app::{Adopted, BaselineOptions, Project, Rollback};
use serde_json::{Value, json};

use super::open_workbench;
use crate::arguments::{BaselineArguments, MarkArguments, MigrateArguments, RollbackArguments};
use crate::commands::open_targets;
use crate::exit::Exit;
use crate::output::Printer;

pub(crate) async fn migrate(
    project: &Project,
    arguments: &MigrateArguments,
    printer: &Printer,
) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let order = if arguments.allow_out_of_order { Order::Any } else { Order::Strict };
    let to = arguments.to.map_or(Target::Latest, Target::Version);
    let options = ApplyOptions { to, order };
    if arguments.dry_run {
        let plans = avenire_app::migration_plan(project, &targets, options).await?;
        let mut pending = Vec::new();
        for (component, preview) in &plans {
            pending.extend(tell_preview(component, preview, printer));
        }
        if pending.is_empty() {
            printer.text("nothing to do");
        }
        printer.object(&json!({ "pending": pending }));
        return Ok(Exit::Done);
    }
    let progress = |text: &str| printer.progress(text);
    let reports = avenire_app::migrate(project, &targets, options, &progress).await?;
    let already: usize = reports.iter().map(|(_, report)| report.already).sum();
    let mut names = Vec::new();
    for (component, report) in &reports {
        for applied in &report.applied {
            let file = named(component, &applied.file);
            printer.text(&format!("applied    {file} ({} ms)", applied.took.as_millis()));
            names.push(file);
        }
        if let Some(advice) = &report.advice {
            printer.note(&format!("note: {advice}"));
        }
    }
    if names.is_empty() {
        printer.text(&format!("nothing to do: {already} migrations are applied"));
    }
    printer.object(&json!({ "applied": names, "already": already }));
    Ok(Exit::Done)
}

/// A file, with the component's name unless it is the project's own.
fn named(component: &str, file: &str) -> String {
    if component == "main" { file.to_owned() } else { format!("{component}: {file}") }
}

/// What would be run, for people and for machines.
fn tell_preview(component: &str, preview: &Preview, printer: &Printer) -> Vec<Value> {
    let mut told = Vec::new();
    for file in &preview.files {
        let outside = file.transaction == Transaction::None;
        let how = if outside { " (outside of a transaction)" } else { "" };
        printer.text(&format!("would run  {}{how}", named(component, &file.file)));
        let mut statements = Vec::new();
        for (number, statement) in file.statements.iter().enumerate() {
            let done = if number < file.done { ", done already" } else { "" };
            printer.text(&format!("  {}: {}{done}", statement.place, statement.summary));
            for hazard in &statement.hazards {
                printer.text(&format!("    hazard {}: {}", hazard.kind, hazard.reason));
            }
            let hazards = statement.hazards.iter();
            let hazards: Vec<Value> =
                hazards.map(|one| json!({ "kind": one.kind, "reason": one.reason })).collect();
            statements.push(json!({
                "line": statement.place.line, "statement": statement.summary, "hazards": hazards,
            }));
        }
        told.push(json!({
            "component": component, "version": file.version, "file": file.file,
            "transaction": !outside, "statements": statements,
        }));
    }
    told
}

pub(crate) async fn status(project: &Project, printer: &Printer) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let all = avenire_app::migration_status(project, &targets).await?;
    let (mut applied, mut pending, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
    for (component, status) in &all {
        for one in &status.applied {
            let name = named(component, &format!("{:04}_{}.sql", one.version, one.name));
            let (word, at) = match &one.state {
                State::Finished { at } => ("applied   ", Some(at)),
                State::Started { at } => ("unfinished", Some(at)),
                State::Undoing => ("undoing   ", None),
            };
            let when = at.map_or_else(String::new, |at| format!(" at {at}"));
            printer.text(&format!("{word} {name}{when}"));
            applied.push(json!({ "file": name, "version": one.version, "at": at,
                "finished": matches!(one.state, State::Finished { .. }) }));
        }
        for file in &status.pending {
            printer.text(&format!("pending    {}", named(component, file)));
            pending.push(named(component, file));
        }
        if let Some(conflict) = &status.conflict {
            printer.text(&format!("conflict   {conflict}\nhint: {}", conflict.hint()));
            conflicts.push(json!({ "message": conflict.to_string(), "hint": conflict.hint() }));
        }
    }
    if applied.is_empty() && pending.is_empty() && conflicts.is_empty() {
        printer.text("there are no migrations");
    }
    let broken = !conflicts.is_empty();
    printer.object(&json!({ "applied": applied, "pending": pending, "conflicts": conflicts }));
    Ok(if broken { Exit::Failure } else { Exit::Done })
}

pub(crate) async fn rollback(
    project: &Project,
    arguments: &RollbackArguments,
    printer: &Printer,
) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let extent = arguments.to.map_or(Extent::Steps(arguments.count), Extent::To);
    let what = Rollback { component: &arguments.component, extent };
    if arguments.dry_run {
        let preview = what.plan(project, &targets).await?;
        let files = tell_preview(&arguments.component, &preview, printer);
        printer.object(&json!({ "pending": files }));
        return Ok(Exit::Done);
    }
    let accept: BTreeSet<String> = arguments.accept.iter().cloned().collect();
    let progress = |text: &str| printer.progress(text);
    let undone = avenire_app::rollback(project, &targets, what, &accept, &progress).await?;
    for one in &undone {
        printer.text(&format!("undone     {} ({} ms)", one.file, one.took.as_millis()));
    }
    if undone.is_empty() {
        printer.text("nothing to undo");
    }
    let names: Vec<&String> = undone.iter().map(|one| &one.file).collect();
    printer.object(&json!({ "undone": names }));
    Ok(Exit::Done)
}

pub(crate) async fn mark(
    project: &Project,
    arguments: &MarkArguments,
    printer: &Printer,
) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let state = if arguments.state.applied { Mark::Applied } else { Mark::NotApplied };
    let MarkArguments { component, version, .. } = arguments;
    let marked = avenire_app::mark(project, &targets, component, *version, state).await?;
    printer.text(match marked {
        Marked::Changed => "recorded   nothing was run",
        Marked::Unchanged => "nothing to do: the ledger says so already",
    });
    printer.object(&json!({ "changed": marked == Marked::Changed }));
    Ok(Exit::Done)
}

pub(crate) async fn baseline(
    project: &Project,
    arguments: &BaselineArguments,
    printer: &Printer,
) -> Result<Exit> {
    let targets = open_targets(project, printer).await?;
    let workbench =
        if arguments.unchecked { None } else { Some(open_workbench(project, printer).await?) };
    let options = BaselineOptions { to: arguments.to, drizzle: arguments.drizzle.as_deref() };
    let adopted = avenire_app::baseline(project, &targets, workbench.as_ref(), options).await?;
    printer.done();
    match adopted {
        Adopted::Recorded(baselined) => {
            for file in &baselined.marked {
                printer.text(&format!("recorded   {file}"));
            }
            if baselined.marked.is_empty() {
                printer.text("nothing to do: they are recorded already");
            }
            if let Some(advice) = &baselined.advice {
                printer.note(&format!("note: {advice}"));
            }
            printer.object(&json!({ "recorded": baselined.marked }));
            Ok(Exit::Done)
        }
        Adopted::Differs(difference) => {
            printer.text("the database is not what these migrations produce:");
            printer.text(&difference.to_string());
            printer.note("hint: name the last migration it has with --to, or state --unchecked");
            printer.object(&json!({ "recorded": [], "difference": difference }));
            Ok(Exit::Failure)
        }
    }
}
