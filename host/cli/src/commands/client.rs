//! `avenire-db client`: typed clients of the components' functions.

use std::path::Path;

use anyhow::{Context as _, Result};
use avenire_app::Project;
use serde_json::json;

use crate::arguments::ClientCommand;
use crate::exit::Exit;
use crate::output::Printer;

pub(super) fn run(project: &Project, command: &ClientCommand, printer: &Printer) -> Result<Exit> {
    let ClientCommand::Typescript { out } = command;
    let text = avenire_app::typescript(project)?;
    if let Some(file) = out {
        write(file, &text)?;
        printer.text(&format!("wrote      {}", file.display()));
        printer.object(&json!({ "wrote": file }));
    } else {
        printer.text(text.trim_end());
        printer.object(&json!({ "typescript": text }));
    }
    Ok(Exit::Done)
}

/// A file that is the same stays as it was, so that nothing is built anew for it.
fn write(file: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(file).is_ok_and(|former| former == text) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    }
    std::fs::write(file, text).with_context(|| format!("could not write {}", file.display()))
}
