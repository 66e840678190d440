//! One pool of connections for one Postgres role. Owns the public face; the lanes
//! behind it own the connections. Never lets a connection whose state is unknown
//! serve anyone else.

mod atomic;
mod batch;
mod exclusive;
mod inner;
mod shapes;
mod shared;
mod single;
mod upkeep;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use exclusive::{Lease, Which};
pub(crate) use inner::Inner;
pub(crate) use shapes::Shape;
pub(crate) use single::{check_size, within};

use crate::cursor::Cursor;
use crate::endpoint::{Endpoint, StatementMode};
use crate::error::{BatchError, Error};
use crate::packed::{Budget, Caps, Header, Packed};
use crate::parameters::Parameters;
use crate::run::Want;
use crate::transaction::{Local, Transaction, TransactionOptions};

/// How large a pool may become and how long its connections live.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Connections that carry statements of their own transaction for all callers at
    /// once, pipelined. At least one.
    pub shared: usize,
    /// Most connections for transactions, atomic batches and cursors, each used by
    /// one caller at a time. At least one.
    pub exclusive: usize,
    /// Idle connections are closed after this time, so that a server that suspends
    /// may do so.
    pub idle_timeout: Duration,
    /// Connections are replaced after this time, or up to a tenth earlier.
    pub max_lifetime: Duration,
    /// Time for connecting in all, from the name to the sign-in, with all attempts.
    /// The URL's `connect_timeout` takes precedence.
    pub connect_timeout: Duration,
    /// Prepared statements kept per connection.
    pub statement_cache: usize,
    /// The server's own limit for a statement, behind the callers' deadlines: a
    /// session setting on direct endpoints, set in each transaction behind poolers.
    pub statement_timeout: Option<Duration>,
    /// How the connections call themselves, unless the URL says it.
    pub application_name: String,
}

impl Default for PoolOptions {
    fn default() -> PoolOptions {
        PoolOptions {
            shared: 2,
            exclusive: 4,
            idle_timeout: Duration::from_mins(1),
            max_lifetime: Duration::from_mins(30),
            connect_timeout: Duration::from_secs(20),
            statement_cache: 128,
            statement_timeout: None,
            application_name: "avenire-db".to_owned(),
        }
    }
}

/// What a pool is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolFigures {
    /// Shared connections that are open.
    pub shared: usize,
    /// Statements in flight on them.
    pub in_flight: usize,
    /// Exclusive connections in use.
    pub in_use: usize,
    /// Exclusive connections that wait for work.
    pub idle: usize,
    /// Callers that wait for a connection.
    pub waiting: usize,
    /// Connections opened since the start.
    pub connects: u64,
    /// Failed attempts to connect since the start.
    pub failures: u64,
}

/// The connections of one role to one endpoint. Cloning shares them.
///
/// Nothing is connected before the first statement. Must be used inside a tokio
/// runtime.
///
/// # Cancel safety
///
/// Every future may be dropped at any point. A statement that was sent may take
/// effect all the same; its connection is closed to new statements, or closed, so
/// that nobody meets its remains.
#[derive(Debug, Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

impl Pool {
    /// A pool without connections.
    pub fn new(endpoint: Endpoint, options: PoolOptions) -> Pool {
        Pool { inner: Arc::new(Inner::new(endpoint, options)) }
    }

    /// The endpoint it connects to.
    pub fn endpoint(&self) -> &Endpoint {
        self.inner.endpoint()
    }

    /// How statements are sent.
    pub fn statement_mode(&self) -> StatementMode {
        self.inner.mode()
    }

