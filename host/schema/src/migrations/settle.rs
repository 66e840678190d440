//! Finds out what a statement that was under way has left behind, and clears it away.
//! Never: runs a statement of a file.

use avenire_postgres::Session;

use super::error::MigrationError;
use super::kind::{Kind, ReindexOf};

/// What is to be done about a statement that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It has taken effect.
    Done,
    /// It is to be run; what was in its way is gone.
    Run,
}

/// Looks what became of a statement that was under way in another session, which is gone.
pub(super) async fn settle(session: &Session, kind: &Kind) -> Result<Settled, MigrationError> {
    let done = match kind {
        Kind::CreateIndex { name: Some(name), table } => match index(session, table, name).await? {
            Some(index) if index.valid => true,
            Some(index) => {
                drop_index(session, &index.name).await?;
                false
            }
            None => false,
        },
        Kind::DropIndex { name } => {
            let there = "select 1 where pg_catalog.to_regclass($1) is not null";
            session.rows(there, &[name]).await?.is_empty()
        }
        Kind::Detach { parent, partition } => detached(session, parent, partition).await?,
        Kind::Reindex { what, name } => {
            drop_leftovers(session, *what, name).await?;
            false
        }
        _ => false,
    };
    Ok(if done { Settled::Done } else { Settled::Run })
}

/// Whether what it makes is there already, so that it is not this statement's.
pub(super) async fn exists(session: &Session, kind: &Kind) -> Result<bool, MigrationError> {
    match kind {
        Kind::CreateIndex { name: Some(name), table } => {
            Ok(index(session, table, name).await?.is_some())
        }
        _ => Ok(false),
    }
}

/// The index that a statement says it makes and that is there invalid: `if not exists` is content
/// with one that somebody failed to build, and Postgres never uses it.
pub(super) async fn invalid(
    session: &Session,
    kind: &Kind,
) -> Result<Option<String>, MigrationError> {
    match kind {
        Kind::CreateIndex { name: Some(name), table } => {
            let index = index(session, table, name).await?;
            Ok(index.filter(|index| !index.valid).map(|index| index.name))
        }
        _ => Ok(None),
    }
}

/// Clears away what a statement that failed has left. `own` is whether what it would have made is
/// this statement's. Whether nothing of it remains.
pub(super) async fn clean(
    session: &Session,
    kind: &Kind,
    own: bool,
) -> Result<bool, MigrationError> {
    match kind {
        Kind::CreateIndex { name: Some(name), table } => match index(session, table, name).await? {
            Some(index) if own && !index.valid => {
                drop_index(session, &index.name).await?;
                Ok(true)
            }
            Some(index) => Ok(!own || !index.valid),
            None => Ok(true),
        },
        Kind::Reindex { what, name } => {
            drop_leftovers(session, *what, name).await?;
            Ok(true)
        }
        // An invalid index may remain, which the next attempt drops; nothing else can.
        Kind::DropIndex { .. } | Kind::Maintenance | Kind::Setting | Kind::Guarded => Ok(true),
        Kind::CreateIndex { name: None, .. } | Kind::Detach { .. } | Kind::Other => Ok(false),
    }
}

struct Index {
    /// With its schema, quoted.
    name: String,
    valid: bool,
}

/// An index is in its table's schema. `table` is as the file writes it.
async fn index(
    session: &Session,
    table: &str,
    name: &str,
) -> Result<Option<Index>, MigrationError> {
    let sql = "select pg_catalog.format('%I.%I', n.nspname, c.relname), i.indisvalid
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid = i.indexrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where i.indrelid = pg_catalog.to_regclass($1) and c.relname = $2::text";
    let rows = session.rows(sql, &[&table, &name]).await?;
    rows.first().map(|row| Ok(Index { name: text(row, 0)?, valid: flag(row, 1)? })).transpose()
}

/// `lock_timeout` is off: it waits for whoever may still use the index, and holds up nobody.
async fn drop_index(session: &Session, name: &str) -> Result<(), MigrationError> {
    let before = session.rows("select pg_catalog.current_setting('lock_timeout')", &[]).await?;
    let before = before.first().map(|row| text(row, 0)).transpose()?.unwrap_or_default();
    session.batch("set lock_timeout = 0").await?;
    session.batch(&format!("drop index concurrently if exists {name}")).await?;
    Ok(session.batch(&format!("set lock_timeout = '{before}'")).await?)
}

/// What `reindex concurrently` leaves (PostgreSQL documentation, `REINDEX`): invalid indexes whose
/// names end in `_ccnew` or `_ccold` and a number.
async fn drop_leftovers(
    session: &Session,
    what: ReindexOf,
    name: &str,
) -> Result<(), MigrationError> {
    let table = match what {
        ReindexOf::Table => "i.indrelid = pg_catalog.to_regclass($1)",
        ReindexOf::Index => {
            "i.indrelid = (select o.indrelid from pg_catalog.pg_index o
             where o.indexrelid = pg_catalog.to_regclass($1))"
        }
        ReindexOf::More => return Ok(()),
    };
    let sql = format!(
        "select pg_catalog.format('%I.%I', n.nspname, c.relname)
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid = i.indexrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where {table} and not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$'"
    );
    for row in session.rows(&sql, &[&name]).await? {
        drop_index(session, &text(&row, 0)?).await?;
    }
    Ok(())
}

/// A detaching that was interrupted between its two transactions is finalized (PostgreSQL
/// documentation, `ALTER TABLE … DETACH PARTITION`). Whether it is detached then.
async fn detached(
    session: &Session,
    parent: &str,
    partition: &str,
) -> Result<bool, MigrationError> {
    let sql = "select inhdetachpending from pg_catalog.pg_inherits
        where inhparent = pg_catalog.to_regclass($1) and inhrelid = pg_catalog.to_regclass($2)";
    let rows = session.rows(sql, &[&parent, &partition]).await?;
    let Some(row) = rows.first() else { return Ok(true) };
    if flag(row, 0)? {
        let finalize = format!("alter table {parent} detach partition {partition} finalize");
        session.batch(&finalize).await?;
        return Ok(true);
    }
    Ok(false)
}

fn text(row: &avenire_postgres::Row, column: usize) -> Result<String, MigrationError> {
    row.try_get(column).map_err(|error| MigrationError::Ledger { reason: error.to_string() })
}

fn flag(row: &avenire_postgres::Row, column: usize) -> Result<bool, MigrationError> {
    row.try_get(column).map_err(|error| MigrationError::Ledger { reason: error.to_string() })
}
