//! Transactions with an isolation level or an access mode, as `PgConnection` offers them.

use diesel::connection::TransactionManager;
use diesel::result::{Error as DieselError, QueryResult};

use super::HostConnection;
use super::transactions::{DEFAULT_OPTIONS, HostTransactions};
use crate::bindings::avenire::database::types::{AccessMode, IsolationLevel, TransactionOptions};

/// Collects how a transaction is to begin; `run` runs it.
#[must_use = "a transaction builder does nothing until `run`"]
pub struct TransactionBuilder<'a> {
    connection: &'a mut HostConnection,
    options: TransactionOptions,
}

impl<'a> TransactionBuilder<'a> {
    pub(super) fn new(connection: &'a mut HostConnection) -> Self {
        Self { connection, options: DEFAULT_OPTIONS }
    }

    /// Writes fail with SQLSTATE 25006.
    pub fn read_only(mut self) -> Self {
        self.options.access = AccessMode::ReadOnly;
        self
    }

    /// Reads and writes; the default.
    pub fn read_write(mut self) -> Self {
        self.options.access = AccessMode::ReadWrite;
        self
    }

    /// Each statement sees what was committed before it began.
    pub fn read_committed(mut self) -> Self {
        self.options.isolation = Some(IsolationLevel::ReadCommitted);
        self
    }

    /// All statements see one snapshot; may fail with SQLSTATE 40001.
    pub fn repeatable_read(mut self) -> Self {
        self.options.isolation = Some(IsolationLevel::RepeatableRead);
        self
    }

    /// As if transactions ran one after the other; may fail with SQLSTATE 40001.
    pub fn serializable(mut self) -> Self {
        self.options.isolation = Some(IsolationLevel::Serializable);
        self
    }

    /// Waits for a snapshot that can not fail; only means something for serializable
    /// read-only transactions.
    pub fn deferrable(mut self) -> Self {
        self.options.deferrable = true;
        self
    }

    /// Does not wait; the default.
    pub fn not_deferrable(mut self) -> Self {
        self.options.deferrable = false;
        self
    }

    /// Runs `body` in the transaction: commits when it returns `Ok`, rolls back when it
    /// returns `Err`. `AlreadyInTransaction` inside of another transaction, whose options
    /// can not be changed any more.
    pub fn run<T, E, F>(self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut HostConnection) -> Result<T, E>,
        E: From<DieselError>,
    {
        HostTransactions::begin_with(self.connection, self.options)?;
        match body(self.connection) {
            Ok(value) => {
                HostTransactions::commit_transaction(self.connection)?;
                Ok(value)
            }
            Err(error) => {
                let rolled_back: QueryResult<()> =
                    HostTransactions::rollback_transaction(self.connection);
                // The outermost rollback can not fail; the body's error is the one to tell.
                let _ = rolled_back;
                Err(error)
            }
        }
    }
}
