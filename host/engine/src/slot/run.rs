//! One call in its own store and instance, from its place in the queue to its
//! result. Owns how failures of the engine become a [`CallError`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::SemaphorePermit;
use wasmtime::component::{ComponentNamedList, Func, Lift, Lower, ResourceTable, Val};
use wasmtime::{Store, Trap, UpdateDeadline};

use super::Slot;
use super::generation::Generation;
use crate::component::Function;
use crate::database::{Conduct, DeadlinePassed};
use crate::error::{CallError, Doing};
use crate::state::{Begun, CallState, Usage};
use crate::turns::{SlotTurns, Turn};

/// How much longer than its time a call may hold its thread. Guests and database
/// waits end at the deadline by themselves; this is the fence behind them.
const GRACE: Duration = Duration::from_millis(250);

/// Words of the engine's error when a guest passes too much to the host; it has
/// no public type.
const TRANSFER_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";

/// What Rust says when an allocation fails: tells lack of memory from any other
/// panic of a guest that was refused memory before.
const ALLOCATION_FAILED: &str = "memory allocation of";

/// When a call came, and when nobody waits for it any more, if the caller said so.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) deadline: Option<Instant>,
}

impl Arrival {
    /// Within the slot's limit of time alone.
    pub(super) fn now(at: Instant) -> Self {
        Self { at, deadline: None }
    }
}

/// A call that has its instance.
pub(super) struct Run<'a> {
    store: Store<CallState>,
    func: Func,
    fence: Instant,
    queued: Duration,
    turns: &'a SlotTurns,
    /// In the slot's queue and among the sandbox's instances.
    _places: (SemaphorePermit<'a>, SemaphorePermit<'a>),
}

impl Slot {
    /// Waits for the call's turn and makes its instance.
    pub(super) async fn enter(
        &self,
        generation: &Generation,
        name: &Arc<str>,
        function: &Function,
        conduct: Conduct,
        arrival: Arrival,
    ) -> Result<Run<'_>, CallError> {
        let Arrival { at: arrived, deadline } = arrival;
        let limit = arrived + self.limits.time;
        let deadline = deadline.map_or(limit, |deadline| deadline.min(limit));
        let busy = || CallError::Busy {
            component: self.name.to_string(),
            running: self.queue.running(),
            waiting: self.queue.waiting(),
        };
        let place = self.queue.enter(deadline).await.ok_or_else(busy)?;
        let instances = self.sandbox.instances().acquire();
        let instance_place = tokio::time::timeout_at(deadline.into(), instances).await;
        let instance_place = instance_place.ok().and_then(Result::ok).ok_or_else(busy)?;
        let turn = tokio::time::timeout_at(deadline.into(), self.turns.begin()).await;
        let turn = turn.map_err(|_| busy())?;
        let queued = arrived.elapsed();

        let begun = Begun {
            component: Arc::clone(&self.name),
            function: Arc::clone(name),
            generation: generation.number,
            turn,
            conduct,
        };
        let mut store = self.store(begun, deadline);
        let instance = match generation.component.pre().instantiate_async(&mut store).await {
            Ok(instance) => instance,
            Err(error) => return Err(call_error(store.data(), &error)),
        };
        let Some(func) = instance.get_func(&mut store, function.index()) else {
            return Err(host(store.data(), "the function vanished between loading and calling"));
        };
        let fence = deadline + GRACE;
        let turns = &self.turns;
        Ok(Run { store, func, fence, queued, turns, _places: (place, instance_place) })
    }

    fn store(&self, begun: Begun, deadline: Instant) -> Store<CallState> {
        let limits = Arc::clone(&self.limits);
        let state = CallState::new(begun, limits, self.pool.clone(), deadline);
        let mut store = Store::new(self.sandbox.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(self.limits.transfer);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| {
            let now = Instant::now();
            if now >= deadline {
                return Err(wasmtime::Error::new(DeadlinePassed(Doing::Computing)));
            }
            // Others get a turn at every tick.
            Ok(match store.data_mut().turn.tick(now) {
                Some(turn) => UpdateDeadline::YieldCustom(1, turn),
                None => UpdateDeadline::Yield(1),
            })
        });
        store
    }
}

