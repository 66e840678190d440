//! A slot: the name under which one generation of a component serves calls.
//!
//! Owns the serving component, the slot's queue and its figures. A call keeps
//! the generation it began with. Never loads a component and never touches the
//! database itself.

mod queue;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use avenire_postgres::Pool;
use serde_json::{Map, Value};
use wasmtime::component::{ComponentNamedList, Lift, Lower, Val};

use crate::component::{Component, Function};
use crate::error::CallError;
use crate::json;
use crate::limits::Limits;
use crate::sandbox::Sandbox;
use crate::state::Usage;
use queue::Queue;

/// A call by name with JSON arguments.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function, in kebab-case as in WIT or in camelCase.
    pub function: String,
    /// Arguments by parameter name in camelCase.
    pub arguments: Map<String, Value>,
}

/// What a call led to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The function's result, or the failure case of its own result type.
    pub result: Result<Value, Value>,
    /// What it used of the database.
    pub usage: Usage,
    /// Time from the call's arrival to its result.
    pub time: Duration,
    /// Time it waited for its turn.
    pub queued: Duration,
    /// The generation that served it.
    pub generation: u64,
}

/// Counts since the slot was made, and what happens now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotFigures {
    /// Calls that were started.
    pub calls: u64,
    /// Calls that ended with a [`CallError`].
    pub errors: u64,
    /// Calls that run now.
    pub running: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
}

/// One accepted version of a component.
struct Generation {
    number: u64,
    component: Arc<Component>,
}

/// The name under which a component serves.
pub struct Slot {
    name: Arc<str>,
    sandbox: Sandbox,
    limits: Arc<Limits>,
    pool: Pool,
    queue: Queue,
    current: ArcSwap<Generation>,
    calls: AtomicU64,
    errors: AtomicU64,
}

impl Slot {
    /// Serves `component` as generation 1, with statements going to `pool`.
    pub fn new(
        name: &str,
        sandbox: Sandbox,
        component: Arc<Component>,
        pool: Pool,
        limits: Limits,
    ) -> Self {
        Self {
            name: name.into(),
            sandbox,
            queue: Queue::new(limits.concurrency, limits.queue),
            limits: Arc::new(limits),
            pool,
            current: ArcSwap::from_pointee(Generation { number: 1, component }),
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        }
    }

    /// The slot's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The component that serves now.
    pub fn component(&self) -> Arc<Component> {
        Arc::clone(&self.current.load().component)
    }

    /// The number of the generation that serves now.
    pub fn generation(&self) -> u64 {
        self.current.load().number
    }

    /// What each call may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The pool its statements go to.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Counts and current calls.
    pub fn figures(&self) -> SlotFigures {
        SlotFigures {
            calls: self.calls.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            running: self.queue.running(),
            waiting: self.queue.waiting(),
        }
    }

    /// Calls a function with JSON arguments in a fresh instance.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the call: its open transactions are rolled back
    /// and its connections come back clean.
    pub async fn call(&self, call: Call) -> Result<Outcome, CallError> {
        let arrived = Instant::now();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = self.call_json(call, arrived).await;
        self.count(outcome)
    }

    async fn call_json(&self, call: Call, arrived: Instant) -> Result<Outcome, CallError> {
        let generation = self.current.load_full();
        let (name, function) = self.find(&generation.component, &call.function)?;
        let arguments = json::arguments(function.parameters(), call.arguments)
            .map_err(|json::Mismatch { path, message }| CallError::Argument { path, message })?;
        let mut run = self.enter(&generation, name, function, arrived).await?;
        let queued = run.queued();
        let mut results = vec![Val::Bool(false); usize::from(function.result().is_some())];
        run.call_dynamic(&arguments, &mut results).await?;
        let result = json::lift_result(function.result(), results.pop())
            .map_err(|reason| run.trapped(reason))?;
        let usage = run.finish()?;
        let (number, time) = (generation.number, arrived.elapsed());
        Ok(Outcome { result, usage, time, queued, generation: number })
    }

    /// Calls a function with Rust values, for hosts that are written against a
    /// contract. `Parameters` and `Results` are tuples; a mismatch with the
    /// component's own types is a [`CallError::Argument`].
    pub async fn call_typed<Parameters, Results>(
        &self,
        function: &str,
        parameters: Parameters,
    ) -> Result<Results, CallError>
    where
        Parameters: ComponentNamedList + Lower + Send + Sync,
        Results: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let arrived = Instant::now();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = async {
            let generation = self.current.load_full();
            let (name, function) = self.find(&generation.component, function)?;
            let mut run = self.enter(&generation, name, function, arrived).await?;
            let results = run.call_typed(parameters).await?;
            run.finish()?;
            Ok(results)
        };
        let outcome = outcome.await;
        self.count(outcome)
    }

    fn count<T>(&self, outcome: Result<T, CallError>) -> Result<T, CallError> {
        if outcome.is_err() {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    fn find<'a>(
        &self,
        component: &'a Component,
        name: &str,
    ) -> Result<(&'a Arc<str>, &'a Arc<Function>), CallError> {
        component.function(name).ok_or_else(|| {
            let nearest = component
                .functions()
                .map(Function::name)
                .max_by(|a, b| {
                    strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name))
                })
                .map(str::to_owned);
            let function = name.chars().filter(|c| !c.is_control()).take(128).collect();
            CallError::UnknownFunction { component: self.name.to_string(), function, nearest }
        })
    }
}
