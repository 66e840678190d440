//! The WebAssembly engine: how code is compiled and where instances live.
//!
//! Owns the one `wasmtime::Config` of the project, the linker with everything a
//! guest may import, and the clock that interrupts guests. Never knows which
//! components there are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::LoadError;
use crate::limits::Limits;
use crate::state::CallState;
use crate::turns::Turns;
use crate::{Component, component, database};

/// How often a running guest is looked at for its deadline.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Bytes at the start of each linear memory that stay mapped between calls. What
/// a usual call touches fits, so that a fresh instance faults no pages in.
const KEEP_RESIDENT: usize = 1 << 20;

/// Core instances a component made by the usual encoders consists of: the module
/// itself, a shim and a fixup for its imports, with room to spare.
const CORE_INSTANCES: u32 = 8;

/// How large the sandbox is.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Instances that may live at once, over all components.
    pub instances: u32,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { instances: 256 }
    }
}

/// The engine all components of a host share. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    linker: Linker<CallState>,
    instances: Arc<Semaphore>,
    turns: Turns,
}

impl Sandbox {
    /// Prepares the engine and starts the clock that interrupts guests. The clock
    /// ends with the last clone.
    pub fn new(options: &SandboxOptions) -> Result<Self, LoadError> {
        let host = |error: wasmtime::Error| LoadError::Host { reason: format!("{error:#}") };
        let engine = Engine::new(&config(options)).map_err(host)?;
        let mut linker = Linker::new(&engine);
        database::add_to_linker(&mut linker).map_err(host)?;
        start_clock(&engine)?;
        let instances = Arc::new(Semaphore::new(options.instances as usize));
        Ok(Self { inner: Arc::new(Inner { engine, linker, instances, turns: Turns::new() }) })
    }

    /// Validates, compiles and links a component. Compiling takes 0.1–0.3 s of
    /// both cores: do not call it on a serving thread.
    pub fn load(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        Component::compile(self, bytes)
    }

    /// As [`Sandbox::load`], for a file.
    pub fn load_file(&self, file: &Path) -> Result<Component, LoadError> {
        self.load(&component::read(file)?)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn linker(&self) -> &Linker<CallState> {
        &self.inner.linker
    }

    /// The turns of guests that compute for long.
    pub(crate) fn turns(&self) -> Turns {
        self.inner.turns.clone()
    }

    /// One permit for each instance that may live.
    pub(crate) fn instances(&self) -> &Semaphore {
        &self.inner.instances
    }
}

fn config(options: &SandboxOptions) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    let instances = options.instances;
    pool.total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(instances)
        .max_memories_per_component(1)
        .total_tables(instances * 2)
        .max_tables_per_component(2)
        .total_stacks(instances)
        .max_memory_size(Limits::MAX_MEMORY)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .decommit_batch_size(32);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        // The interface is synchronous WIT: what the component model's own
        // concurrency costs a call (1.3 instead of 0.3 µs) would buy nothing.
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        // Backtraces are for the component's author, not for a caller's error.
        .wasm_backtrace_max_frames(None);
    config
}

/// Advances the epoch from a thread of its own: it must go on while every worker
/// thread is busy inside guests.
fn start_clock(engine: &Engine) -> Result<(), LoadError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("avenire-clock".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map(drop)
        .map_err(|error| LoadError::Host { reason: format!("could not start the clock: {error}") })
}
