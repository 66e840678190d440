//! A watched set of component files: tells when what a file holds has changed, however it was
//! written, and only when it was written to the end.
//! Never: tells a part of a file, opens what is no regular file, swaps anything.
//!
//! The folders of the files are watched, not the files, since most programs put a new file in the
//! place of the old one; links on the way are watched too, so that a whole folder may be exchanged.
//! Where the operating system tells nothing (network file systems, a file that is written through
//! another of its hard links), a slow rescan finds the change by the file's size, times and number.
//! A file is taken when it has stayed the same for a quiet period, did not change while it was read,
//! and is as long as its sections say.

mod bell;
mod error;
mod folders;
mod mailbox;
mod route;
mod state;
mod watcher;
mod whole;

pub use error::{Trouble, WatchError};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use bell::{Bell, Heard};
use folders::Folders;
use mailbox::{Identity, Mailbox};
use state::File;
use watcher::Watcher;

/// Below this a file system's clock could not tell two writes apart.
const SHORTEST_QUIET: Duration = Duration::from_millis(20);

/// How files are watched.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// How long a file has to stay the same before it is read, at least 20 ms; up to ten times as
    /// long for one that keeps changing. 100 ms by default.
    pub quiet: Duration,
    /// How often files are looked at when nothing is heard of them. 2 s by default.
    pub rescan: Duration,
    /// How long a file may stay missing, incomplete or otherwise useless before a problem is told.
    /// 2 s by default.
    pub patience: Duration,
    /// The largest file that is read, in bytes. 64 MiB by default.
    pub largest: u64,
    /// Whether to ask the operating system for events; without them there is the rescan alone.
    pub events: bool,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(100),
            rescan: Duration::from_secs(2),
            patience: Duration::from_secs(2),
            largest: 64 << 20,
            events: true,
        }
    }
}

/// A file to watch.
#[derive(Debug, Clone)]
pub struct Watched {
    slot: String,
    path: PathBuf,
    serving: Option<Serving>,
}

/// What a slot has been given already.
#[derive(Debug, Clone)]
pub struct Serving(Identity);

impl Serving {
    /// A component and its signature, if it has one.
    pub fn of(bytes: &[u8], signature: Option<&str>) -> Self {
        let sha256 = Sha256::digest(bytes).into();
        Self(Identity { sha256, signature: signature.map(str::to_owned) })
    }
}

impl Watched {
    /// The file of a slot. What lies there when watching begins is not told.
    pub fn new(slot: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { slot: slot.into(), path: path.into(), serving: None }
    }

    /// Whatever differs from this is told, also when it lies there already: nothing that happens
    /// between loading a component and watching its file is missed.
    #[must_use]
    pub fn serving(self, serving: Serving) -> Self {
        Self { serving: Some(serving), ..self }
    }
}

/// A new content of a file, or a new signature of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The slot.
    pub slot: String,
    /// The file, as an absolute path.
    pub path: PathBuf,
    /// A component from its header to its last section; whether it is a valid one is open.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub sha256: [u8; 32],
    /// The text of the signature file beside it, if there is one, at most 4 KiB.
    pub signature: Option<String>,
}

/// A file that has been of no use for some time. Told once for each kind of trouble, until the file
/// is in order again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The slot.
    pub slot: String,
    /// The file, as an absolute path.
    pub path: PathBuf,
    /// What is wrong.
    pub what: Trouble,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It holds something new.
    Changed(Changed),
    /// It cannot be taken; the slot keeps what it has.
    Problem(Problem),
}

/// Files that are watched by a thread of their own until this is dropped.
#[derive(Debug)]
pub struct Watch {
    bell: Arc<Bell>,
    mailbox: Arc<Mailbox>,
}

impl Watch {
    /// Begins to watch. Reads the files of which it is not told what they serve, and blocks for as
    /// long; needs no runtime. The folders must be there, the files may come later.
    pub fn start(files: Vec<Watched>, options: WatchOptions) -> Result<Self, WatchError> {
        let bell = Arc::new(Bell::default());
        let folders = Folders::new(&bell, options.events);
        let (mut candidates, mut serving) = (Vec::new(), Vec::new());
        let mut slots = BTreeSet::new();
        for file in files {
            if !slots.insert(file.slot.clone()) {
                return Err(WatchError::Twice { slot: file.slot });
            }
            let path = absolute(&file.slot, &file.path)?;
            candidates.push(File::new(file.slot, path, Instant::now()));
            serving.push(file.serving.map(|Serving(identity)| identity));
        }
        let mailbox = Arc::new(Mailbox::default());
        let (of_bell, of_mailbox) = (Arc::clone(&bell), Arc::clone(&mailbox));
        let mut watcher =
            Watcher { files: candidates, folders, bell: of_bell, mailbox: of_mailbox, options };
        // Before the files are read, so that nothing falls in between.
        watcher.follow(&Heard::default());
        for (file, serving) in watcher.files.iter_mut().zip(&mut serving) {
            if serving.is_none() {
                *serving = file.found_at_start(&watcher.options);
            }
        }
        mailbox.begin(serving);
        let thread = std::thread::Builder::new().name("component-files".to_owned());
        let spawned = thread.spawn(move || watcher.run());
        spawned.map_err(|source| WatchError::System { source })?;
        Ok(Self { bell, mailbox })
    }

    /// The next event, the longest waiting file first; of several changes of a file only the last
    /// counts. None when the thread has ended, which only a fault of this program can bring about.
    /// Dropping the future loses nothing.
    pub async fn changed(&mut self) -> Option<Event> {
        self.mailbox.next().await
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.bell.stop();
    }
}

fn absolute(slot: &str, path: &Path) -> Result<PathBuf, WatchError> {
    let slot = || slot.to_owned();
    let full = std::path::absolute(path).map_err(|source| WatchError::System { source })?;
    let Some(folder) = full.parent().filter(|_| full.file_name().is_some()) else {
        return Err(WatchError::NoName { slot: slot(), path: path.to_owned() });
    };
    if !folder.is_dir() {
        return Err(WatchError::NoFolder { slot: slot(), folder: folder.to_owned() });
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Watch, WatchOptions, Watched};

    #[test]
    fn dropping_it_ends_its_thread_and_that_of_the_operating_systems_events() {
        let folder = tempfile::tempdir().unwrap();
        let files = vec![Watched::new("chat", folder.path().join("chat.wasm"))];
        let watch = Watch::start(files, WatchOptions::default()).unwrap();
        // Both threads hold the bell.
        let held = Arc::downgrade(&watch.bell);
        drop(watch);
        let limit = Instant::now() + Duration::from_secs(30);
        while held.strong_count() > 0 {
            assert!(Instant::now() < limit, "still held by {}", held.strong_count());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
