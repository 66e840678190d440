//! The thread that watches: it alone looks at the files, and it blocks nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::WatchOptions;
use super::bell::{Bell, Heard};
use super::folders::Folders;
use super::mailbox::Mailbox;
use super::state::{File, Outcome};

/// The least time between two looks, however many events come.
const BREATH: Duration = Duration::from_millis(10);

pub(super) struct Watcher {
    pub(super) files: Vec<File>,
    pub(super) folders: Folders,
    pub(super) bell: Arc<Bell>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) options: WatchOptions,
}

impl Watcher {
    /// Until the bell says stop.
    pub(super) fn run(&mut self) {
        let mut until = Instant::now();
        while let Some(heard) = self.bell.wait(until) {
            self.follow(&heard);
            let now = Instant::now();
            let Some(due) = self.look(&heard) else {
                return;
            };
            until = due.min(now + self.options.rescan.max(BREATH));
            std::thread::sleep(BREATH);
        }
    }

    /// Watches the folders that matter now.
    pub(super) fn follow(&mut self, heard: &Heard) {
        let mut routes = Vec::with_capacity(self.files.len());
        for file in &mut self.files {
            file.reroute();
            routes.push(&file.route);
        }
        self.folders.follow(&routes, heard);
    }

    /// Looks at each file, tells what came of it, and says when to look again at the latest; none
    /// when it is to end.
    fn look(&mut self, heard: &Heard) -> Option<Instant> {
        let mut next = Instant::now() + self.options.rescan;
        for (index, file) in self.files.iter_mut().enumerate() {
            // Reading may take a while.
            if self.bell.is_stopped() {
                return None;
            }
            let (outcome, due) = file.step(heard, &self.options);
            match outcome {
                Some(Outcome::Content(changed)) => self.mailbox.content(index, changed),
                Some(Outcome::Trouble(problem)) => self.mailbox.trouble(index, problem),
                None => {}
            }
            next = due.map_or(next, |due| next.min(due));
        }
        Some(next)
    }
}

/// Also when the thread ends by a panic, so that nobody waits for what will not come.
impl Drop for Watcher {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