impl Run<'_> {
    /// Time the call waited for its turn.
    pub(super) fn queued(&self) -> Duration {
        self.queued
    }

    pub(super) async fn call_dynamic(
        &mut self,
        arguments: &[Val],
        results: &mut [Val],
    ) -> Result<(), CallError> {
        let call = self.func.call_async(&mut self.store, arguments, results);
        let ended = tokio::time::timeout_at(self.fence.into(), call).await;
        self.ended(ended)
    }

    pub(super) async fn call_typed<Parameters, Results>(
        &mut self,
        parameters: Parameters,
    ) -> Result<Results, CallError>
    where
        Parameters: ComponentNamedList + Lower + Send + Sync,
        Results: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let typed = self.func.typed::<Parameters, Results>(&self.store).map_err(|error| {
            CallError::Argument { path: "arguments".to_owned(), message: format!("{error:#}") }
        })?;
        let call = typed.call_async(&mut self.store, parameters);
        let ended = tokio::time::timeout_at(self.fence.into(), call).await;
        self.ended(ended)
    }

    fn ended<T>(
        &self,
        ended: Result<wasmtime::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, CallError> {
        match ended {
            Ok(result) => result.map_err(|error| call_error(self.store.data(), &error)),
            Err(_) => Err(deadline(self.store.data(), Doing::Computing)),
        }
    }

    /// The call's error when its result is not what its type says.
    pub(super) fn trapped(&self, reason: String) -> CallError {
        trapped(self.store.data(), reason)
    }

    /// Ends the guest's part of the call: refuses one that left something open.
    pub(super) fn finish(&mut self) -> Result<(), CallError> {
        let state = self.store.data_mut();
        let (transactions, cursors) = state.open_handles();
        if transactions + cursors > 0 {
            let (component, function) = names(state);
            return Err(CallError::LeftOpen { component, function, transactions, cursors });
        }
        // Handles of what has ended share the call's transaction.
        state.handles = ResourceTable::new();
        Ok(())
    }

    /// Makes what the call did take effect, when it is one transaction.
    pub(super) async fn commit(&mut self) -> Result<(), CallError> {
        let state = self.store.data_mut();
        let began = Instant::now();
        let committed = state.conduct.commit(state.deadline).await;
        state.budget.waited(began.elapsed());
        committed.map_err(|source| {
            let (component, function) = names(state);
            CallError::NotCommitted { component, function, source }
        })
    }

    /// What the call has used so far.
    pub(super) fn usage(&self) -> Usage {
        self.store.data().budget.usage()
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let turn: &Turn = &self.store.data().turn;
        self.turns.ended(turn);
    }
}

fn names(state: &CallState) -> (String, String) {
    (state.component.to_string(), state.function.to_string())
}

fn host(state: &CallState, reason: &str) -> CallError {
    let (component, function) = names(state);
    CallError::Host { component, function, reason: reason.to_owned() }
}

fn trapped(state: &CallState, reason: String) -> CallError {
    let (component, function) = names(state);
    CallError::Trapped { component, function, reason }
}

fn deadline(state: &CallState, doing: Doing) -> CallError {
    let (component, function) = names(state);
    CallError::Deadline { component, function, limit: state.limits.time, doing }
}

/// What an error of the engine means to the caller. Everything that is not known
/// to be the host's is the guest's: only its code ran.
fn call_error(state: &CallState, error: &wasmtime::Error) -> CallError {
    let (component, function) = names(state);
    if let Some(DeadlinePassed(doing)) = error.downcast_ref() {
        return deadline(state, *doing);
    }
    if let Some(message) = &state.diagnostics.panic {
        if state.memory.refused && message.contains(ALLOCATION_FAILED) {
            return CallError::Memory { component, function, limit: state.limits.memory };
        }
        return CallError::Panicked { component, function, message: message.clone() };
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return CallError::StackOverflow { component, function };
    }
    if state.memory.refused {
        return CallError::Memory { component, function, limit: state.limits.memory };
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return host(state, "all places for instances are taken");
    }
    let reason = error.root_cause().to_string();
    if reason.contains(TRANSFER_EXHAUSTED) {
        return CallError::TransferTooLarge { component, function, limit: state.limits.transfer };
    }
    trapped(state, reason)
}
