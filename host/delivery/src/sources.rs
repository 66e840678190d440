//! Hears when the source files of components change, so that a development host builds them anew.
//! Never: reads a file, builds anything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// How long nothing may change before a change is told: programs write several files at once.
const QUIET: Duration = Duration::from_millis(150);

/// What is no source, however it is written beside them: editors' own files.
const NOT_SOURCES: [&str; 5] = ["~", ".swp", ".swx", ".tmp", ".bak"];

/// Hears of changes of source files.
#[derive(Debug)]
pub struct Sources {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    changed: Arc<Notify>,
}

impl Sources {
    /// Begins to listen, to nothing yet. The error is the operating system's.
    pub fn new() -> Result<Self, String> {
        let changed = Arc::new(Notify::new());
        let bell = Arc::clone(&changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| is_change(&event)) {
                bell.notify_one();
            }
        });
        let watcher = watcher.map_err(|error| error.to_string())?;
        Ok(Self { watcher, folders: BTreeSet::new(), changed })
    }

    /// Listens to the folders of these files: also to files that are new there. What was listened to
    /// before stays. Folders that can not be watched are told in the log.
    pub fn follow<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        for folder in files.into_iter().filter_map(Path::parent) {
            if !self.folders.insert(folder.to_owned()) {
                continue;
            }
            if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %folder.display(), %error, "can not be watched for changes");
            }
        }
    }

    /// Waits until something has changed, and nothing more does for a moment.
    ///
    /// # Cancel safety
    /// A change that was heard while the future was dropped is not told again.
    pub async fn changed(&self) {
        self.changed.notified().await;
        while tokio::time::timeout(QUIET, self.changed.notified()).await.is_ok() {}
    }
}

fn is_change(event: &notify::Event) -> bool {
    let is_source = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| {
            !name.starts_with('.') && !NOT_SOURCES.iter().any(|end| name.ends_with(end))
        })
    };
    let is_write =
        matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_));
    is_write && event.paths.iter().any(is_source)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_heard(sources: &Sources) -> bool {
        tokio::time::timeout(Duration::from_secs(20), sources.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_written_a_new_and_a_removed_file_are_heard_and_an_editors_own_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lib.rs");
        std::fs::write(&file, "1").unwrap();
        let mut sources = Sources::new().unwrap();
        sources.follow([file.as_path()]);
        std::fs::write(folder.path().join(".lib.rs.swp"), "x").unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(400), sources.changed()).await;
        assert!(quiet.is_err());
        std::fs::write(&file, "2").unwrap();
        assert!(is_heard(&sources).await);
        std::fs::write(folder.path().join("new.rs"), "3").unwrap();
        assert!(is_heard(&sources).await);
        std::fs::remove_file(&file).unwrap();
        assert!(is_heard(&sources).await);
    }
}
