//! The folders that the operating system tells us of. When it does not, there is the slow rescan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::bell::{Bell, Heard};
use super::route::Route;
use crate::file::{Place, Stamp};

/// Which folders are watched, and as which they were found.
pub(super) struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeMap<PathBuf, Place>,
    bell: Arc<Bell>,
    warned: bool,
}

impl Folders {
    /// Rings the bell for changes, if `events` and if the system can tell of them.
    pub(super) fn new(bell: &Arc<Bell>, events: bool) -> Self {
        let ringer = Arc::clone(bell);
        let watcher = events.then(|| notify::recommended_watcher(move |event| ringer.event(event)));
        let mut folders =
            Self { watcher: None, watched: BTreeMap::new(), bell: Arc::clone(bell), warned: false };
        match watcher {
            Some(Ok(watcher)) => folders.watcher = Some(watcher),
            Some(Err(error)) => folders.warn(&error),
            None => {}
        }
        folders
    }

    /// Watches the folders of these routes and no others. To be called before the files are looked
    /// at: what happens before is seen by looking, what happens afterwards is told.
    pub(super) fn follow(&mut self, routes: &[&Route], heard: &Heard) {
        let wanted: BTreeSet<&PathBuf> = routes.iter().flat_map(|route| &route.folders).collect();
        let names = routes.iter().flat_map(|route| &route.names).cloned().collect();
        self.bell.listen(names, wanted.iter().map(|folder| (*folder).clone()).collect());
        let Some(mut watcher) = self.watcher.take() else {
            return;
        };
        self.watched.retain(|folder, place| {
            let stays = !heard.missed
                && !heard.lost.contains(folder)
                && wanted.contains(folder)
                && place_of(folder) == Some(*place);
            if !stays {
                // It may be gone, and its watch with it.
                drop(watcher.unwatch(folder));
            }
            stays
        });
        for folder in wanted {
            if self.watched.contains_key(folder) {
                continue;
            }
            let Some(place) = place_of(folder) else {
                continue;
            };
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(folder.clone(), place);
                }
                Err(error) => self.warn(&error),
            }
        }
        self.watcher = Some(watcher);
    }

    fn warn(&mut self, error: &notify::Error) {
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(%error, "changes of component files are found by looking now and then");
        }
    }
}

fn place_of(folder: &PathBuf) -> Option<Place> {
    let metadata = std::fs::metadata(folder).ok().filter(std::fs::Metadata::is_dir)?;
    Some(Stamp::of(&metadata).place)
}
