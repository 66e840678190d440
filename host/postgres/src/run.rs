//! Runs one statement on one connection. Owns how it is sent and how its answer is
//! read under a budget. Never chooses the connection, retries, or watches a clock.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use tokio_postgres::RowStream;
use tokio_postgres::types::{ToSql, Type};

use crate::classify::{self, Stage};
use crate::connection::Connection;
use crate::error::Error;
use crate::packed::{Budget, Header, Layout, Packed, Packer};
use crate::parameters::{Parameters, Value};
use crate::statements::Prepared;

/// How much of a result that went over its budget is still read, so that the
/// connection can be kept. In bytes.
const DRAINED: usize = 256 * 1024;

/// How much of rows that nobody asked for is thrown away before the statement counts as
/// one that should not have been sent. In bytes, with so many for each row.
const DISCARDED: usize = 16 * 1024 * 1024;
const DISCARDED_ROW: usize = 64;

/// How a statement is sent.
#[derive(Clone)]
pub(crate) enum Plan {
    /// As a named statement that was prepared on this connection.
    Named(Arc<Prepared>),
    /// Unnamed, in one round trip; its columns are known from elsewhere.
    Unnamed(Arc<Layout>),
}

/// What the caller wants of the answer.
#[derive(Clone, Copy)]
pub(crate) enum Want<'a> {
    /// Packed rows within a budget.
    Rows(Header, &'a Budget),
    /// The count of the command tag.
    Count,
}

/// Why a statement has no result, and what that means for the connection.
pub(crate) enum Failure {
    /// The driver's error. The answer is complete or the connection is lost.
    Driver(tokio_postgres::Error, Stage),
    /// An error of ours; the connection is as before.
    Ours(Error),
    /// An error of ours while rows are still coming: nobody else may use the
    /// connection.
    Unsettled(Error),
}

impl Failure {
    pub(crate) fn preparing(error: tokio_postgres::Error) -> Failure {
        Failure::Driver(error, Stage::Preparing)
    }

    pub(crate) fn executing(error: tokio_postgres::Error) -> Failure {
        Failure::Driver(error, Stage::Executing)
    }

    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self, Failure::Unsettled(_))
    }

    pub(crate) fn is_stale(&self) -> bool {
        matches!(self, Failure::Driver(error, _) if classify::is_stale(error))
    }

    /// Whether Postgres reported it, which aborts a transaction.
    pub(crate) fn is_from_postgres(&self) -> bool {
        matches!(self, Failure::Driver(error, _) if error.as_db_error().is_some())
    }

    pub(crate) fn into_error(self, connection: &Connection) -> Error {
        match self {
            Failure::Driver(error, stage) => connection.error(&error, stage),
            Failure::Ours(error) | Failure::Unsettled(error) => error,
        }
    }
}

/// A result, and whether its columns are those that were expected.
pub(crate) struct Answer {
    pub(crate) packed: Packed,
    pub(crate) fits: bool,
}

impl Answer {
    /// An answer without columns and rows.
    pub(crate) fn empty() -> Answer {
        Answer::of_count(0)
    }

    fn of_count(affected: u64) -> Answer {
        let packed = Packer::new(&Layout::default(), Header::Types).finish(affected);
        Answer { packed, fits: true }
    }
}

/// Prepares a statement, or finds it prepared.
pub(crate) async fn prepare(
    connection: &Connection,
    sql: &str,
    parameters: &Parameters,
    epoch: u64,
) -> Result<Arc<Prepared>, Failure> {
    let prepared = connection
        .statements()
        .get(connection.client(), sql, parameters, epoch)
        .await
        .map_err(Failure::preparing)?;
    check_count(&prepared, parameters)?;
    Ok(prepared)
}

/// The driver would take a wrong number of parameters for a programming error of
/// ours.
pub(crate) fn check_count(prepared: &Prepared, parameters: &Parameters) -> Result<(), Failure> {
    let expected = prepared.statement.params().len();
    if expected == parameters.len() {
        return Ok(());
    }
    Err(Failure::Ours(Error::invalid(format!(
        "the statement has {expected} parameters and {} were given",
        parameters.len()
    ))))
}

