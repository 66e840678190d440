//! How a transaction begins, and how a statement is sent inside of one. Never runs
//! either.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::connect::timeout_milliseconds;
use crate::connection::Connection;
use crate::endpoint::StatementMode;
use crate::guard::Kind;
use crate::packed::Layout;
use crate::parameters::Parameters;
use crate::pool::{Inner, Shape};
use crate::run::{self, Failure, Plan, Want};
use crate::statements::Prepared;

/// Transaction isolation (PostgreSQL documentation, "Transaction Isolation").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsolationLevel {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see one snapshot.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// Whether a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessMode {
    /// Reads and writes.
    #[default]
    ReadWrite,
    /// Writes fail with SQLSTATE 25006.
    ReadOnly,
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionOptions {
    /// None leaves the role's or the server's default.
    pub isolation: Option<IsolationLevel>,
    /// Whether it may write.
    pub access: AccessMode,
    /// Waits for a snapshot that can not fail; only of influence for serializable
    /// read-only transactions.
    pub deferrable: bool,
}

/// The statement that begins a transaction. Behind a pooler the session can have no
/// settings, so the statement timeout is set for the transaction.
pub(crate) fn begin_statement(inner: &Inner, options: TransactionOptions) -> String {
    let mut sql = "begin".to_owned();
    sql.push_str(match options.isolation {
        None => "",
        Some(IsolationLevel::ReadCommitted) => " isolation level read committed",
        Some(IsolationLevel::RepeatableRead) => " isolation level repeatable read",
        Some(IsolationLevel::Serializable) => " isolation level serializable",
    });
    sql.push_str(match options.access {
        AccessMode::ReadWrite => " read write",
        AccessMode::ReadOnly => " read only",
    });
    if options.deferrable {
        sql.push_str(" deferrable");
    }
    if let (StatementMode::Unnamed, Some(timeout)) =
        (inner.mode(), inner.options().statement_timeout)
    {
        let milliseconds = timeout_milliseconds(timeout);
        let _ = write!(sql, "; set local statement_timeout = {milliseconds}");
    }
    sql
}

/// How a statement is sent inside a transaction, and whether finding out made the
/// driver look up types by named statements, which then must be removed from the
/// server behind the pooler.
pub(crate) async fn plan_in_transaction(
    inner: &Inner,
    connection: &Connection,
    sql: &str,
    parameters: &Parameters,
    kind: Kind,
    want: Want<'_>,
) -> Result<(Plan, bool), Failure> {
    if inner.mode() == StatementMode::Named {
        let prepared = run::prepare(connection, sql, parameters, inner.epoch()).await?;
        return Ok((Plan::Named(prepared), false));
    }
    if !matches!(kind, Kind::Read | Kind::Write) || matches!(want, Want::Count) {
        return Ok((Plan::Unnamed(Arc::new(Layout::default())), false));
    }
    if let Some(shape) = inner.shapes().get(sql, parameters)
        && connection.knows_types(&shape.user_types)
    {
        return Ok((Plan::Unnamed(Arc::clone(&shape.layout)), false));
    }
    let (prepared, looked_up) = prepare_once(inner, connection, sql, parameters).await?;
    Ok((Plan::Named(Arc::new(prepared)), looked_up))
}

/// Prepares a statement inside a transaction behind a pooler, for one use: it is
/// closed on the same server when dropped before the transaction ends.
pub(crate) async fn prepare_once(
    inner: &Inner,
    connection: &Connection,
    sql: &str,
    parameters: &Parameters,
) -> Result<(Prepared, bool), Failure> {
    let prepared = connection.client().prepare_typed(sql, &parameters.types()).await;
    let statement = prepared.map_err(Failure::preparing)?;
    let layout = Layout::of(statement.columns());
    let shape = Arc::new(Shape::new(layout.clone()));
    let parameter_types: Vec<u32> = statement
        .params()
        .iter()
        .map(tokio_postgres::types::Type::oid)
        .filter(|oid| tokio_postgres::types::Type::from_oid(*oid).is_none())
        .collect();
    let looked_up =
        !connection.knows_types(&shape.user_types) || !connection.knows_types(&parameter_types);
    inner.shapes().learn(sql, parameters, &shape);
    let prepared = Prepared { statement, layout };
    run::check_count(&prepared, parameters)?;
    Ok((prepared, looked_up))
}
