//! Reads a catalog: opens the transaction in which everything is seen at one instant and printed in
//! one way, and puts together what the readers of each kind found.
//! Never: reads rows of a table, writes.

mod attached;
mod columns;
mod constraints;
mod error;
mod indexes;
mod left_out;
mod needs;
mod objects;
mod reader;
mod relations;
mod schemas;
mod sequences;
mod types;

use avenire_postgres::Session;

use super::Introspected;
use reader::Reader;

pub use error::IntrospectError;

/// Which schemas are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All but the system's, an extension's, and those of ledgers (`_avenire`, `drizzle`).
    All,
    /// These. What belongs to no schema (event triggers, publications, casts and the like) is not
    /// mentioned then.
    Schemas(Vec<String>),
}

/// The oldest server that is read.
const OLDEST: i32 = 130_000;

/// How often everything is read when somebody drops things meanwhile.
const ATTEMPTS: usize = 3;

/// Everything is seen as of one instant. What Postgres prints depends on these settings, and must be
/// the same whoever asks: names are printed in full, times in UTC.
const BEGIN: &str = "
begin isolation level repeatable read read only;
set local search_path = '';
set local quote_all_identifiers = off;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local xmlbinary = 'base64';
set local lc_monetary = 'C';
set local jit = off";

/// Reads everything in scope with a number of queries that does not depend on how much there is.
/// The session must not be inside of a transaction, and is not afterwards.
///
/// # Errors
/// [`IntrospectError`]. When somebody drops things meanwhile, everything is read again, twice at
/// most.
pub async fn introspect(session: &Session, scope: &Scope) -> Result<Introspected, IntrospectError> {
    for _ in 1..ATTEMPTS {
        match attempt(session, scope).await {
            Err(error) if error.is_passing() => {}
            result => return result,
        }
    }
    attempt(session, scope).await
}

async fn attempt(session: &Session, scope: &Scope) -> Result<Introspected, IntrospectError> {
    let read = match session.batch(BEGIN).await {
        Ok(()) => read(session, scope).await,
        Err(error) => Err(error.into()),
    };
    let ended = session.batch("rollback").await;
    let introspected = read?;
    ended?;
    Ok(introspected)
}

async fn read(session: &Session, scope: &Scope) -> Result<Introspected, IntrospectError> {
    let mut reader = Reader::new(session, scope).await?;
    if reader.version() < OLDEST {
        return Err(IntrospectError::TooOld { major: reader.version() / 10_000 });
    }
    schemas::read(&mut reader, scope).await?;
    types::read(&mut reader).await?;
    let identities = sequences::read(&mut reader).await?;
    let mut relations = relations::read(&mut reader).await?;
    columns::read(&mut reader, &mut relations, &identities).await?;
    constraints::read(&mut reader, &mut relations).await?;
    indexes::read(&mut reader, &mut relations).await?;
    attached::read(&mut reader, &mut relations).await?;
    relations.into_catalog(&mut reader.catalog);
    objects::read(&mut reader).await?;
    let needs = needs::read(&mut reader).await?;
    let left_out = left_out::read(&reader).await?;
    let version = reader.version();
    crate::catalog::normal::normalise(&mut reader.catalog);
    Ok(Introspected { catalog: reader.catalog, needs, left_out, version })
}
