//! What a call may still send and receive. Pure arithmetic; never touches a
//! connection.

use std::time::Duration;

use avenire_postgres::{Caps, Packed};

use super::bindings::types::{Error, LimitError, LimitKind};
use crate::limits::Limits;
use crate::state::Usage;

/// The budgets of one call and what is used of them.
#[derive(Debug)]
pub(crate) struct Budget {
    statements: u32,
    rows: u64,
    bytes: u64,
    statement_bytes: usize,
    handles: usize,
    open: usize,
    usage: Usage,
    /// The budget of rows or bytes that a statement went beyond. What that
    /// statement returned is not counted, so it is kept here that nothing is left.
    used_up: Option<LimitKind>,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            statements: limits.statements,
            rows: limits.rows,
            bytes: limits.bytes,
            statement_bytes: limits.statement_bytes,
            handles: limits.handles,
            open: 0,
            usage: Usage::default(),
            used_up: None,
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes one statement of so many bytes from the budget.
    pub(crate) fn take_statement(&mut self, bytes: usize) -> Result<(), Error> {
        self.check()?;
        if bytes > self.statement_bytes {
            return Err(limit(LimitKind::StatementBytes, self.statement_bytes as u64));
        }
        if self.usage.statements >= self.statements {
            return Err(limit(LimitKind::Statements, u64::from(self.statements)));
        }
        self.usage.statements += 1;
        Ok(())
    }

    /// Takes place for one more open cursor or transaction.
    pub(crate) fn take_handle(&mut self) -> Result<(), Error> {
        if self.open >= self.handles {
            return Err(limit(LimitKind::Handles, self.handles as u64));
        }
        self.open += 1;
        Ok(())
    }

    /// Gives the place of a dropped handle back.
    pub(crate) fn return_handle(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// What may still be received.
    pub(crate) fn caps(&self) -> Caps {
        Caps {
            rows: self.rows.saturating_sub(self.usage.rows),
            bytes: self.bytes.saturating_sub(self.usage.bytes),
        }
    }

    /// Counts what was received. The caps given to the statement keep it within
    /// the budget.
    pub(crate) fn received(&mut self, packed: &Packed) {
        self.usage.rows = self.usage.rows.saturating_add(packed.rows);
        self.usage.bytes = self.usage.bytes.saturating_add(packed.bytes.len() as u64);
    }

    /// Counts a time that the database could not be reached.
    pub(crate) fn unavailable(&mut self) {
        self.usage.unavailable = self.usage.unavailable.saturating_add(1);
    }

    /// Counts a statement that was not understood or not allowed.
    pub(crate) fn refused(&mut self) {
        self.usage.refused = self.usage.refused.saturating_add(1);
    }

    /// Counts time spent waiting for the database.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.usage.waited += time;
    }

    /// Whether rows may still be received.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.used_up.map_or(Ok(()), |kind| Err(self.beyond(kind)))
    }

    /// The error for a statement that would return more rows than allowed.
    pub(crate) fn row_limit(&mut self) -> Error {
        self.used_up = Some(LimitKind::Rows);
        self.beyond(LimitKind::Rows)
    }

    /// The error for a statement that would return more bytes than allowed.
    pub(crate) fn byte_limit(&mut self) -> Error {
        self.used_up = Some(LimitKind::ResultBytes);
        self.beyond(LimitKind::ResultBytes)
    }

    fn beyond(&self, kind: LimitKind) -> Error {
        limit(kind, if kind == LimitKind::Rows { self.rows } else { self.bytes })
    }
}

fn limit(kind: LimitKind, maximum: u64) -> Error {
    Error::Limit(LimitError { kind, maximum })
}
