//! Where a statement goes: to the open transaction, or to the host's shared connections,
//! where it commits by itself. Owns the calls of the host's statement functions. Never:
//! begins or ends a transaction.

use diesel::result::{Error as DieselError, QueryResult};

use super::statement::Prepared;
use super::transactions::TransactionState;
use crate::bindings::avenire::database::sql::{self, RowHeader};
use crate::error::{from_host, from_malformed};
use crate::wire::Batch;

/// The way a statement takes.
pub(super) enum Channel<'a> {
    Autocommit,
    Transaction(&'a sql::Transaction),
}

impl<'a> Channel<'a> {
    /// A transaction that was given up takes no statements until it has been left: they
    /// must not commit by themselves instead.
    pub(super) fn of(state: &'a TransactionState) -> QueryResult<Self> {
        match (state.depth()?, state.open()) {
            (None, _) => Ok(Self::Autocommit),
            (Some(_), Some(transaction)) => Ok(Self::Transaction(transaction)),
            (Some(_), None) => Err(DieselError::BrokenTransactionManager),
        }
    }

    pub(super) fn query(&self, statement: &Prepared, header: RowHeader) -> QueryResult<Batch> {
        let Prepared { sql, parameters } = statement;
        let rows = match self {
            Self::Autocommit => sql::query(sql, parameters, header),
            Self::Transaction(transaction) => transaction.query(sql, parameters, header),
        };
        Batch::parse(rows.map_err(from_host)?).map_err(|malformed| from_malformed(&malformed))
    }

    pub(super) fn execute(&self, sql: &str, parameters: &[u8]) -> QueryResult<usize> {
        let affected = match self {
            Self::Autocommit => sql::execute(sql, parameters),
            Self::Transaction(transaction) => transaction.execute(sql, parameters),
        };
        count(affected.map_err(from_host)?)
    }

    pub(super) fn open_cursor(&self, statement: &Prepared) -> QueryResult<sql::Cursor> {
        let Prepared { sql, parameters } = statement;
        let cursor = match self {
            Self::Autocommit => sql::open_cursor(sql, parameters),
            Self::Transaction(transaction) => transaction.open_cursor(sql, parameters),
        };
        cursor.map_err(from_host)
    }
}

/// A number of rows as Diesel has it.
pub(super) fn count(affected: u64) -> QueryResult<usize> {
    usize::try_from(affected).map_err(DieselError::IntegerConversion)
}
