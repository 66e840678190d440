//! What the receiver of changes has been told, and what waits for it: one event a file, the latest.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Changed, Event, Problem, Trouble};

/// What makes one content differ from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) sha256: [u8; 32],
    pub(super) signature: Option<String>,
}

#[derive(Debug, Default)]
struct Slot {
    /// What the receiver has.
    told: Option<Identity>,
    /// The trouble that it has heard of, until the file is in order again.
    trouble: Option<Trouble>,
    waiting: Option<Event>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Slot>,
    /// Those with an event, the longest waiting first.
    order: VecDeque<usize>,
    closed: bool,
}

/// Between the thread that watches and the receiver. At most one content a file is held.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    arrived: Notify,
}

impl Mailbox {
    /// The receiver has these contents of the files.
    pub(super) fn begin(&self, told: Vec<Option<Identity>>) {
        self.lock().files = told.into_iter().map(|told| Slot { told, ..Slot::default() }).collect();
    }

    /// The file has this content now.
    pub(super) fn content(&self, index: usize, changed: Changed) {
        let identity = identity(&changed);
        self.change(index, |slot| {
            if slot.told.as_ref() == Some(&identity) {
                slot.trouble = None;
                slot.waiting = None;
            } else {
                slot.waiting = Some(Event::Changed(changed));
            }
        });
    }

    /// The file is in trouble; a content that was not fetched yet is not the file's any more.
    pub(super) fn trouble(&self, index: usize, problem: Problem) {
        self.change(index, |slot| {
            let heard = slot.trouble.as_ref().map(discriminant);
            let again = heard == Some(discriminant(&problem.what));
            slot.waiting = if again { None } else { Some(Event::Problem(problem)) };
        });
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut Slot)) {
        let mut state = self.lock();
        let Some(slot) = state.files.get_mut(index) else {
            return;
        };
        change(slot);
        let waits = slot.waiting.is_some();
        if !waits {
            state.order.retain(|other| *other != index);
        } else if !state.order.contains(&index) {
            state.order.push_back(index);
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// Nothing will come any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// The next event; none when closed. A future that is dropped has taken nothing.
    pub(super) async fn next(&self) -> Option<Event> {
        loop {
            if let Some(event) = self.take() {
                return Some(event);
            }
            if self.lock().closed {
                return None;
            }
            self.arrived.notified().await;
        }
    }

    fn take(&self) -> Option<Event> {
        let mut state = self.lock();
        let index = state.order.pop_front()?;
        let slot = state.files.get_mut(index)?;
        let event = slot.waiting.take()?;
        match &event {
            Event::Changed(changed) => {
                slot.told = Some(identity(changed));
                slot.trouble = None;
            }
            Event::Problem(problem) => slot.trouble = Some(problem.what.clone()),
        }
        Some(event)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(changed: &Changed) -> Identity {
    Identity { sha256: changed.sha256, signature: changed.signature.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::{Changed, Event, Problem, Trouble};
    use super::{Mailbox, identity};

    fn content(file: usize, byte: u8) -> Changed {
        Changed {
            slot: file.to_string(),
            path: "chat.wasm".into(),
            bytes: vec![byte],
            sha256: [byte; 32],
            signature: None,
        }
    }

    fn problem(what: Trouble) -> Problem {
        Problem { slot: "0".to_owned(), path: "chat.wasm".into(), what }
    }

    /// Of two files, which have been told to hold 1.
    fn mailbox() -> Mailbox {
        let mailbox = Mailbox::default();
        mailbox.begin(vec![Some(identity(&content(0, 1))), Some(identity(&content(1, 1)))]);
        mailbox
    }

    #[test]
    fn of_several_contents_of_a_file_only_the_last_waits() {
        let mailbox = mailbox();
        for byte in 2..10 {
            mailbox.content(0, content(0, byte));
            mailbox.content(1, content(1, byte));
        }
        assert_eq!(mailbox.take(), Some(Event::Changed(content(0, 9))));
        assert_eq!(mailbox.take(), Some(Event::Changed(content(1, 9))));
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn a_content_that_is_taken_back_before_it_was_fetched_is_not_told() {
        let mailbox = mailbox();
        mailbox.content(0, content(0, 2));
        mailbox.content(1, content(1, 2));
        mailbox.content(0, content(0, 1));
        assert_eq!(mailbox.take(), Some(Event::Changed(content(1, 2))));
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn a_content_that_was_not_fetched_before_the_file_broke_is_not_told() {
        let mailbox = mailbox();
        mailbox.content(0, content(0, 2));
        mailbox.trouble(0, problem(Trouble::Missing));
        assert_eq!(mailbox.take(), Some(Event::Problem(problem(Trouble::Missing))));
        assert_eq!(mailbox.take(), None);
        // Nor when the trouble is not told again.
        mailbox.content(0, content(0, 2));
        mailbox.trouble(0, problem(Trouble::Missing));
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn a_trouble_that_is_over_before_it_was_fetched_is_not_told() {
        let mailbox = mailbox();
        mailbox.trouble(0, problem(Trouble::Missing));
        mailbox.content(0, content(0, 1));
        assert_eq!(mailbox.take(), None);
        mailbox.trouble(0, problem(Trouble::Module));
        mailbox.content(0, content(0, 2));
        assert_eq!(mailbox.take(), Some(Event::Changed(content(0, 2))));
        assert_eq!(mailbox.take(), None);
    }
}
