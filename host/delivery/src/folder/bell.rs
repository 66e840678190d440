//! Wakes the thread that watches: when the operating system tells of a change, or when it is to end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, Result};

/// What the thread listens for, and what it has not heard of yet.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    ringing: bool,
    /// Names of files and links on the way to a component.
    names: BTreeSet<OsString>,
    /// Folders that are watched.
    folders: BTreeSet<PathBuf>,
    heard: Heard,
}

/// What happened since the last time.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What was written, made, removed or renamed, of the names that are listened for.
    pub(super) names: BTreeSet<OsString>,
    /// Folders that are no longer what they were.
    pub(super) lost: BTreeSet<PathBuf>,
    /// The operating system has dropped events.
    pub(super) missed: bool,
}

impl Bell {
    /// From now on listens for these.
    pub(super) fn listen(&self, names: BTreeSet<OsString>, folders: BTreeSet<PathBuf>) {
        let mut state = self.lock();
        state.names = names;
        state.folders = folders;
    }

    /// An event of the operating system. Our own reading makes events too, which say nothing.
    pub(super) fn event(&self, event: Result<notify::Event>) {
        let mut state = self.lock();
        let Ok(event) = event else {
            state.heard.missed = true;
            return self.ring(state);
        };
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        if matches!(event.kind, EventKind::Access(_)) && event.kind != written {
            return;
        }
        let gone = matches!(
            event.kind,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Create(_)
        );
        let missed = event.need_rescan();
        let mut ours = missed;
        let State { names, folders, heard, .. } = &mut *state;
        heard.missed |= missed;
        for path in event.paths {
            if let Some(name) = path.file_name().filter(|name| names.contains(*name)) {
                heard.names.insert(name.to_owned());
                ours = true;
            }
            if gone && folders.contains(&path) {
                heard.lost.insert(path);
                ours = true;
            }
        }
        if ours {
            self.ring(state);
        }
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        self.ring(state);
    }

    /// Whether it is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Waits for a ring or the time, whichever comes first; none when the thread is to end.
    pub(super) fn wait(&self, until: Instant) -> Option<Heard> {
        let mut state = self.lock();
        while !state.ringing && !state.stopped {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.rung.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.ringing = false;
        (!state.stopped).then(|| std::mem::take(&mut state.heard))
    }

    fn ring(&self, mut state: MutexGuard<'_, State>) {
        state.ringing = true;
        drop(state);
        self.rung.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
