//! `avenire-db serve`: a host in production.

use anyhow::Result;
use avenire_app::server::Server;
use avenire_app::{Notice, Project, ServeOptions, Service};
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

use super::http;
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
    let stopped = super::stopped();
    let service = Service::start(project, targets, options, told).await?;
    printer.done();
    let slots: Vec<_> = service.host().slots().collect();
    for slot in &slots {
        printer.text(&format!("{}: generation {} serves", slot.name(), slot.generation()));
    }
    let server = if arguments.no_http {
        None
    } else {
        match http::bind(&service, &arguments.listen, printer).await {
            Ok(server) => Some(server),
            Err(error) => {
                service.stop().await;
                return Err(error.into());
            }
        }
    };
    let slots: Vec<_> = slots
        .iter()
        .map(|slot| json!({ "component": slot.name(), "generation": slot.generation() }))
        .collect();
    let listening = server.as_ref().map(Server::addresses).unwrap_or_default();
    printer.object(&json!({ "serving": slots, "listening": listening }));
    let auth = server.as_ref().map(Server::auth);
    let (stop, told) = tokio::sync::oneshot::channel::<()>();
    let stopping = async { drop(told.await) };
    let serving = async {
        if let Some(server) = server {
            server.run(stopping).await
        } else {
            stopping.await;
            Ok(())
        }
    };
    let reloading = async {
        match auth {
            Some(auth) => http::reload(auth, service.project(), printer).await,
            None => std::future::pending().await,
        }
    };
    let beside = async {
        tokio::select! {
            () = stopped => drop(stop.send(())),
            () = show_all(&mut notices, printer) => {}
            () = reloading => {}
        }
    };
    tokio::pin!(serving);
    let ended = tokio::select! {
        // By itself it ends only by a fault.
        ended = &mut serving => ended,
        // Calls that run are finished before anything is closed.
        () = beside => serving.await,
    };
    printer.note("stopping");
    service.stop().await;
    ended?;
    Ok(Exit::Done)
}

/// Tells what changes, for as long as the service lives.
pub(super) async fn show_all(notices: &mut UnboundedReceiver<Notice>, printer: &Printer) {
    while let Some(notice) = notices.recv().await {
        show(&notice, printer);
    }
    std::future::pending::<()>().await;
}

fn show(notice: &Notice, printer: &Printer) {
    printer.text(&notice.text());
    printer.object(&json!({ "notice": notice.text() }));
    if let Notice::Refused { hint: Some(hint), .. } = notice {
        printer.text(&format!("  hint: {hint}"));
    }
}
