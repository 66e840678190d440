//! Rows of any number, a piece at a time. Owns the stream of a cursor of its own
//! connection; cursors inside a transaction are the transaction's. Never holds more
//! than a piece and one row in memory.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use futures_util::future::join;
use tokio_postgres::{Row, RowStream};

use crate::endpoint::StatementMode;
use crate::error::{Error, WaitingFor};
use crate::guard::Place;
use crate::packed::{Budget, Caps, ColumnDescription, Header, Layout, Packed, Packer};
use crate::parameters::Parameters;
use crate::pool::{Inner, Lease, Which, within};
use crate::run::{self, Failure, Plan};
use crate::transaction::{Core, TransactionOptions, begin_statement, check_cursor, prepare_once};

/// Smallest piece, in bytes of cells.
const SMALLEST: u32 = 1024;
/// Largest piece, in bytes of cells.
const LARGEST: u32 = 1024 * 1024;

/// An open cursor.
///
/// Outside of a transaction it holds a connection until it is read to its end or
/// dropped; dropped early, the statement is cancelled. Memory stays constant: the
/// socket is only read as rows are taken.
///
/// # Cancel safety
///
/// Dropping the future of [`Cursor::next`] loses rows, so the cursor can not be read
/// further afterwards.
#[derive(Debug)]
pub struct Cursor {
    columns: Vec<ColumnDescription>,
    source: Source,
}

enum Source {
    /// On a connection of its own.
    Own(Box<Own>),
    /// Inside a transaction.
    Transaction { core: Arc<Core>, id: u64 },
    /// Read to the end.
    Ended,
    /// Failed or interrupted.
    Broken,
}

struct Own {
    // The stream before the lease: it is dropped first, so that the driver knows that
    // nobody reads on.
    stream: Pin<Box<RowStream>>,
    layout: Layout,
    /// A row that did not fit into the last piece.
    held: Option<Row>,
    lease: Lease,
    /// Behind a pooler the statement runs inside a transaction.
    is_in_transaction: bool,
}

impl Cursor {
    pub(crate) async fn open(
        inner: &Arc<Inner>,
        sql: &str,
        parameters: &Parameters,
        deadline: Instant,
    ) -> Result<Cursor, Error> {
        check_cursor(sql, parameters, Place::Autocommit)?;
        let lease = inner.lease(Which::Exclusive, deadline).await?;
        let opening = Own::open(inner, lease, sql, parameters);
        let own = within(deadline, WaitingFor::Answer, opening).await??;
        Ok(Cursor { columns: own.layout.columns.clone(), source: Source::Own(Box::new(own)) })
    }

    pub(crate) fn in_transaction(
        core: Arc<Core>,
        id: u64,
        columns: Vec<ColumnDescription>,
    ) -> Cursor {
        Cursor { columns, source: Source::Transaction { core, id } }
    }

    /// The columns, also before the first row and without rows.
    pub fn columns(&self) -> &[ColumnDescription] {
        &self.columns
    }

    /// The next rows, with a header of types: as many as fit into `max_bytes` of
    /// cells (clamped to 1 KiB … 1 MiB), at least one. No rows means that the end is
    /// reached, then and at every later call.
    ///
    /// # Errors
    /// [`Error::RowLimit`] and [`Error::ByteLimit`] when the piece exceeds `caps`;
    /// [`Error::Invalid`] after a failure and after the end of its transaction.
    pub async fn next(
        &mut self,
        max_bytes: u32,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Packed, Error> {
        let max_bytes = usize::try_from(max_bytes.clamp(SMALLEST, LARGEST)).unwrap_or(usize::MAX);
        if let Source::Transaction { core, id } = &self.source {
            return core.next(*id, max_bytes, caps, deadline).await;
        }
        // Broken until the piece is complete: a dropped future has lost rows.
        let mut own = match std::mem::replace(&mut self.source, Source::Broken) {
            Source::Own(own) => own,
            Source::Ended => {
                self.source = Source::Ended;
                return Ok(self.nothing());
            }
            _ => return Err(Error::invalid("the cursor has failed or was interrupted")),
        };
        let reading = own.next(max_bytes, caps);
        match within(deadline, WaitingFor::Answer, reading).await? {
            Ok((packed, true)) => {
                self.source = Source::Ended;
                own.finish(deadline).await?;
                Ok(packed)
            }
            Ok((packed, false)) => {
                self.source = Source::Own(own);
                Ok(packed)
            }
            Err(failure) => Err(own.fail(failure)),
        }
    }

    fn nothing(&self) -> Packed {
        Packer::new(&Layout::from_descriptions(self.columns.clone()), Header::Types).finish(0)
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        if let Source::Transaction { core, id } = &self.source {
            core.close_portal(*id);
        }
    }
}

impl Own {
    async fn open(
        inner: &Arc<Inner>,
        mut lease: Lease,
        sql: &str,
        parameters: &Parameters,
    ) -> Result<Own, Error> {
        lease.begin_use();
        let opened = match inner.mode() {
            StatementMode::Named => Own::open_named(inner, &lease, sql, parameters).await,
            StatementMode::Unnamed => Own::open_unnamed(inner, &mut lease, sql, parameters).await,
        };
        let is_in_transaction = inner.mode() == StatementMode::Unnamed;
        match opened {
            Ok((stream, layout)) => {
                Ok(Own { stream: Box::pin(stream), layout, held: None, lease, is_in_transaction })
            }
            Err(failure) => {
                // Outside of a transaction an error of Postgres leaves nothing behind.
                if !is_in_transaction && failure.is_settled() {
                    lease.end_use();
                }
                Err(failure.into_error(lease.connection()?))
            }
        }
    }

