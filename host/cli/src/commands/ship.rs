//! `avenire-db components deploy|rollback|promote|abandon|history`, `list --fleet`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use avenire_app::delivery::registry::{CanaryTerms, Ended, Event, HostRecord, Outcome};
use avenire_app::{Project, Shipment, Shipping};
use serde_json::json;

use crate::arguments::ComponentsCommand;
use crate::exit::{BadArgument, Exit};
use crate::output::Printer;

pub(super) async fn run(
    project: &Project,
    command: &ComponentsCommand,
    printer: &Printer,
) -> Result<Exit> {
    // What can be wrong with the words is told before anything is started.
    let shipment = match command {
        ComponentsCommand::Deploy { component, name, canary, canary_key } => {
            Some(shipment(component, name.as_deref(), *canary, canary_key)?)
        }
        _ => None,
    };
    let targets = super::open_targets(project, printer).await?;
    let shipping = Shipping::open(project, &targets).await?;
    match command {
        ComponentsCommand::Rollback { name, to, because } => {
            let back = shipping.rollback(name, *to, because.as_deref()).await?;
            printer.text(&format!(
                "{name}: generation {} serves again, {} was taken back",
                back.to, back.from
            ));
            printer.object(&json!({ "component": name, "serving": back.to, "former": back.from }));
        }
        ComponentsCommand::Promote { name } => {
            ended(name, shipping.promote(name).await?, printer);
        }
        ComponentsCommand::Abandon { name, because } => {
            ended(name, shipping.abandon(name, because.as_deref()).await?, printer);
        }
        ComponentsCommand::History { name, limit } => {
            history(&shipping.history(name.as_deref(), *limit).await?, printer);
        }
        ComponentsCommand::List { .. } => fleet(&shipping.fleet().await?, printer),
        _ => {
            if let Some(shipment) = shipment {
                deploy(&shipping, &shipment, printer).await?;
            }
        }
    }
    Ok(Exit::Done)
}

/// What the words of `deploy` mean.
fn shipment(
    component: &str,
    name: Option<&str>,
    canary: Option<f64>,
    keys: &[String],
) -> Result<Shipment, BadArgument> {
    let is_file = component.contains(std::path::MAIN_SEPARATOR)
        || Path::new(component).extension().is_some_and(|e| e.eq_ignore_ascii_case("wasm"));
    let stem = || Path::new(component).file_stem()?.to_str().map(str::to_owned);
    let slot = match (name, is_file) {
        (Some(name), _) => name.to_owned(),
        (None, true) => stem().unwrap_or_default(),
        (None, false) => component.to_owned(),
    };
    let canary = match (canary, keys) {
        (None, []) => None,
        (share, keys) => Some(CanaryTerms {
            share_per_mille: per_mille(share.unwrap_or(0.0))?,
            keys: keys.to_vec(),
        }),
    };
    Ok(Shipment { component: slot, file: is_file.then(|| PathBuf::from(component)), canary })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
fn per_mille(percent: f64) -> Result<u16, BadArgument> {
    if (0.0..=100.0).contains(&percent) {
        return Ok((percent * 10.0).round() as u16);
    }
    Err(BadArgument {
        message: format!("{percent} % is no share of the calls"),
        hint: "give a number between 0 and 100, such as 5 or 0.5".into(),
    })
}

async fn deploy(shipping: &Shipping<'_>, shipment: &Shipment, printer: &Printer) -> Result<()> {
    printer.progress("checking the component");
    let deployed = shipping.deploy(shipment).await?;
    printer.done();
    let (name, generation) = (&shipment.component, deployed.generation);
    let what = match deployed.outcome {
        Outcome::Serving => "serves from now on",
        Outcome::Canary => "gets some of the calls",
        Outcome::Unchanged => "has these bytes already; nothing was changed",
        Outcome::Repaired => {
            "has these bytes already; the stored ones were damaged, and are right again"
        }
    };
    printer.text(&format!("{name}: generation {generation} {what}"));
    printer.text(&format!("  sha-256 {}", deployed.sha256));
    printer.object(&json!({
        "component": name, "generation": generation, "former": deployed.former,
        "sha256": deployed.sha256.to_string(),
    }));
    Ok(())
}

fn ended(name: &str, ended: Ended, printer: &Printer) {
    let serving =
        ended.serving.map_or_else(|| "nothing".to_owned(), |one| format!("generation {one}"));
    printer.text(&format!(
        "{name}: {serving} serves; the trial of generation {} is over",
        ended.canary
    ));
    printer.object(&json!({ "component": name, "serving": ended.serving, "canary": ended.canary }));
}

fn history(events: &[Event], printer: &Printer) {
    for event in events {
        let reason = event.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        printer.text(&format!(
            "{}  {} {} {} by {}{reason}",
            event.at,
            event.component,
            event.generation,
            event.what.as_str(),
            event.by
        ));
    }
    let list: Vec<_> = events
        .iter()
        .map(|event| {
            json!({
                "at": event.at, "component": event.component, "generation": event.generation,
                "what": event.what.as_str(), "by": event.by, "reason": event.reason,
                "serving": event.serving,
            })
        })
        .collect();
    printer.object(&json!({ "history": list }));
}

fn fleet(hosts: &[HostRecord], printer: &Printer) {
    for host in hosts {
        let gone = if host.is_gone { " (gone)" } else { "" };
        printer.text(&format!("{} {}{gone}", host.name, host.id));
        for slot in &host.slots {
            let serving = slot.generation.map_or_else(|| "-".to_owned(), |one| one.to_string());
            let canary = slot.canary.map_or_else(String::new, |one| format!(", canary {one}"));
            let refused = slot.refused.map_or_else(String::new, |one| {
                format!(", refused {one}: {}", slot.reason.as_deref().unwrap_or_default())
            });
            printer
                .text(&format!("  {:<12} generation {serving}{canary}{refused}", slot.component));
        }
    }
    let list: Vec<_> = hosts
        .iter()
        .map(|host| {
            let slots = host.slots.iter().map(|slot| {
                json!({
                    "component": slot.component, "generation": slot.generation,
                    "canary": slot.canary, "refused": slot.refused, "reason": slot.reason,
                })
            });
            json!({
                "host": host.id, "name": host.name, "gone": host.is_gone,
                "slots": slots.collect::<Vec<_>>(),
            })
        })
        .collect();
    printer.object(&json!({ "fleet": list }));
}
