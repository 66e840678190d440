//! What the host keeps for one call while it runs: the store's data.
//!
//! Owns the call's budgets, its open handles and what the guest said of itself.
//! Dropping it ends everything the call had open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use avenire_postgres::{Caps, Pool};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;

use crate::database::{Budget, Conduct, CursorHandle, TransactionHandle};
use crate::limits::Limits;
use crate::turns::Turn;

/// What a call has used of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Statements sent.
    pub statements: u32,
    /// Rows received.
    pub rows: u64,
    /// Bytes of rows received.
    pub bytes: u64,
    /// Time spent waiting for the database: for connections and for answers.
    pub waited: Duration,
    /// Times the database could not be reached or was lost.
    pub unavailable: u32,
    /// Statements that Postgres did not understand or did not allow (SQLSTATE class 42).
    pub refused: u32,
}

/// Numbers the calls of this process, so that lines of its log can be told apart.
static CALLS: AtomicU64 = AtomicU64::new(1);

/// What a call is.
pub(crate) struct Begun {
    pub(crate) component: Arc<str>,
    pub(crate) function: Arc<str>,
    pub(crate) generation: u64,
    pub(crate) turn: Turn,
    pub(crate) conduct: Conduct,
}

/// The data of a store.
pub(crate) struct CallState {
    pub(crate) component: Arc<str>,
    pub(crate) function: Arc<str>,
    pub(crate) generation: u64,
    /// Its number among the calls of this process.
    pub(crate) call: u64,
    pub(crate) turn: Turn,
    pub(crate) limits: Arc<Limits>,
    pub(crate) deadline: Instant,
    pub(crate) pool: Pool,
    pub(crate) conduct: Conduct,
    pub(crate) budget: Budget,
    pub(crate) handles: ResourceTable,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) memory: MemoryLimit,
}

/// What the guest said.
#[derive(Default)]
pub(crate) struct Diagnostics {
    /// The message of its panic.
    pub(crate) panic: Option<String>,
    /// Bytes of messages logged so far.
    pub(crate) logged: usize,
    /// Whether it was told that no more is logged.
    pub(crate) is_cut: bool,
}

impl CallState {
    pub(crate) fn new(begun: Begun, limits: Arc<Limits>, pool: Pool, deadline: Instant) -> Self {
        let Begun { component, function, generation, turn, conduct } = begun;
        let mut handles = ResourceTable::new();
        // Cursors and transactions are counted on their own; this bounds what the
        // table itself can grow to.
        handles.set_max_capacity(limits.handles.saturating_mul(2).max(16));
        Self {
            component,
            function,
            generation,
            call: CALLS.fetch_add(1, Ordering::Relaxed),
            turn,
            deadline,
            pool,
            conduct,
            budget: Budget::new(&limits),
            handles,
            diagnostics: Diagnostics::default(),
            memory: MemoryLimit { maximum: limits.memory, refused: false },
            limits,
        }
    }

    /// Transactions and cursors that are open now.
    pub(crate) fn open_handles(&mut self) -> (usize, usize) {
        let mut open = (0, 0);
        for entry in self.handles.iter_mut() {
            if let Some(transaction) = entry.downcast_ref::<TransactionHandle>() {
                open.0 += usize::from(transaction.is_open());
            } else if let Some(cursor) = entry.downcast_ref::<CursorHandle>() {
                open.1 += usize::from(cursor.is_open());
            }
        }
        open
    }

    /// What the next statement may still return.
    pub(crate) fn caps(&self) -> Caps {
        self.budget.caps()
    }
}

/// Keeps an instance's memory within its limit and remembers that it had to.
pub(crate) struct MemoryLimit {
    maximum: usize,
    /// Whether a growth was refused: tells a trap by lack of memory from others.
    pub(crate) refused: bool,
}

/// Entries of an instance's tables: function pointers, far more than Rust,
/// C or Go code of a query component has.
const MAX_TABLE_ELEMENTS: usize = 100_000;

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= self.maximum;
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}
