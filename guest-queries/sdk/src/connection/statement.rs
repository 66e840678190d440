//! Turns a Diesel query into what travels to the host: SQL text and packed parameters.
//! Owns nothing that outlives a statement. Never: sends it.

use diesel::expression::QueryMetadata;
use diesel::pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

use super::types::{HostTypes, NoTypes};
use crate::bindings::avenire::database::sql::RowHeader;
use crate::wire::{Parameter, pack};

/// One statement, ready to be sent.
pub(super) struct Prepared {
    pub(super) sql: String,
    pub(super) parameters: Vec<u8>,
}

/// Builds the text and packs the binds of a query.
pub(super) fn prepare<Q>(query: &Q, types: &mut HostTypes) -> QueryResult<Prepared>
where
    Q: QueryFragment<Pg> + ?Sized,
{
    let mut builder = PgQueryBuilder::default();
    query.to_sql(&mut builder, &Pg)?;
    let mut binds = RawBytesBindCollector::<Pg>::new();
    let collected = query.collect_binds(&mut binds, types, &Pg);
    let parameters = collected.and_then(|()| pack_binds(&binds)).map_err(|error| {
        // What the host said of a failed look-up says more than Diesel's error does.
        types.take_failure().unwrap_or(error)
    })?;
    Ok(Prepared { sql: builder.finish(), parameters })
}

fn pack_binds(collector: &RawBytesBindCollector<Pg>) -> QueryResult<Vec<u8>> {
    let oids = collector.metadata.iter().map(PgTypeMetadata::oid);
    let oids: Vec<u32> = oids
        .collect::<Result<_, _>>()
        .map_err(|error| DieselError::SerializationError(Box::new(error)))?;
    let parameters = oids
        .iter()
        .zip(&collector.binds)
        .map(|(&type_oid, value)| Parameter { type_oid, value: value.as_deref() });
    pack(parameters).map_err(|_| {
        let message = "the statement has more than 65535 parameters, or one of more than 2 GiB";
        DieselError::DatabaseError(
            DatabaseErrorKind::UnableToSendCommand,
            Box::new(message.to_owned()),
        )
    })
}

/// Which header the rows of a query need. Rows are read by position, for which types are
/// enough, unless Diesel does not know the columns (`sql_query`): those it reads by name.
pub(super) fn header_for<T>() -> RowHeader
where
    Pg: QueryMetadata<T>,
{
    let mut columns = Vec::new();
    let mut lookup = NoTypes;
    let lookup: &mut dyn PgMetadataLookup = &mut lookup;
    Pg::row_metadata(lookup, &mut columns);
    if columns.iter().any(Option::is_none) { RowHeader::Described } else { RowHeader::Types }
}
