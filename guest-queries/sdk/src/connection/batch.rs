//! Several statements in one round trip. Owns the pairing of statements with their
//! outcomes. Never: reorders them.

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment};
use diesel::query_dsl::CompatibleType;
use diesel::result::{Error as DieselError, QueryResult};
use std::fmt;

use super::HostConnection;
use super::channel::{Channel, count};
use super::loading::LoadedRows;
use super::statement::{header_for, prepare};
use crate::bindings::avenire::database::sql::{self, Outcome, RowHeader, Statement};
use crate::bindings::avenire::database::types::Error;
use crate::error::{from_host, from_malformed};
use crate::wire::Batch;

/// Statements that are sent together, in the order in which they were added.
///
/// ```no_run
/// use avenire_sdk::{prelude::*, schema::chat::{Chat, chat}};
///
/// fn forget(connection: &mut HostConnection, user: &str) -> Result<(usize, Vec<Chat>), Failure> {
///     let mut batch = connection.batch();
///     let deleted = batch.execute(diesel::delete(chat::table.filter(chat::user_id.eq(user))))?;
///     let left = batch.load::<Chat, _>(chat::table.limit(10))?;
///     let mut outcomes = batch.run()?;
///     Ok((outcomes.affected(deleted)?, outcomes.rows(left)?))
/// }
/// ```
#[must_use = "a batch is sent by `run` or `run_each`"]
pub struct StatementBatch<'a> {
    connection: &'a mut HostConnection,
    statements: Vec<Statement>,
    header: RowHeader,
}

/// The place of a statement in its batch, for which [`Outcomes::affected`] has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position(usize);

/// A query of a batch whose rows [`Outcomes::rows`] has after the batch ran.
#[derive(Debug)]
#[must_use = "the rows are had by `Outcomes::rows`"]
pub struct Pending<U> {
    position: Position,
    decode: fn(LoadedRows) -> QueryResult<Vec<U>>,
}

/// What the statements of a batch led to.
#[derive(Debug)]
pub struct Outcomes(Vec<Result<Outcome, Error>>);

/// An atomic batch failed; nothing of it took effect.
#[derive(Debug)]
pub struct BatchFailure {
    /// The statement that failed, from 0; the number of statements when it was none of
    /// them but the connection or the commit.
    pub position: usize,
    /// What happened.
    pub error: DieselError,
}

impl fmt::Display for BatchFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "statement {} of a batch failed", self.position)
    }
}

impl std::error::Error for BatchFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<BatchFailure> for DieselError {
    fn from(failure: BatchFailure) -> Self {
        failure.error
    }
}

impl From<BatchFailure> for crate::Failure {
    fn from(failure: BatchFailure) -> Self {
        failure.error.into()
    }
}

impl<'a> StatementBatch<'a> {
    pub(super) fn new(connection: &'a mut HostConnection) -> Self {
        Self { connection, statements: Vec::new(), header: RowHeader::Types }
    }

    /// Adds a statement whose number of affected rows is of interest.
    pub fn execute<Q>(&mut self, query: Q) -> QueryResult<Position>
    where
        Q: QueryFragment<Pg>,
    {
        self.push(&query)
    }

    /// Adds a query whose rows are of interest.
    pub fn load<U, Q>(&mut self, query: Q) -> QueryResult<Pending<U>>
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Pg>,
        Q::SqlType: CompatibleType<U, Pg>,
        Pg: QueryMetadata<Q::SqlType>,
        U: FromSqlRow<<Q::SqlType as CompatibleType<U, Pg>>::SqlType, Pg>,
    {
        if header_for::<Q::SqlType>() == RowHeader::Described {
            self.header = RowHeader::Described;
        }
        let position = self.push(&query.as_query())?;
        Ok(Pending {
            position,
            decode: decode::<U, <Q::SqlType as CompatibleType<U, Pg>>::SqlType>,
        })
    }

    fn push<Q: QueryFragment<Pg>>(&mut self, query: &Q) -> QueryResult<Position> {
        let statement = prepare(query, &mut self.connection.types)?;
        let position = Position(self.statements.len());
        self.statements.push(Statement { sql: statement.sql, parameters: statement.parameters });
        Ok(position)
    }

    /// Sends the batch: all statements take effect or none. Inside of a transaction the
    /// first failure aborts that transaction.
    pub fn run(self) -> Result<Outcomes, BatchFailure> {
        let Self { connection, statements, header } = self;
        let result = match Channel::of(&connection.transactions) {
            Ok(Channel::Autocommit) => sql::batch_atomic(&statements, header),
            Ok(Channel::Transaction(transaction)) => transaction.batch(&statements, header),
            Err(error) => return Err(BatchFailure { position: statements.len(), error }),
        };
        match result {
            Ok(outcomes) => Ok(Outcomes(outcomes.into_iter().map(Ok).collect())),
            Err(failed) => Err(BatchFailure {
                position: failed.index as usize,
                error: from_host(failed.error),
            }),
        }
    }

    /// Sends the batch with each statement committing by itself: the failure of one does
    /// not touch the others. `AlreadyInTransaction` inside of a transaction, where that
    /// can not be.
    pub fn run_each(self) -> QueryResult<Outcomes> {
        let Self { connection, statements, header } = self;
        match Channel::of(&connection.transactions)? {
            Channel::Autocommit => sql::batch(&statements, header).map(Outcomes).map_err(from_host),
            Channel::Transaction(_) => Err(DieselError::AlreadyInTransaction),
        }
    }
}

impl Outcomes {
    /// How many rows a statement affected, or why it failed.
    pub fn affected(&self, position: Position) -> QueryResult<usize> {
        match self.0.get(position.0) {
            Some(Ok(outcome)) => count(outcome.affected),
            Some(Err(error)) => Err(from_host(error.clone())),
            None => Err(missing()),
        }
    }

    /// The rows of a query, or why it failed.
    #[expect(clippy::needless_pass_by_value, reason = "the rows are there to be had once")]
    pub fn rows<U>(&mut self, pending: Pending<U>) -> QueryResult<Vec<U>> {
        let Pending { position, decode } = pending;
        let rows = match self.0.get_mut(position.0) {
            Some(Ok(outcome)) => std::mem::take(&mut outcome.rows),
            Some(Err(error)) => return Err(from_host(error.clone())),
            None => return Err(missing()),
        };
        let batch = Batch::parse(rows).map_err(|malformed| from_malformed(&malformed))?;
        decode(LoadedRows::new(batch))
    }
}

fn decode<U, ST>(rows: LoadedRows) -> QueryResult<Vec<U>>
where
    U: FromSqlRow<ST, Pg>,
{
    rows.map(|row| U::build_from_row(&row?).map_err(DieselError::DeserializationError)).collect()
}

/// The host answered fewer statements than it was sent, or the position is from another
/// batch.
fn missing() -> DieselError {
    from_host(Error::Other("the batch has no outcome of this statement".to_owned()))
}