    /// Runs one statement that commits by itself and returns its rows.
    ///
    /// Transient failures are retried within the deadline as long as nothing was
    /// executed.
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::Invalid`] before anything is sent,
    /// [`Error::RowLimit`] and [`Error::ByteLimit`] when `caps` are exceeded (a
    /// writing statement has taken effect then), and all others.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &Parameters,
        header: Header,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Packed, Error> {
        let budget = Budget::new(caps);
        self.inner.single(sql, parameters, Want::Rows(header, &budget), deadline).await
    }

    /// Runs one statement that commits by itself, discards rows it may return, and
    /// returns the number of rows it affected.
    ///
    /// # Errors
    /// As [`Pool::query`]; [`Error::ByteLimit`] after 16 MiB of rows, except behind a
    /// pooler.
    pub async fn execute(
        &self,
        sql: &str,
        parameters: &Parameters,
        deadline: Instant,
    ) -> Result<u64, Error> {
        let packed = self.inner.single(sql, parameters, Want::Count, deadline).await?;
        Ok(packed.affected)
    }

    /// Runs statements in order and in one round trip (two when statements must be
    /// prepared first), each committing by itself. `caps` are for all of them.
    ///
    /// # Errors
    /// The outer error means that none was run. Later statements are run although an
    /// earlier one failed.
    pub async fn batch(
        &self,
        statements: &[(String, Parameters)],
        header: Header,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Vec<Result<Packed, Error>>, Error> {
        batch::independent(&self.inner, statements, header, caps, deadline).await
    }

    /// Runs statements in order and in one transaction. When none of them returns
    /// rows it is one round trip; otherwise the commit takes another, since rows
    /// over the caps must still be able to undo everything.
    ///
    /// # Errors
    /// The first failure; nothing took effect, unless [`Error::execution`] says that
    /// it is unknown.
    pub async fn batch_atomic(
        &self,
        statements: &[(String, Parameters)],
        header: Header,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Vec<Packed>, BatchError> {
        atomic::run(&self.inner, statements, header, caps, deadline).await
    }

    /// The OIDs of a type and of the array of it (0 when there is none), looked for
    /// along the search path when no schema is given. Cached until the schema is
    /// seen to change.
    ///
    /// # Errors
    /// [`Error::Database`] with SQLSTATE 42704 when there is no such type.
    pub async fn lookup_type(
        &self,
        name: &str,
        schema: Option<&str>,
        deadline: Instant,
    ) -> Result<(u32, u32), Error> {
        self.inner.lookup_type(name, schema, deadline).await
    }

    /// Opens a cursor over the rows of a reading statement, on a connection of its
    /// own.
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
        Cursor::open(&self.inner, sql, parameters, deadline).await
    }

    /// Takes a connection for a transaction. `BEGIN` travels with the first
    /// statement.
    ///
    /// # Errors
    /// Those of getting a connection.
    pub async fn begin(
        &self,
        options: TransactionOptions,
        deadline: Instant,
    ) -> Result<Transaction, Error> {
        Transaction::begin(&self.inner, options, &Local::default(), deadline).await
    }

    /// The same with settings that the statements of the transaction can not change.
    ///
    /// # Errors
    /// As [`Pool::begin`]. That the role or a setting is not allowed is told by the first statement.
    pub async fn begin_with(
        &self,
        options: TransactionOptions,
        local: &Local,
        deadline: Instant,
    ) -> Result<Transaction, Error> {
        Transaction::begin(&self.inner, options, local, deadline).await
    }

    /// What the pool is doing now.
    pub fn figures(&self) -> PoolFigures {
        self.inner.figures()
    }

    /// Closes idle connections, takes no new statements, and waits up to five
    /// seconds for those that run.
    pub async fn close(&self) {
        self.inner.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_send<T: Send>(_: T) {}

    #[test]
    fn every_future_may_move_between_threads() {
        let endpoint = Endpoint::parse("postgres://u@localhost/d").unwrap();
        let pool = Pool::new(endpoint, PoolOptions::default());
        let none = Parameters::none();
        let caps = Caps { rows: 1, bytes: 1 };
        let now = Instant::now();
        check_send(pool.query("select 1", &none, Header::Types, caps, now));
        check_send(pool.execute("select 1", &none, now));
        check_send(pool.batch(&[], Header::Types, caps, now));
        check_send(pool.batch_atomic(&[], Header::Types, caps, now));
        check_send(pool.lookup_type("t", None, now));
        check_send(pool.close());
        check_send(async {
            let mut transaction = pool.begin(TransactionOptions::default(), now).await?;
            transaction.query("select 1", &none, Header::Types, caps, now).await?;
            transaction.execute("select 1", &none, now).await?;
            let _ = transaction.batch(&[], Header::Types, caps, now).await;
            transaction.savepoint(now).await?;
            transaction.release_savepoint(now).await?;
            transaction.rollback_to_savepoint(now).await?;
            let mut cursor = transaction.open_cursor("select 1", &none, now).await?;
            cursor.next(1, caps, now).await?;
            transaction.commit(now).await?;
            transaction.rollback(now).await?;
            pool.open_cursor("select 1", &none, now).await.map(drop)
        });
    }
}
