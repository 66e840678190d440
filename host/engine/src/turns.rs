//! Turns of guests on the runtime's few threads, so that no slot keeps those of another waiting.
//!
//! The clock makes a guest yield, but a hundred guests that loop would still put a hundred ticks
//! between two steps of a short call. So a call that has computed for longer than a query function
//! ever does goes on only in its turn: one call of each slot waits for a turn, slots are served in
//! the order they came, and half of the processors are left to short calls.
//!
//! A flood of short calls would fill the threads as well. So while several slots have calls, no slot
//! computes on all processors: one is left to the others. A slot that is alone has all of them.
//! Time spent waiting for the database is no computing.
//!
//! Never: ends a call; that is the deadline's.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a call may compute before it has to take turns. Decoding a thousand rows takes a guest
/// less than a tenth of a millisecond.
const FREE: Duration = Duration::from_millis(20);

/// The share of the newest call in a slot's average: one in eight.
const NEWEST: u64 = 8;

/// For how long after calls of different slots came one after the other they count as competing.
/// In milliseconds.
const COMPETING: u64 = 1000;

/// No slot.
const NONE: u64 = u64::MAX;

/// The turns of all components.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// What all slots know of each other.
#[derive(Debug)]
struct Shared {
    /// On how many processors one slot may compute while others have calls.
    most: usize,
    /// Slots so far, which numbers them.
    slots: AtomicU64,
    /// The slot that began a call last.
    latest: AtomicU64,
    /// When a call of one slot followed that of another, in milliseconds after `since`, from 1; 0
    /// for never.
    mixed: AtomicU64,
    since: Instant,
}

impl Shared {
    /// Milliseconds after `since`, from 1.
    fn now(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.since).as_millis();
        u64::try_from(passed).map_or(u64::MAX, |passed| passed.saturating_add(1))
    }

    /// A call of that slot begins.
    fn begins(&self, slot: u64, now: Instant) {
        let latest = self.latest.load(Ordering::Relaxed);
        if latest != slot {
            self.latest.store(slot, Ordering::Relaxed);
            if latest != NONE {
                self.mixed.store(self.now(now), Ordering::Relaxed);
            }
        }
    }

    fn competing(&self, now: Instant) -> bool {
        let mixed = self.mixed.load(Ordering::Relaxed);
        mixed > 0 && self.now(now).saturating_sub(mixed) < COMPETING
    }
}

impl Turns {
    /// Half of the processors, and at least one.
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::of(processors)
    }

    fn of(processors: usize) -> Self {
        let shared = Shared {
            most: processors.saturating_sub(1).max(1),
            slots: AtomicU64::new(0),
            latest: AtomicU64::new(NONE),
            mixed: AtomicU64::new(0),
            since: Instant::now(),
        };
        Self { all: Arc::new(Semaphore::new((processors / 2).max(1))), shared: Arc::new(shared) }
    }
}

/// The turns of one slot, and what its calls computed lately.
#[derive(Debug)]
pub(crate) struct SlotTurns {
    /// Its number, from 0.
    number: u64,
    own: Arc<Semaphore>,
    /// Its places among the processors while others have calls.
    places: Arc<Semaphore>,
    all: Turns,
    /// Nanoseconds that a call computes, on average.
    average: AtomicU64,
}

impl SlotTurns {
    pub(crate) fn new(all: Turns) -> Self {
        let number = all.shared.slots.fetch_add(1, Ordering::Relaxed);
        let places = Arc::new(Semaphore::new(all.shared.most));
        Self { number, own: Arc::new(Semaphore::new(1)), places, all, average: AtomicU64::new(0) }
    }

    /// What a call begins with. A slot whose calls all compute for long begins them in turns too,
    /// or a flood of them would still be a flood of first ticks.
    pub(crate) async fn begin(&self) -> Turn {
        let now = Instant::now();
        self.all.shared.begins(self.number, now);
        let turn = Turn {
            own: Arc::clone(&self.own),
            places: Arc::clone(&self.places),
            all: self.all.clone(),
            computed: Duration::ZERO,
            held: Arc::new(Mutex::new(Held { permits: None, since: Some(now) })),
        };
        if u128::from(self.average.load(Ordering::Relaxed)) > FREE.as_nanos() {
            turn.next().await;
        } else if self.all.shared.competing(now) {
            turn.place().await;
        }
        turn
    }

    /// Counts what a call computed.
    pub(crate) fn ended(&self, turn: &Turn) {
        let computed =
            turn.computed + turn.lock().since.map_or(Duration::ZERO, |since| since.elapsed());
        let computed = u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX);
        // A count that is lost to another call that ends at the same time is no loss.
        let average = self.average.load(Ordering::Relaxed);
        let average = average - average / NEWEST + computed / NEWEST;
        self.average.store(average, Ordering::Relaxed);
    }
}

/// One call's part in the turns.
#[derive(Debug)]
pub(crate) struct Turn {
    own: Arc<Semaphore>,
    places: Arc<Semaphore>,
    all: Turns,
    computed: Duration,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug)]
struct Held {
    /// A turn among slots and one within its own, or a place alone.
    permits: Option<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>)>,
    /// Since when the guest computes; none while it waits.
    since: Option<Instant>,
}

