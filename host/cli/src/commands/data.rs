//! `avenire-db seed`

use anyhow::Result;
use avenire_app::Project;
use serde_json::json;

use crate::exit::Exit;
use crate::output::Printer;

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
