//! Diesel's connection over `avenire:database/sql`. Owns the mapping of Diesel's traits
//! to the host's functions and the state of the open transaction. Never: holds a
//! connection to Postgres; the host does, and for as short as it can.

mod batch;
mod builder;
mod channel;
mod loading;
mod row;
mod save_changes;
mod statement;
mod transactions;
mod types;

pub use batch::{BatchFailure, Outcomes, Pending, Position, StatementBatch};
pub use builder::TransactionBuilder;
pub use loading::{LoadedRows, Streamed, StreamedRows};
pub use row::{PackedField, PackedRow};
pub use transactions::{HostTransactions, TransactionState};

use diesel::connection::{
    CacheSize, Connection, ConnectionSealed, DefaultLoadingMode, DynInstrumentation,
    Instrumentation, InstrumentationEvent, LoadConnection, SimpleConnection, StrQueryHelper,
    WithMetadataLookup,
};
use diesel::expression::QueryMetadata;
use diesel::pg::{Pg, PgMetadataLookup};
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::{ConnectionError, ConnectionResult, QueryResult};

use crate::bindings::avenire::database::sql::RowHeader;
use channel::Channel;
use statement::{header_for, prepare};
use types::HostTypes;

/// The database, as the host lets this component see it: everything runs as the
/// component's own Postgres role. Making one costs nothing; the host's connections are
/// taken by statement, not by value of this type.
///
/// Every Diesel query for `Pg` works with it. What Diesel offers beside queries:
/// `transaction` (with savepoints inside), [`build_transaction`](Self::build_transaction),
/// `load_iter` with the mode [`Streamed`] for large results, and
/// [`batch`](Self::batch) for several statements in one round trip.
pub struct HostConnection {
    transactions: TransactionState,
    types: HostTypes,
    instrumentation: DynInstrumentation,
}

impl HostConnection {
    /// The connection outside of any transaction.
    pub(crate) fn new() -> Self {
        Self {
            transactions: TransactionState::default(),
            types: HostTypes::default(),
            instrumentation: DynInstrumentation::none(),
        }
    }

    /// A transaction with an isolation level, an access mode or deferrable.
    pub fn build_transaction(&mut self) -> TransactionBuilder<'_> {
        TransactionBuilder::new(self)
    }

    /// Several statements for one round trip.
    pub fn batch(&mut self) -> StatementBatch<'_> {
        StatementBatch::new(self)
    }

    fn tell(&mut self, event: InstrumentationEvent<'_>) {
        self.instrumentation.on_connection_event(event);
    }

    /// Runs `work` with the way a statement takes, and tells the instrumentation.
    fn observed<T>(
        &mut self,
        sql: &str,
        work: impl FnOnce(&Channel<'_>) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let text = StrQueryHelper::new(sql);
        self.tell(InstrumentationEvent::start_query(&text));
        let result = Channel::of(&self.transactions).and_then(|channel| work(&channel));
        self.tell(InstrumentationEvent::finish_query(&text, result.as_ref().err()));
        result
    }
}

impl ConnectionSealed for HostConnection {}

impl SimpleConnection for HostConnection {
    /// Runs one statement without parameters. Text that holds several is refused by
    /// Postgres with SQLSTATE 42601.
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.observed(query, |channel| channel.execute(query, &[]))?;
        Ok(())
    }
}

impl Connection for HostConnection {
    type Backend = Pg;
    type TransactionManager = HostTransactions;

    /// A component does not choose its database: any URL but an empty one is an error.
    fn establish(database_url: &str) -> ConnectionResult<Self> {
        if database_url.is_empty() {
            return Ok(Self::new());
        }
        let message = "a component's database is chosen by its host; use `database()`";
        Err(ConnectionError::BadConnection(message.to_owned()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let statement = prepare(source, &mut self.types)?;
        self.observed(&statement.sql, |channel| {
            channel.execute(&statement.sql, &statement.parameters)
        })
    }

    fn transaction_state(&mut self) -> &mut TransactionState {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    /// Without effect: the host keeps prepared statements, for all calls together.
    fn set_prepared_statement_cache_size(&mut self, _size: CacheSize) {}
}

impl WithMetadataLookup for HostConnection {
    fn metadata_lookup(&mut self) -> &mut (dyn PgMetadataLookup + 'static) {
        &mut self.types
    }
}

impl LoadConnection<DefaultLoadingMode> for HostConnection {
    type Cursor<'conn, 'query> = LoadedRows;
    type Row<'conn, 'query> = PackedRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<LoadedRows>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let statement = prepare(&source, &mut self.types)?;
        let header = header_for::<T::SqlType>();
        let batch = self.observed(&statement.sql, |channel| channel.query(&statement, header))?;
        Ok(LoadedRows::new(batch))
    }
}

impl LoadConnection<Streamed> for HostConnection {
    type Cursor<'conn, 'query> = StreamedRows;
    type Row<'conn, 'query> = PackedRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<StreamedRows>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let statement = prepare(&source, &mut self.types)?;
        let cursor = self.observed(&statement.sql, |channel| channel.open_cursor(&statement))?;
        let columns = match header_for::<T::SqlType>() {
            RowHeader::Described => cursor.columns(),
            RowHeader::Types => Vec::new(),
        };
        Ok(StreamedRows::new(cursor, columns))
    }
}
