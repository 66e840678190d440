//! `avenire-db doctor`

use anyhow::Result;
use avenire_app::{Project, Verdict};
use serde_json::json;

use crate::exit::Exit;
use crate::output::Printer;

pub(super) async fn run(project: &Project, printer: &Printer) -> Result<Exit> {
    let targets = super::open_targets(project, printer).await;
    let checks = avenire_app::doctor(project, targets).await;
    let mut list = Vec::new();
    for check in &checks {
        let verdict = match check.verdict {
            Verdict::Fine => "fine",
            Verdict::Warning => "warning",
            Verdict::Broken => "broken",
        };
        printer.text(&format!("{verdict:<10} {}: {}", check.name, check.finding));
        if let Some(hint) = &check.hint {
            printer.text(&format!("           hint: {hint}"));
        }
        list.push(json!({
            "name": check.name, "verdict": verdict, "finding": check.finding, "hint": check.hint,
        }));
    }
    printer.object(&json!({ "checks": list }));
    let broken = checks.iter().any(|check| check.verdict == Verdict::Broken);
    Ok(if broken { Exit::Failure } else { Exit::Done })
}
