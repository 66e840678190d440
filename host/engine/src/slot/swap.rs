//! Replacing what serves: publish, roll back, canary, and falling back by itself.
//!
//! One atomic step each: a call that started keeps its generation, a call that starts gets the new
//! one, and none waits. Never: loads or checks a component; touches a connection.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Slot;
use super::generation::{Generation, InUse};
use super::probation::{Fault, Probation};
use crate::component::Component;

/// What serves in a slot.
pub(super) struct Serving {
    pub(super) current: Arc<Generation>,
    pub(super) former: Option<Arc<Generation>>,
    pub(super) canary: Option<Canary>,
}

/// A generation that serves some of the calls.
#[derive(Clone)]
pub(super) struct Canary {
    generation: Arc<Generation>,
    terms: Arc<CanaryTerms>,
}

/// Which calls a canary gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanaryTerms {
    /// So many in a thousand calls. Calls with the same key all go or all stay.
    pub share_per_mille: u16,
    /// And all calls with one of these keys.
    pub keys: BTreeSet<String>,
}

impl CanaryTerms {
    /// `ticket` numbers the calls of a slot; it decides for those without a key.
    fn take(&self, key: Option<&str>, ticket: u64) -> bool {
        if key.is_some_and(|key| self.keys.contains(key)) {
            return true;
        }
        let place = key.map_or(ticket, |key| {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            hasher.finish()
        });
        // 619 is prime to 1,000: every thousand calls in a row go to each place once, and
        // neighbours go far apart.
        place.wrapping_mul(619) % 1000 < u64::from(self.share_per_mille)
    }
}

/// Why what serves was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// Nothing served before this generation, as far as this host knows.
    #[error("{component} has no generation before {serving} to go back to")]
    NothingBefore {
        /// Name of the slot.
        component: String,
        /// The generation that serves.
        serving: u64,
    },
    /// No canary is under way.
    #[error("{component} has no canary")]
    NoCanary {
        /// Name of the slot.
        component: String,
    },
}

/// A change of what serves, made.
pub struct Published {
    /// The generation that serves now.
    pub generation: u64,
    /// The one that served before; its calls go on.
    pub former: u64,
    draining: Arc<Generation>,
    calls: usize,
    began: Instant,
}

/// How the calls of a former generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Calls that were under way when the next generation was published.
    pub calls: usize,
    /// Those that had not ended when waiting for them ended.
    pub left: usize,
    /// How long it took.
    pub took: Duration,
}

impl Published {
    /// Waits for the calls that the former generation still serves, at most for `patience`. They
    /// end by themselves within the slot's limit of time.
    pub async fn drained(self, patience: Duration) -> Drained {
        // What is left after that is counted.
        drop(tokio::time::timeout(patience, self.draining.idle()).await);
        let left = self.draining.running();
        Drained { calls: self.calls, left, took: self.began.elapsed() }
    }
}

/// A generation that was taken back by the host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FellBack {
    /// Name of the slot.
    pub component: Arc<str>,
    /// The generation that failed its probation.
    pub generation: u64,
    /// The one that serves instead.
    pub to: u64,
    /// Why.
    pub fault: Fault,
}

