//! Hears of changes, in the registry and in files, and hands each to the slot it is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use avenire_delivery::registry::{Feed, Following};
use avenire_delivery::{Event, Watch, WatchOptions, Watched};

use super::slot::{Inbox, Wanted};
use super::{Ground, Notice};
use crate::error::AppError;
use crate::host::Artifact;

/// Hands what the registry says to the slots, for ever.
pub(super) async fn registry(
    ground: Arc<Ground>,
    mut feed: Feed,
    inboxes: BTreeMap<String, Inbox>,
) {
    let mut told = Following::Starting;
    let mut watch = feed.watch_following();
    loop {
        let slots = tokio::select! {
            slots = feed.changed() => slots,
            following = watch.changed() => {
                if std::mem::discriminant(&following) != std::mem::discriminant(&told) {
                    ground.tell(Notice::Following(following.clone()));
                }
                told = following;
                continue;
            }
        };
        for problem in &slots.problems {
            tracing::warn!(%problem, "a part of the registry can not be read");
        }
        for record in &slots.slots {
            if let Some(inbox) = inboxes.get(&record.component) {
                inbox.put(Wanted::Registry(Box::new(record.clone())));
            }
        }
    }
}

/// The files of the components that came from files.
pub(super) fn files(ground: &Ground) -> Result<Watch, AppError> {
    let Ground { project, host, .. } = ground;
    let files = host.files().map(|(name, serving)| {
        // A component that was loaded is in the manifest.
        let path = project.manifest().components.get(name).map(|entry| project.path(&entry.path));
        Watched::new(name, path.unwrap_or_default()).serving(serving.clone())
    });
    Ok(Watch::start(files.collect(), WatchOptions::default())?)
}

/// Hands what files hold to the slots, for ever.
pub(super) async fn folder(
    ground: Arc<Ground>,
    mut watch: Watch,
    inboxes: BTreeMap<String, Inbox>,
) {
    while let Some(event) = watch.changed().await {
        match event {
            Event::Changed(changed) => {
                let Some(inbox) = inboxes.get(&changed.slot) else { continue };
                let artifact = Artifact { from: changed.path, bytes: changed.bytes.into() };
                inbox.put(Wanted::File(artifact, changed.signature));
            }
            Event::Problem(problem) => ground.tell(Notice::Refused {
                component: problem.slot,
                from: problem.path,
                reason: problem.what.to_string(),
                hint: Some(problem.what.hint().to_owned()),
            }),
        }
    }
}
