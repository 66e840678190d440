//! `avenire-db dev`: everything for development, with one command.

use std::time::Instant;

use anyhow::Result;
use avenire_app::delivery::Sources;
use avenire_app::engine::Call;
use avenire_app::schema::ApplyOptions;
use avenire_app::{Built, Host, Project, ServeOptions, Service};
use serde_json::{Value, json};

use super::{call, http};
use crate::arguments::DevArguments;
use crate::exit::Exit;
use crate::output::Printer;

/// How much of a result the tour shows.
const SHOWN: usize = 600;

pub(super) async fn run(
    project: Project,
    arguments: &DevArguments,
    printer: &Printer,
) -> Result<Exit> {
    let began = Instant::now();
    let targets = super::open_targets(&project, printer).await?;
    let progress = |text: &str| printer.progress(text);
    let options = ApplyOptions::default();
    let reports = avenire_app::migrate(&project, &targets, options, &progress).await?;
    let applied: usize = reports.iter().map(|(_, report)| report.applied.len()).sum();
    let before: usize = reports.iter().map(|(_, report)| report.already).sum();
    let note = |text: &str| printer.note(text);
    let built = avenire_app::build(&project, &[], &note).await?;
    let seeded = avenire_app::seed_once(&project, &targets).await?;
    printer.progress("loading the components");
    let watch = !arguments.no_watch;
    // Files count here, whatever was deployed to this database.
    let options = ServeOptions { watch, registry: false, ..ServeOptions::default() };
    let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
    // When nobody listens any more the service is about to stop.
    let told = Box::new(move |notice| drop(sender.send(notice)));
    let stopped = super::stopped();
    let service = Service::start(project.clone(), targets, options, told).await?;
    printer.done();
    let host = service.host();

    let ready = began.elapsed();
    printer.text(&format!("\navenire-db is ready after {:.1} s.\n", ready.as_secs_f64()));
    printer.text(&format!("  database    {}", database(host)));
    printer.text(&format!("  migrations  {applied} applied now, {before} before"));
    if let Some(file) = &seeded {
        printer.text(&format!("  sample      {} loaded", shown_path(&project, file)));
    }
    for slot in host.slots() {
        let component = slot.component();
        printer.text(&format!(
            "  component   {:<10} {} functions, role {}",
            slot.name(),
            component.functions().count(),
            slot.pool().endpoint().user()
        ));
    }
    let server = http::bind_somewhere(&service, printer).await?;
    tour(&project, host, printer).await;
    printer.object(&json!({
        "ready": { "milliseconds": u64::try_from(ready.as_millis()).unwrap_or(u64::MAX), "database": database(host),
        "applied": applied, "listening": server.addresses(), "components": host.slots().map(|slot| slot.name()).collect::<Vec<_>>() }
    }));
    if watch {
        printer.text("\nA component whose sources change is built and served again.");
    }
    printer.text("Press Ctrl-C to stop.");
    let builds = async {
        if watch { rebuild(&project, &built, printer).await } else { std::future::pending().await }
    };
    tokio::select! {
        ended = server.run(stopped) => ended?,
        () = builds => {}
        () = super::serve::show_all(&mut notices, printer) => {}
    }
    printer.note("stopping");
    service.stop().await;
    Ok(Exit::Done)
}

/// Builds components again whenever their sources change. What comes of it is served by the service,
/// which watches the components' files; a build that fails leaves them as they were.
async fn rebuild(project: &Project, built: &[Built], printer: &Printer) {
    let mut sources = match Sources::new() {
        Ok(sources) => sources,
        Err(reason) => {
            printer.note(&format!("changes of sources will not be noticed: {reason}"));
            return std::future::pending().await;
        }
    };
    let files = built.iter().flat_map(|one| &one.sources).map(AsRef::as_ref);
    sources.follow(files);
    loop {
        sources.changed().await;
        match avenire_app::build(project, &[], &|text| printer.note(text)).await {
            Ok(built) => {
                sources.follow(built.iter().flat_map(|one| &one.sources).map(AsRef::as_ref));
                if built.iter().all(|one| !one.changed) {
                    printer.note("nothing has changed in what was built");
                }
            }
            Err(error) => printer.error(&error.into()),
        }
    }
}

fn shown_path(project: &Project, file: &std::path::Path) -> String {
    file.strip_prefix(project.root()).unwrap_or(file).display().to_string()
}

fn database(host: &Host) -> String {
    match &host.targets().embedded {
        Some(cluster) => format!(
            "embedded Postgres {} (psql -h {} -U postgres {})",
            cluster.version(),
            cluster.socket_folder().display(),
            host.targets().direct.database()
        ),
        None => host.targets().pooled.redacted(),
    }
}

/// Makes the manifest's example calls and shows what they give.
async fn tour(project: &Project, host: &Host, printer: &Printer) {
    let calls = &project.manifest().dev.tour;
    if calls.is_empty() {
        return;
    }
    printer.text("\nCalls to try from another terminal, with what they give now:");
    for line in calls {
        let (function, arguments) = line.split_once(' ').unwrap_or((line, "{}"));
        let quoted = arguments.replace('\'', "'\\''");
        printer.text(&format!("\n  $ avenire-db call {function} '{quoted}'"));
        match example(project, host, function, arguments).await {
            Ok(value) => printer.text(&abridged(&value)),
            Err(error) => printer.text(&format!("  {error:#}")),
        }
    }
}

async fn example(project: &Project, host: &Host, function: &str, arguments: &str) -> Result<Value> {
    let (component, function) = call::split(function)?;
    let arguments = call::parse(arguments)?;
    let slot = host.slot(project, component)?;
    let outcome = slot.call(Call::new(function, arguments)).await?;
    Ok(outcome.result.unwrap_or_else(|failure| json!({ "failure": failure })))
}

fn abridged(value: &Value) -> String {
    let text = format!("{value}");
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("  {shown}")
}
