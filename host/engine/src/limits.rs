//! How much one call may use. Owns the numbers; never enforces them.

use std::time::Duration;

use crate::declared::Declared;

/// The limits of a component's calls, with defaults that suit a query function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of an instance, in bytes. At most [`Limits::MAX_MEMORY`].
    pub memory: usize,
    /// Wall-clock time of a call, waiting for the database included.
    pub time: Duration,
    /// Statements a call may send.
    pub statements: u32,
    /// Rows a call may receive, over all its statements.
    pub rows: u64,
    /// Bytes of rows a call may receive, over all its statements.
    pub bytes: u64,
    /// Bytes of one statement: its text and its parameters.
    pub statement_bytes: usize,
    /// Cursors and transactions a call may hold open at once.
    pub handles: usize,
    /// Bytes a component may pass to the host at once: its result, or a statement
    /// with its parameters, as the host holds them. What is over ends the call. In
    /// calls from JSON each value is a tree: a byte of a `list<u8>` counts as some
    /// forty, a byte of a `string` as one.
    pub transfer: usize,
    /// Calls that run at once.
    pub concurrency: usize,
    /// Calls that may wait for their turn when `concurrency` run already.
    pub queue: usize,
    /// Bytes of messages that a call may log. What is over is left out, and told once.
    pub log: usize,
}

/// What a slot's calls may use, and what is declared of its functions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What each call may use.
    pub limits: Limits,
    /// Which functions only read, and which are one transaction.
    pub declared: Declared,
}

impl From<Limits> for Terms {
    /// With nothing declared.
    fn from(limits: Limits) -> Self {
        Self { limits, declared: Declared::default() }
    }
}

impl Limits {
    /// The largest linear memory that a manifest can ask for: 1 GiB.
    pub const MAX_MEMORY: usize = 1 << 30;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 32 << 20,
            time: Duration::from_secs(5),
            statements: 100,
            rows: 100_000,
            bytes: 16 << 20,
            statement_bytes: 4 << 20,
            handles: 16,
            transfer: 16 << 20,
            concurrency: 64,
            queue: 1024,
            log: 64 << 10,
        }
    }
}
