//! A slot: the name under which one generation of a component serves calls.
//!
//! Owns what serves, the slot's queue and its figures. A call keeps the generation it began with.
//! Never loads a component and never touches the database itself.

mod generation;
mod probation;
mod queue;
mod run;
mod swap;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use avenire_postgres::{Local, Pool};
use serde_json::{Map, Value};
use wasmtime::component::{ComponentNamedList, Lift, Lower, Val};

use crate::component::{Component, Function};
use crate::database::Conduct;
use crate::declared::{Declared, Repeat};
use crate::error::{Blame, CallError};
use crate::json;
use crate::limits::{Limits, Terms};
use crate::sandbox::Sandbox;
use crate::state::Usage;
use crate::turns::SlotTurns;
use generation::Generation;
use queue::Queue;
use run::Arrival;
use swap::Serving;

pub use probation::{Fault, Probation, Tally};
pub use swap::{CanaryTerms, Drained, FellBack, Published, SwapError};

/// A call by name with JSON arguments.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function, in kebab-case as in WIT or in camelCase.
    pub function: String,
    /// Arguments by parameter name in camelCase.
    pub arguments: Map<String, Value>,
    /// What the call is about, such as a tenant: calls with one key go to one generation while
    /// there is a canary.
    pub key: Option<String>,
    /// What the host sets for the call's statements, on behalf of the caller. They are one
    /// transaction then.
    pub local: Option<Local>,
    /// When nobody waits for the answer any more; the slot's limit of time counts too.
    pub deadline: Option<Instant>,
}

impl Call {
    /// A call without a key.
    pub fn new(function: &str, arguments: Map<String, Value>) -> Self {
        Self { function: function.to_owned(), arguments, key: None, local: None, deadline: None }
    }
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

/// Generations that fell back and that nobody has heard of yet; the oldest are forgotten.
const FALLEN: usize = 16;

/// What a component's test of itself is called in errors and in the log.
const SELF_TEST: &str = "self-test";

/// So many problems that a test finds are told, each cut to so many characters.
const PROBLEMS: usize = 50;
const LONGEST: usize = 500;

fn is_guests(error: &CallError) -> bool {
    error.blame() == Blame::Guest
}

/// The name under which a component serves.
pub struct Slot {
    name: Arc<str>,
    sandbox: Sandbox,
    limits: Arc<Limits>,
    declared: Declared,
    pool: Pool,
    queue: Queue,
    turns: SlotTurns,
    serving: ArcSwap<Serving>,
    /// Held while what serves is replaced.
    changing: Mutex<()>,
    fallen: tokio::sync::broadcast::Sender<FellBack>,
    calls: AtomicU64,
    errors: AtomicU64,
}

impl Slot {
    /// Serves `component` as generation `number`, with statements going to `pool`.
    pub fn new(
        name: &str,
        sandbox: Sandbox,
        component: Arc<Component>,
        number: u64,
        pool: Pool,
        terms: impl Into<Terms>,
    ) -> Self {
        let Terms { limits, declared } = terms.into();
        let current = Arc::new(Generation::new(number, component, None, &declared));
        Self {
            name: name.into(),
            turns: SlotTurns::new(sandbox.turns()),
            sandbox,
            queue: Queue::new(limits.concurrency, limits.queue),
            limits: Arc::new(limits),
            declared,
            pool,
            serving: ArcSwap::from_pointee(Serving { current, former: None, canary: None }),
            changing: Mutex::new(()),
            fallen: tokio::sync::broadcast::Sender::new(FALLEN),
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
        Arc::clone(&self.serving.load().current.component)
    }

    /// The number of the generation that serves now.
    pub fn generation(&self) -> u64 {
        self.serving.load().current.number
    }

    /// The number of the generation that serves some calls, while there is one.
    pub fn canary(&self) -> Option<u64> {
        self.serving.load().canary.as_ref().map(swap::Canary::number)
    }

    /// What became of the serving generation's calls.
    pub fn tally(&self) -> Tally {
        self.serving.load().current.tally()
    }

    /// What is declared of a function, by its name in kebab-case.
    pub fn repeat(&self, function: &str) -> Repeat {
        self.serving.load().current.repeat(function)
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
        let generation = self.choose(call.key.as_deref());
        let outcome = self.call_json(&generation, call, arrived).await;
        let is_fault = outcome.as_ref().map_or_else(is_guests, |one| one.usage.refused > 0);
        self.count(&generation, outcome.is_err(), is_fault);
        outcome
    }

    async fn call_json(
        &self,
        generation: &Generation,
        call: Call,
        arrived: Instant,
    ) -> Result<Outcome, CallError> {
        let (name, function) = self.find(&generation.component, &call.function)?;
        let arguments = json::arguments(function.parameters(), call.arguments)
            .map_err(|json::Mismatch { path, message }| CallError::Argument { path, message })?;
        let conduct = Conduct::of(generation.repeat(name), call.local);
        let arrival = Arrival { at: arrived, deadline: call.deadline };
        let mut run = self.enter(generation, name, function, conduct, arrival).await?;
        let queued = run.queued();
        let mut results = vec![Val::Bool(false); usize::from(function.result().is_some())];
        run.call_dynamic(&arguments, &mut results).await?;
        let result = json::lift_result(function.result(), results.pop())
            .map_err(|reason| run.trapped(reason))?;
        run.finish()?;
        if result.is_ok() {
            run.commit().await?;
        }
        let usage = run.usage();
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
        let generation = self.choose(None);
        let outcome = async {
            let (name, function) = self.find(&generation.component, function)?;
            let conduct = Conduct::of(generation.repeat(name), None);
            let mut run =
                self.enter(&generation, name, function, conduct, Arrival::now(arrived)).await?;
            let results = run.call_typed(parameters).await?;
            run.finish()?;
            // What the result means is not known here: it counts as a success.
            run.commit().await?;
            Ok((results, run.usage()))
        };
        let outcome = outcome.await;
        let is_fault = outcome.as_ref().map_or_else(is_guests, |(_, usage)| usage.refused > 0);
        self.count(&generation, outcome.is_err(), is_fault);
        Ok(outcome?.0)
    }

    /// Lets the serving generation test itself in a transaction that can only read, and that is
    /// given up afterwards. All that it finds wrong; none when it has no test.
    pub async fn self_test(&self) -> Result<Vec<String>, CallError> {
        let generation = self.choose(None);
        let Some(function) = generation.component.self_test() else { return Ok(Vec::new()) };
        let name = Arc::from(SELF_TEST);
        let conduct = Conduct::read_only();
        let arrival = Arrival::now(Instant::now());
        let mut run = self.enter(&generation, &name, function, conduct, arrival).await?;
        let (result,): (Result<(), Vec<String>>,) = run.call_typed(()).await?;
        run.finish()?;
        let problems = result.err().unwrap_or_default();
        Ok(problems
            .into_iter()
            .take(PROBLEMS)
            .map(|one| one.chars().take(LONGEST).collect())
            .collect())
    }

    fn find<'a>(
        &self,
        component: &'a Component,
        name: &str,
    ) -> Result<(&'a Arc<str>, &'a Arc<Function>), CallError> {
        component.function(name).ok_or_else(|| component.unknown_function(&self.name, name))
    }
}
