//! `avenire-db migrate` and `avenire-db seed`

use anyhow::Result;
use avenire_app::Project;
use serde_json::json;

use crate::exit::Exit;
use crate::output::Printer;

pub(super) async fn migrate(project: &Project, printer: &Printer) -> Result<Exit> {
    let targets = super::open_targets(project, printer).await?;
    let progress = |text: &str| printer.progress(text);
    let report = avenire_app::migrate(project, &targets, &progress).await?;
    for applied in &report.applied {
        printer.text(&format!("applied    {} ({} ms)", applied.file, applied.took.as_millis()));
    }
    if report.applied.is_empty() {
        printer.text(&format!("nothing to do: {} migrations are applied", report.already));
    }
    if let Some(advice) = &report.advice {
        printer.note(&format!("note: {advice}"));
    }
    let names: Vec<_> = report.applied.iter().map(|applied| &applied.file).collect();
    printer.object(&json!({ "applied": names, "already": report.already }));
    Ok(Exit::Done)
}

pub(super) async fn seed(project: &Project, printer: &Printer) -> Result<Exit> {
    let targets = super::open_targets(project, printer).await?;
    let seeded = avenire_app::seed(project, &targets).await?;
    match &seeded {
        Some(file) => printer.text(&format!("loaded     {}", file.display())),
        None => printer.text("the manifest names no sample data (migrations.sample)"),
    }
    printer.object(&json!({ "loaded": seeded }));
    Ok(Exit::Done)
}
