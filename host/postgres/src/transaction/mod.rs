//! Transactions: begin, savepoints, commit, rollback, and what a failure inside of
//! one means. Never gives its connection back unless it is known to be outside of a
//! transaction.

mod local;
mod operations;
mod options;
mod portal;
mod state;

use std::sync::Arc;
use std::time::Instant;

pub use local::Local;
pub(crate) use operations::Core;
pub use options::{AccessMode, IsolationLevel, TransactionOptions};
pub(crate) use options::{begin_statement, plan_in_transaction, prepare_once};
pub(crate) use portal::check_cursor;

use crate::cursor::Cursor;
use crate::error::{BatchError, Error};
use crate::packed::{Budget, Caps, Header, Packed};
use crate::parameters::Parameters;
use crate::pool::Inner;
use crate::run::Want;

/// Most savepoints inside of each other.
pub const MAXIMUM_SAVEPOINTS: usize = 64;

/// An open transaction on a connection of its own.
///
/// Dropped without [`Transaction::commit`], it is rolled back in the background.
/// After a failed statement every further one fails with SQLSTATE 25P02, until the
/// transaction or a savepoint is rolled back.
///
/// # Cancel safety
///
/// Dropping the future of a statement leaves its fate unknown, so the whole
/// transaction is rolled back with it and further statements fail with 25P02.
#[derive(Debug)]
pub struct Transaction {
    core: Arc<Core>,
}

impl Transaction {
    pub(crate) async fn begin(
        inner: &Arc<Inner>,
        options: TransactionOptions,
        local: &Local,
        deadline: Instant,
    ) -> Result<Transaction, Error> {
        Ok(Transaction { core: Core::begin(inner, options, local, deadline).await? })
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// As [`crate::Pool::query`]. Errors of Postgres abort the transaction, errors of
    /// ours that were found before anything was sent do not; nor do exceeded caps,
    /// unless so many rows were left that the transaction had to be given up.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &Parameters,
        header: Header,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Packed, Error> {
        let budget = Budget::new(caps);
        self.core.statement(sql, parameters, Want::Rows(header, &budget), deadline).await
    }

    /// Runs one statement and returns the number of rows it affected.
    ///
    /// # Errors
    /// As [`Transaction::query`].
    pub async fn execute(
        &self,
        sql: &str,
        parameters: &Parameters,
        deadline: Instant,
    ) -> Result<u64, Error> {
        let packed = self.core.statement(sql, parameters, Want::Count, deadline).await?;
        Ok(packed.affected)
    }

    /// Runs statements in order, pipelined. The first failure ends the batch and
    /// aborts the transaction or its innermost savepoint.
    ///
    /// # Errors
    /// The first failure and where it was.
    pub async fn batch(
        &self,
        statements: &[(String, Parameters)],
        header: Header,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Vec<Packed>, BatchError> {
        let budget = Budget::new(caps);
        self.core.batch(statements, Want::Rows(header, &budget), deadline).await
    }

    /// Opens a cursor inside this transaction. Other statements may run between two
    /// reads of it, and it ends with the transaction.
    ///
    /// # Errors
    /// [`Error::Denied`] for statements that do not begin with `select`, `with`,
    /// `values` or `table`.
    pub async fn open_cursor(
        &self,
        sql: &str,
        parameters: &Parameters,
        deadline: Instant,
    ) -> Result<Cursor, Error> {
        let (id, columns) = self.core.open_portal(sql, parameters, deadline).await?;
        Ok(Cursor::in_transaction(Arc::clone(&self.core), id, columns))
    }

    /// Sets a savepoint and makes it the innermost one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are [`MAXIMUM_SAVEPOINTS`] already.
    pub async fn savepoint(&self, deadline: Instant) -> Result<(), Error> {
        self.core.savepoint(deadline).await
    }

    /// Forgets the innermost savepoint and keeps what was done since.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is none.
    pub async fn release_savepoint(&self, deadline: Instant) -> Result<(), Error> {
        self.core.release_savepoint(deadline).await
    }

    /// Undoes what was done since the innermost savepoint and forgets it. Mends a
    /// failed transaction.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is none.
    pub async fn rollback_to_savepoint(&self, deadline: Instant) -> Result<(), Error> {
        self.core.rollback_to_savepoint(deadline).await
    }

    /// Commits and gives the connection back.
    ///
    /// # Errors
    /// [`Error::Database`] with SQLSTATE 25P02 when a statement had failed: then it
    /// was rolled back. [`Error::execution`] tells whether the outcome of a commit
    /// that was cut short is unknown.
    pub async fn commit(&mut self, deadline: Instant) -> Result<(), Error> {
        self.core.commit(deadline).await
    }

    /// Rolls back and gives the connection back.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the transaction has already ended.
    pub async fn rollback(&mut self, deadline: Instant) -> Result<(), Error> {
        self.core.rollback(deadline).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.core.close();
    }
}