/// A future that ends when a guest may go on.
type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Turn {
    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called at each tick of a guest that computes: what it has to wait for, when its turn is over.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Waiting> {
        self.computed += self.pause(now);
        if self.computed > FREE {
            return Some(self.next());
        }
        if self.all.shared.competing(now) {
            return Some(self.place());
        }
        self.lock().since = Some(now);
        None
    }

    /// The guest begins to wait for the database, now: its turn is somebody else's.
    pub(crate) fn waits(&mut self) -> Instant {
        let now = Instant::now();
        self.computed += self.pause(now);
        now
    }

    /// Gives the turn away. How long the guest has computed since it had it.
    fn pause(&self, now: Instant) -> Duration {
        let mut held = self.lock();
        held.permits = None;
        held.since.take().map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// The guest computes again. How long it waited for the database.
    pub(crate) async fn resumes(&mut self, began: Instant) -> Duration {
        let now = Instant::now();
        if self.all.shared.competing(now) {
            self.place().await;
        } else {
            self.lock().since = Some(now);
        }
        now.saturating_duration_since(began)
    }

    /// Waits for one of the slot's places among the processors.
    fn place(&self) -> Waiting {
        let (places, held) = (Arc::clone(&self.places), Arc::clone(&self.held));
        Box::pin(async move {
            // Nobody closes them.
            let Ok(place) = places.acquire_owned().await else { return };
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            *held = Held { permits: Some((place, None)), since: Some(Instant::now()) };
        })
    }

    fn next(&self) -> Waiting {
        let (own, all, held) = (Arc::clone(&self.own), Arc::clone(&self.all.all), &self.held);
        let held = Arc::clone(held);
        Box::pin(async move {
            // Nobody closes them, so that both are given some time.
            let Ok(own) = own.acquire_owned().await else { return };
            let Ok(all) = all.acquire_owned().await else { return };
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            *held = Held { permits: Some((own, Some(all))), since: Some(Instant::now()) };
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn slot(turns: &Turns) -> SlotTurns {
        SlotTurns::new(turns.clone())
    }

    fn one_place() -> Turns {
        Turns::of(2)
    }

    /// A call that has computed for long, and what it waits for.
    async fn long(slot: &SlotTurns) -> (Turn, Waiting) {
        let mut turn = slot.begin().await;
        let waiting = turn.tick(Instant::now() + FREE + FREE).unwrap();
        (turn, waiting)
    }

    async fn is_ready(waiting: &mut Waiting) -> bool {
        tokio::select! { biased; () = waiting => true, () = tokio::task::yield_now() => false }
    }

    #[tokio::test]
    async fn a_short_call_never_waits() {
        let slot = slot(&one_place());
        let (_held, mut first) = long(&slot).await;
        assert!(is_ready(&mut first).await);
        let mut short = slot.begin().await;
        assert!(short.tick(Instant::now() + FREE / 2).is_none());
    }

    #[tokio::test]
    async fn a_turn_goes_to_the_next_at_a_tick_and_while_the_database_is_waited_for() {
        let slot = slot(&one_place());
        let (mut one, mut first) = long(&slot).await;
        assert!(is_ready(&mut first).await);
        let (other, mut second) = long(&slot).await;
        assert!(!is_ready(&mut second).await);
        let mut again = one.tick(Instant::now()).unwrap();
        assert!(is_ready(&mut second).await);
        drop(other);
        assert!(is_ready(&mut again).await);
        let (_third, mut third) = long(&slot).await;
        assert!(!is_ready(&mut third).await);
        one.waits();
        assert!(is_ready(&mut third).await);
    }

    /// Whether a call of the slot begins at once; then it ends too.
    async fn begins(slot: &SlotTurns) -> Option<Turn> {
        let mut beginning = Box::pin(slot.begin());
        tokio::select! { biased; turn = &mut beginning => Some(turn), () = tokio::task::yield_now() => None }
    }

    #[tokio::test]
    async fn a_slot_that_is_alone_has_all_processors_and_one_among_others_leaves_one() {
        let turns = Turns::of(3);
        let (flood, other) = (slot(&turns), slot(&turns));
        let alone = [begins(&flood).await, begins(&flood).await, begins(&flood).await];
        assert!(alone.iter().all(Option::is_some));
        drop(alone);
        let short = begins(&other).await.unwrap();
        let mut first = begins(&flood).await.unwrap();
        let second = begins(&flood).await;
        assert!(second.is_some());
        assert!(begins(&flood).await.is_none(), "it computes on all processors");
        assert!(begins(&other).await.is_some(), "the other waits for it");
        // A place is given away while the database is waited for, and taken again.
        let began = first.waits();
        let third = begins(&flood).await;
        assert!(third.is_some());
        let mut resuming = Box::pin(first.resumes(began));
        let resumed = tokio::select! { biased; _ = &mut resuming => true, () = tokio::task::yield_now() => false };
        assert!(!resumed);
        drop(second);
        resuming.await;
        drop(short);
    }

    #[tokio::test]
    async fn a_slot_with_many_calls_has_one_place_among_the_slots() {
        let turns = one_place();
        let (flood, other) = (slot(&turns), slot(&turns));
        let (mut running, mut first) = long(&flood).await;
        assert!(is_ready(&mut first).await);
        let (_a, mut a) = long(&flood).await;
        let (_b, mut b) = long(&flood).await;
        assert!(!is_ready(&mut a).await && !is_ready(&mut b).await);
        let (_c, mut c) = long(&other).await;
        assert!(!is_ready(&mut c).await);
        // The other slot came before the flood's next call asked for a turn among slots.
        running.waits();
        assert!(is_ready(&mut c).await);
        assert!(!is_ready(&mut a).await && !is_ready(&mut b).await);
    }

    #[tokio::test]
    async fn a_slot_whose_calls_compute_for_long_begins_them_in_turns() {
        let slot = slot(&one_place());
        for _ in 0..2 {
            let mut turn = slot.begin().await;
            turn.computed = Duration::from_secs(1);
            slot.ended(&turn);
        }
        let first = slot.begin().await;
        let mut second = Box::pin(slot.begin());
        let begun = tokio::select! { biased; _ = &mut second => true, () = tokio::task::yield_now() => false };
        assert!(!begun);
        drop(first);
        second.await;
    }
}
