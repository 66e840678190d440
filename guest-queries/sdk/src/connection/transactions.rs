//! Diesel's transactions over the host's transaction resource: the outermost one is the
//! resource, the ones inside are its savepoints. Never: sends `BEGIN` or `COMMIT` as text,
//! which the host denies.
//!
//! Invariant: while Diesel counts a transaction as begun and there is no resource, the
//! transaction was given up. Then every statement and every commit fails until the
//! outermost `transaction` returns, so that nothing of it can ever take effect.

use diesel::connection::{
    Connection, InstrumentationEvent, TransactionDepthChange, TransactionManager,
    TransactionManagerStatus,
};
use diesel::result::{Error as DieselError, QueryResult};
use std::num::NonZeroU32;

use super::HostConnection;
use crate::bindings::avenire::database::sql;
use crate::bindings::avenire::database::types::{AccessMode, TransactionOptions};
use crate::error::from_host;

/// What `BEGIN` without more does: the role's default isolation, reading and writing.
pub(super) const DEFAULT_OPTIONS: TransactionOptions =
    TransactionOptions { isolation: None, access: AccessMode::ReadWrite, deferrable: false };

/// How deep the transactions are, and the host's resource while one is open.
#[derive(Default)]
pub struct TransactionState {
    status: TransactionManagerStatus,
    open: Option<sql::Transaction>,
}

impl TransactionState {
    pub(super) fn depth(&self) -> QueryResult<Option<NonZeroU32>> {
        self.status.transaction_depth()
    }

    pub(super) fn open(&self) -> Option<&sql::Transaction> {
        self.open.as_ref()
    }

    fn entered(&mut self) -> QueryResult<()> {
        self.change(TransactionDepthChange::IncreaseDepth)
    }

    fn left(&mut self) -> QueryResult<()> {
        self.change(TransactionDepthChange::DecreaseDepth)
    }

    fn change(&mut self, change: TransactionDepthChange) -> QueryResult<()> {
        match &mut self.status {
            TransactionManagerStatus::Valid(status) => status.change_transaction_depth(change),
            TransactionManagerStatus::InError => Err(DieselError::BrokenTransactionManager),
        }
    }
}

/// Maps Diesel's transactions to the host's.
#[derive(Debug)]
pub struct HostTransactions;

impl HostTransactions {
    /// Begins the outermost transaction with options.
    pub(super) fn begin_with(
        connection: &mut HostConnection,
        options: TransactionOptions,
    ) -> QueryResult<()> {
        if connection.transaction_state().depth()?.is_some() {
            return Err(DieselError::AlreadyInTransaction);
        }
        connection.tell(InstrumentationEvent::begin_transaction(NonZeroU32::MIN));
        let transaction = sql::begin(options).map_err(from_host)?;
        let state = connection.transaction_state();
        state.open = Some(transaction);
        state.entered()
    }

    fn require_depth(connection: &mut HostConnection) -> QueryResult<NonZeroU32> {
        connection.transaction_state().depth()?.ok_or(DieselError::NotInTransaction)
    }
}

impl TransactionManager<HostConnection> for HostTransactions {
    type TransactionStateData = TransactionState;

    fn begin_transaction(connection: &mut HostConnection) -> QueryResult<()> {
        let Some(depth) = connection.transaction_state().depth()? else {
            return Self::begin_with(connection, DEFAULT_OPTIONS);
        };
        connection.tell(InstrumentationEvent::begin_transaction(depth.saturating_add(1)));
        let state = connection.transaction_state();
        let transaction = state.open.as_ref().ok_or(DieselError::BrokenTransactionManager)?;
        transaction.savepoint().map_err(from_host)?;
        state.entered()
    }

    fn rollback_transaction(connection: &mut HostConnection) -> QueryResult<()> {
        let depth = Self::require_depth(connection)?;
        connection.tell(InstrumentationEvent::rollback_transaction(depth));
        let state = connection.transaction_state();
        state.left()?;
        let Some(transaction) = state.open.take() else {
            return Ok(()); // It was given up: rolled back already.
        };
        if depth == NonZeroU32::MIN {
            // When the host can not roll back, the connection is lost and Postgres does.
            let _ = transaction.rollback();
            return Ok(());
        }
        // If the savepoint stays, what was done since must not be committed with the rest:
        // the whole transaction is given up, by dropping it.
        transaction.rollback_to_savepoint().map_err(from_host)?;
        state.open = Some(transaction);
        Ok(())
    }

    fn commit_transaction(connection: &mut HostConnection) -> QueryResult<()> {
        let depth = Self::require_depth(connection)?;
        connection.tell(InstrumentationEvent::commit_transaction(depth));
        let state = connection.transaction_state();
        state.left()?;
        let transaction = state.open.take().ok_or(DieselError::BrokenTransactionManager)?;
        if depth == NonZeroU32::MIN {
            // Whether it succeeds or not, the host has ended the transaction.
            return transaction.commit().map_err(from_host);
        }
        if let Err(error) = transaction.release_savepoint() {
            // As when a statement inside failed and its error was ignored: what the inner
            // transaction did is undone, and the outer one can go on.
            if transaction.rollback_to_savepoint().is_ok() {
                state.open = Some(transaction);
            }
            return Err(from_host(error));
        }
        state.open = Some(transaction);
        Ok(())
    }

    fn transaction_manager_status_mut(
        connection: &mut HostConnection,
    ) -> &mut TransactionManagerStatus {
        &mut connection.transaction_state().status
    }
}
