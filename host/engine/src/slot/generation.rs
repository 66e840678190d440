//! One accepted version of a component in a slot, and what became of its calls.
//! Never: decides which generation serves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::probation::{Fault, Probation, Tally};
use crate::component::{Component, Function};
use crate::declared::{Declared, Repeat};

/// One accepted version of a component.
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) component: Arc<Component>,
    /// When it was published, or promoted.
    since: Mutex<Instant>,
    probation: Option<Probation>,
    /// What is declared of its functions, by name.
    declared: BTreeMap<Arc<str>, Repeat>,
    running: AtomicUsize,
    idle: Notify,
    calls: AtomicU64,
    faults: AtomicU64,
}

impl Generation {
    pub(super) fn new(
        number: u64,
        component: Arc<Component>,
        probation: Option<Probation>,
        declared: &Declared,
    ) -> Self {
        let functions = component.functions().map(Function::name);
        let functions = functions.map(|name| (Arc::from(name), declared.of(name)));
        let declared = functions.filter(|(_, repeat)| *repeat != Repeat::No).collect();
        Self {
            declared,
            number,
            component,
            since: Mutex::new(Instant::now()),
            probation,
            running: AtomicUsize::new(0),
            idle: Notify::new(),
            calls: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        }
    }

    /// What is declared of a function.
    pub(super) fn repeat(&self, function: &str) -> Repeat {
        self.declared.get(function).copied().unwrap_or_default()
    }

    /// Calls that it serves now.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// What became of its calls so far.
    pub(super) fn tally(&self) -> Tally {
        let faults = self.faults.load(Ordering::Relaxed);
        // Read later, so that it is never less.
        Tally { faults, calls: self.calls.load(Ordering::Relaxed) }
    }

    /// Counts a call that ended. The fault that makes its probation a failure, when this one does.
    pub(super) fn ended(&self, is_fault: bool, former: Option<Tally>) -> Option<Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if !is_fault {
            return None;
        }
        self.faults.fetch_add(1, Ordering::Relaxed);
        let probation = self.probation.as_ref()?;
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        probation.judge(since.elapsed(), self.tally(), former)
    }

    /// It serves all calls from now on: its probation begins anew.
    pub(super) fn promoted(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when no call is served by it.
    pub(super) async fn idle(&self) {
        loop {
            let mut notified = std::pin::pin!(self.idle.notified());
            notified.as_mut().enable();
            if self.running() == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// A call that is served by a generation, for as long as it lives.
pub(super) struct InUse(Arc<Generation>);

impl InUse {
    pub(super) fn new(generation: &Arc<Generation>) -> Self {
        generation.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(generation))
    }
}

impl std::ops::Deref for InUse {
    type Target = Generation;

    fn deref(&self) -> &Generation {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