/// Sends a statement and reads its answer.
pub(crate) async fn run(
    connection: &Connection,
    plan: &Plan,
    sql: &str,
    parameters: &Parameters,
    want: Want<'_>,
) -> Result<Answer, Failure> {
    match want {
        Want::Rows(header, budget) => {
            let stream = open(connection, plan, sql, parameters).await?;
            let layout = match plan {
                Plan::Named(prepared) => &prepared.layout,
                Plan::Unnamed(layout) => layout,
            };
            collect(stream, layout, header, budget).await
        }
        Want::Count => Ok(Answer::of_count(count(connection, plan, sql, parameters).await?)),
    }
}

/// Sends a statement; the rows are read from the stream.
pub(crate) async fn open(
    connection: &Connection,
    plan: &Plan,
    sql: &str,
    parameters: &Parameters,
) -> Result<RowStream, Failure> {
    let client = connection.client();
    match plan {
        Plan::Named(prepared) => client.query_raw(&prepared.statement, parameters.values()).await,
        Plan::Unnamed(_) => {
            let types = parameters.types();
            client.query_typed_raw(sql, parameters.values().zip(types)).await
        }
    }
    .map_err(Failure::executing)
}

async fn count(
    connection: &Connection,
    plan: &Plan,
    sql: &str,
    parameters: &Parameters,
) -> Result<u64, Failure> {
    let client = connection.client();
    match plan {
        Plan::Named(_) => return discard(open(connection, plan, sql, parameters).await?).await,
        // The driver would look up the types of rows here, which a pooler does not allow.
        Plan::Unnamed(_) => {
            let values: Vec<Value<'_>> = parameters.values().collect();
            let typed: Vec<(&(dyn ToSql + Sync), Type)> = values
                .iter()
                .zip(parameters.types())
                .map(|(value, kind)| (value as &(dyn ToSql + Sync), kind))
                .collect();
            client.execute_typed(sql, &typed).await
        }
    }
    .map_err(Failure::executing)
}

/// Throws the rows away and counts them. A result without an end would otherwise keep a
/// thread busy until the deadline.
async fn discard(stream: RowStream) -> Result<u64, Failure> {
    let mut stream = pin!(stream);
    let mut discarded = 0;
    while let Some(row) = stream.try_next().await.map_err(Failure::executing)? {
        discarded += row.raw_size_bytes() + DISCARDED_ROW;
        if discarded > DISCARDED {
            let maximum = u64::try_from(DISCARDED).unwrap_or(u64::MAX);
            return Err(Failure::Unsettled(Error::ByteLimit { maximum }));
        }
    }
    Ok(stream.rows_affected().unwrap_or_default())
}

async fn collect(
    stream: RowStream,
    layout: &Layout,
    header: Header,
    budget: &Budget,
) -> Result<Answer, Failure> {
    let mut stream = pin!(stream);
    let Some(first) = stream.try_next().await.map_err(Failure::executing)? else {
        let affected = stream.rows_affected().unwrap_or_default();
        return Ok(Answer { packed: Packer::new(layout, header).finish(affected), fits: true });
    };
    let fits = layout.fits(first.columns());
    let mut packer = if fits {
        Packer::new(layout, header)
    } else {
        Packer::new(&Layout::of(first.columns()), header)
    };
    let mut next = Some(first);
    while let Some(row) = next {
        if let Err(limit) = budget.spend(row.raw_size_bytes()) {
            return Err(settle(stream.as_mut(), limit).await);
        }
        packer.push(&row).map_err(Failure::executing)?;
        next = stream.try_next().await.map_err(Failure::executing)?;
    }
    let affected = stream.rows_affected().unwrap_or_default();
    Ok(Answer { packed: packer.finish(affected), fits })
}

/// Reads on for a little after a limit, in case the end is near.
async fn settle(mut stream: std::pin::Pin<&mut RowStream>, limit: Error) -> Failure {
    let mut drained = 0;
    while drained < DRAINED {
        match stream.try_next().await {
            Ok(Some(row)) => drained += row.raw_size_bytes() + 64,
            // An error ends the answer just as well.
            Ok(None) | Err(_) => return Failure::Ours(limit),
        }
    }
    Failure::Unsettled(limit)
}
