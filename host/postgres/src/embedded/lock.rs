//! Lock files (`flock(2)`): the kernel lets go of them however their holder ends.
//! Never: passes a lock on to a child; Rust opens files close-on-exec.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::EmbeddedError;

/// How often a waiter looks again. A blocking `flock` cannot be given up, so we poll.
const INTERVAL: Duration = Duration::from_millis(5);

/// A point in time, and how long it was away at first, for the error that reports it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    patience: Duration,
}

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Self { at: Instant::now() + patience, patience }
    }

    /// An error once the time has come.
    pub(super) fn check(self, waited_for: &'static str) -> Result<(), EmbeddedError> {
        if Instant::now() < self.at {
            return Ok(());
        }
        Err(self.passed(waited_for))
    }

    /// The error that says so.
    pub(super) fn passed(self, waited_for: &'static str) -> EmbeddedError {
        EmbeddedError::Deadline { waited_for, seconds: self.patience.as_secs() }
    }

    pub(super) fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// With others.
    Shared,
    /// Alone.
    Exclusive,
}

/// A lock that is held until dropped.
#[derive(Debug)]
pub(super) struct Held {
    _file: File,
}

/// Takes the lock without waiting; `None` when somebody is in the way.
pub(super) fn try_take(path: &Path, mode: Mode) -> io::Result<Option<Held>> {
    loop {
        let file = open(path)?;
        let taken = match mode {
            Mode::Shared => file.try_lock_shared(),
            Mode::Exclusive => file.try_lock(),
        };
        match taken {
            // Somebody deleted the folder meanwhile: this lock excludes nobody.
            Ok(()) if !is_at(&file, path) => {}
            Ok(()) => return Ok(Some(Held { _file: file })),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Takes the lock, waiting until the deadline; `waiting` is called once if it has to.
pub(super) async fn take(
    path: &Path,
    mode: Mode,
    deadline: Deadline,
    waited_for: &'static str,
    waiting: impl FnOnce(),
) -> Result<Held, EmbeddedError> {
    let attempt = || {
        try_take(path, mode).map_err(|source| EmbeddedError::Folder {
            action: "lock",
            path: path.to_path_buf(),
            source,
        })
    };
    if let Some(held) = attempt()? {
        return Ok(held);
    }
    waiting();
    loop {
        deadline.check(waited_for)?;
        tokio::time::sleep(INTERVAL).await;
        if let Some(held) = attempt()? {
            return Ok(held);
        }
    }
}

/// Takes the lock alone, for as long as it takes. Blocks the thread.
pub(super) fn block_on_exclusive(path: &Path) -> io::Result<Held> {
    let file = open(path)?;
    file.lock()?;
    Ok(Held { _file: file })
}

fn open(path: &Path) -> io::Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
        }
        opened => opened,
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        let folder =
            std::env::temp_dir().join(format!("avenire-lock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_exclusive_lock_waits_for_all_shared_ones() {
        let folder = scratch("shared");
        let path = folder.join("users.lock");
        let first = try_take(&path, Mode::Shared).unwrap();
        let second = try_take(&path, Mode::Shared).unwrap();
        assert!(first.is_some() && second.is_some());
        drop(first);
        assert!(try_take(&path, Mode::Exclusive).unwrap().is_none());
        drop(second);
        assert!(try_take(&path, Mode::Exclusive).unwrap().is_some());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_lock_on_a_deleted_file_is_not_taken_for_the_one_at_its_path() {
        let folder = scratch("deleted");
        let path = folder.join("users.lock");
        let file = open(&path).unwrap();
        assert!(is_at(&file, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        drop(open(&path).unwrap());
        assert!(!is_at(&file, &path));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