    async fn open_named(
        inner: &Inner,
        lease: &Lease,
        sql: &str,
        parameters: &Parameters,
    ) -> Result<(RowStream, Layout), Failure> {
        let connection = lease.connection().map_err(Failure::Ours)?;
        let mut is_first = true;
        loop {
            let prepared = run::prepare(connection, sql, parameters, inner.epoch()).await?;
            let layout = prepared.layout.clone();
            match run::open(connection, &Plan::Named(prepared), sql, parameters).await {
                Ok(stream) => return Ok((stream, layout)),
                Err(failure) if failure.is_stale() && is_first => {
                    inner.schema_changed();
                    is_first = false;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn open_unnamed(
        inner: &Inner,
        lease: &mut Lease,
        sql: &str,
        parameters: &Parameters,
    ) -> Result<(RowStream, Layout), Failure> {
        let begin = begin_statement(inner, TransactionOptions::default());
        let connection = lease.connection().map_err(Failure::Ours)?;
        let beginning = connection.client().batch_execute(&begin);
        let preparing = prepare_once(inner, connection, sql, parameters);
        let (started, prepared) = join(beginning, preparing).await;
        started.map_err(Failure::preparing)?;
        let (prepared, looked_up) = prepared?;
        let layout = prepared.layout.clone();
        let plan = Plan::Named(Arc::new(prepared));
        let stream = run::open(connection, &plan, sql, parameters).await?;
        if looked_up {
            lease.taint();
        }
        Ok((stream, layout))
    }

    /// A piece, and whether it is the last.
    async fn next(&mut self, max_bytes: usize, caps: Caps) -> Result<(Packed, bool), Failure> {
        let budget = Budget::new(caps);
        let mut packer = Packer::new(&self.layout, Header::Types);
        let mut is_at_end = false;
        loop {
            let row = match self.held.take() {
                Some(row) => Some(row),
                None => self.stream.try_next().await.map_err(Failure::executing)?,
            };
            let Some(row) = row else {
                is_at_end = true;
                break;
            };
            let size = row.raw_size_bytes();
            if packer.rows() > 0 && packer.cell_bytes() + size > max_bytes {
                self.held = Some(row);
                break;
            }
            budget.spend(size).map_err(Failure::Unsettled)?;
            packer.push(&row).map_err(Failure::executing)?;
        }
        let rows = u64::from(packer.rows());
        Ok((packer.finish(rows), is_at_end))
    }

    /// Gives the connection back after the last row.
    async fn finish(mut self: Box<Self>, deadline: Instant) -> Result<(), Error> {
        if self.is_in_transaction {
            let connection = self.lease.connection()?;
            // The look-ups of a tainted connection leave names behind otherwise.
            let ending = connection.client().batch_execute("deallocate all; commit");
            within(deadline, WaitingFor::Answer, ending)
                .await?
                .map_err(|error| Failure::executing(error).into_error(connection))?;
        }
        self.lease.end_use();
        Ok(())
    }

    fn fail(mut self: Box<Self>, failure: Failure) -> Error {
        let is_settled = failure.is_settled();
        let error = match self.lease.connection() {
            Ok(connection) => failure.into_error(connection),
            Err(error) => error,
        };
        if is_settled && !self.is_in_transaction && matches!(error, Error::Database(_)) {
            self.lease.end_use();
        }
        error
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Source::Own(_) => "Own",
            Source::Transaction { .. } => "Transaction",
            Source::Ended => "Ended",
            Source::Broken => "Broken",
        })
    }
}
