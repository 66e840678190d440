//! `avenire-db serve`: a host in production.

use anyhow::Result;
use avenire_app::{Notice, Project, ServeOptions, Service};
use serde_json::json;

use crate::arguments::ServeArguments;
use crate::exit::Exit;
use crate::output::Printer;

pub(super) async fn run(
    project: Project,
    arguments: &ServeArguments,
    printer: &Printer,
) -> Result<Exit> {
    let targets = super::open_targets(&project, printer).await?;
    let defaults = ServeOptions::default();
    let options = ServeOptions {
        watch: arguments.watch,
        registry: !arguments.no_registry,
        name: arguments.name.clone().unwrap_or(defaults.name.clone()),
        ..defaults
    };
    printer.progress("loading the components");
    let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
    // When nobody listens any more the service is about to stop.
    let told = Box::new(move |notice| drop(sender.send(notice)));
    let service = Service::start(project, targets, options, told).await?;
    printer.done();
    let slots: Vec<_> = service.host().slots().collect();
    for slot in &slots {
        printer.text(&format!("{}: generation {} serves", slot.name(), slot.generation()));
    }
    let slots: Vec<_> = slots
        .iter()
        .map(|slot| json!({ "component": slot.name(), "generation": slot.generation() }))
        .collect();
    printer.object(&json!({ "serving": slots }));
    let stop = stopped();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(notice) = notices.recv() => show(&notice, printer),
        }
    }
    printer.note("stopping");
    service.stop().await;
    Ok(Exit::Done)
}

fn show(notice: &Notice, printer: &Printer) {
    printer.text(&notice.text());
    printer.object(&json!({ "notice": notice.text() }));
    if let Notice::Refused { hint: Some(hint), .. } = notice {
        printer.text(&format!("  hint: {hint}"));
    }
}

/// Ctrl-C, or the signal that service managers send.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminated) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
}