impl Slot {
    /// The generation for a call. When what serves changes in this very moment the call starts
    /// anew, so that a drained generation never gets another one.
    pub(super) fn choose(&self, key: Option<&str>) -> InUse {
        let ticket = self.calls.fetch_add(1, Ordering::Relaxed);
        loop {
            let serving = self.serving.load();
            let chosen = match &serving.canary {
                Some(canary) if canary.terms.take(key, ticket) => &canary.generation,
                _ => &serving.current,
            };
            let in_use = InUse::new(chosen);
            if Arc::ptr_eq(&serving, &self.serving.load()) {
                return in_use;
            }
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn published(&self, began: Instant, before: &Serving, after: Serving) -> Published {
        let (generation, former) = (after.current.number, before.current.number);
        let draining = Arc::clone(&before.current);
        self.serving.store(Arc::new(after));
        Published { generation, former, calls: draining.running(), draining, began }
    }

    /// Serves `component` as generation `number` to all calls from now on; a canary ends.
    pub fn publish(
        &self,
        component: Arc<Component>,
        number: u64,
        probation: Option<Probation>,
    ) -> Published {
        let began = Instant::now();
        let _changing = self.changing();
        let before = self.serving.load_full();
        let current = Arc::new(Generation::new(number, component, probation, &self.declared));
        let former = Some(Arc::clone(&before.current));
        self.published(began, &before, Serving { current, former, canary: None })
    }

    /// Serves `component` as generation `number` to some calls; a former canary ends.
    pub fn start_canary(
        &self,
        component: Arc<Component>,
        number: u64,
        terms: CanaryTerms,
        probation: Option<Probation>,
    ) {
        let _changing = self.changing();
        let generation = Arc::new(Generation::new(number, component, probation, &self.declared));
        let canary = Some(Canary { generation, terms: Arc::new(terms) });
        let Serving { current, former, .. } = &**self.serving.load();
        let (current, former) = (Arc::clone(current), former.clone());
        self.serving.store(Arc::new(Serving { current, former, canary }));
    }

    /// Gives all calls to the canary.
    pub fn promote(&self) -> Result<Published, SwapError> {
        let began = Instant::now();
        let _changing = self.changing();
        let before = self.serving.load_full();
        let Some(canary) = &before.canary else { return Err(self.no_canary()) };
        let current = Arc::clone(&canary.generation);
        current.promoted();
        let former = Some(Arc::clone(&before.current));
        Ok(self.published(began, &before, Serving { current, former, canary: None }))
    }

    /// Gives the canary other calls than before.
    pub fn adjust(&self, terms: CanaryTerms) -> Result<(), SwapError> {
        let _changing = self.changing();
        let Serving { current, former, canary } = &**self.serving.load();
        let Some(canary) = canary else { return Err(self.no_canary()) };
        let canary = Canary { generation: Arc::clone(&canary.generation), terms: Arc::new(terms) };
        let (current, former) = (Arc::clone(current), former.clone());
        self.serving.store(Arc::new(Serving { current, former, canary: Some(canary) }));
        Ok(())
    }

    /// The generation that [`Slot::roll_back`] would serve.
    pub fn former(&self) -> Option<u64> {
        self.serving.load().former.as_ref().map(|former| former.number)
    }

    /// Ends the canary: all calls go to the generation that serves the others. Its number.
    pub fn abandon(&self) -> Result<u64, SwapError> {
        let _changing = self.changing();
        let Serving { current, former, canary } = &**self.serving.load();
        let Some(canary) = canary else { return Err(self.no_canary()) };
        let number = canary.generation.number;
        let (current, former) = (Arc::clone(current), former.clone());
        self.serving.store(Arc::new(Serving { current, former, canary: None }));
        Ok(number)
    }

    /// Serves what served before, which is still in memory. Only once: what served before that is
    /// for whoever stores components.
    pub fn roll_back(&self) -> Result<Published, SwapError> {
        let began = Instant::now();
        let _changing = self.changing();
        let before = self.serving.load_full();
        let Some(former) = &before.former else {
            let component = self.name.to_string();
            return Err(SwapError::NothingBefore { component, serving: before.current.number });
        };
        let current = Arc::clone(former);
        Ok(self.published(began, &before, Serving { current, former: None, canary: None }))
    }

    fn no_canary(&self) -> SwapError {
        SwapError::NoCanary { component: self.name.to_string() }
    }

    /// Counts a call, and takes its generation back when it has failed its probation.
    pub(super) fn count(&self, generation: &Generation, is_error: bool, is_fault: bool) {
        if is_error {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        let serving = self.serving.load();
        let is_canary = serving.canary.as_ref().is_some_and(|c| c.is(generation));
        let other = if is_canary { Some(&serving.current) } else { serving.former.as_ref() };
        let tally = other.map(|other| other.tally());
        let can_fall = other.is_some();
        drop(serving);
        let failed = generation.ended(is_fault, tally);
        if let Some(fault) = failed.filter(|_| can_fall) {
            self.fall_back(generation, fault);
        }
    }

    fn fall_back(&self, failed: &Generation, fault: Fault) {
        let _changing = self.changing();
        let serving = self.serving.load_full();
        let Serving { current, former, canary } = &*serving;
        let after = match (canary, former) {
            (Some(canary), _) if canary.is(failed) => {
                let (current, former) = (Arc::clone(current), former.clone());
                Serving { current, former, canary: None }
            }
            (_, Some(former)) if std::ptr::eq(&raw const **current, failed) => {
                Serving { current: Arc::clone(former), former: None, canary: None }
            }
            // Somebody else was faster.
            _ => return,
        };
        let (generation, to) = (failed.number, after.current.number);
        self.serving.store(Arc::new(after));
        let component = Arc::clone(&self.name);
        tracing::error!(component = %component, generation, to, "generation taken back: {fault}");
        // Nobody has to listen.
        drop(self.fallen.send(FellBack { component, generation, to, fault }));
    }

    /// Hears of generations that this slot takes back by itself.
    pub fn fallen(&self) -> tokio::sync::broadcast::Receiver<FellBack> {
        self.fallen.subscribe()
    }
}

impl Canary {
    fn is(&self, generation: &Generation) -> bool {
        std::ptr::eq(&raw const *self.generation, generation)
    }

    /// The number of its generation.
    pub(super) fn number(&self) -> u64 {
        self.generation.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(share: u16, keys: &[&str]) -> CanaryTerms {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        CanaryTerms { share_per_mille: share, keys }
    }

    #[test]
    fn a_share_is_exact_over_a_thousand_calls() {
        for share in [0, 1, 50, 500, 999, 1000] {
            let terms = terms(share, &[]);
            let taken = (7..1007).filter(|&ticket| terms.take(None, ticket)).count();
            assert_eq!(taken, usize::from(share));
        }
    }

    #[test]
    fn calls_with_one_key_all_go_or_all_stay() {
        let terms = terms(300, &["tenant-1"]);
        assert!((0..100).all(|ticket| terms.take(Some("tenant-1"), ticket)));
        let goes = |key: &str| (0..100).filter(|&ticket| terms.take(Some(key), ticket)).count();
        let all: Vec<usize> = (0..1000).map(|n| goes(&format!("user-{n}"))).collect();
        assert!(all.iter().all(|&calls| calls == 0 || calls == 100));
        let share = all.iter().filter(|&&calls| calls == 100).count();
        assert!((200..400).contains(&share), "{share} of 1,000 keys");
    }
}
