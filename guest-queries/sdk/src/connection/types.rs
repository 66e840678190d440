//! Finds the OIDs of types that are not built in, such as enums, by asking the host. Owns
//! their cache for this connection. Never: sends SQL.

use diesel::pg::{FailedToLookupTypeError, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata};
use diesel::result::Error as DieselError;
use std::borrow::Cow;

use crate::bindings::avenire::database::sql;
use crate::error::from_host;

/// Looks types up for Diesel. Deliberately not the connection itself: Diesel would then
/// query `pg_type`, which costs a statement and needs a grant.
#[derive(Default)]
pub(super) struct HostTypes {
    known: Vec<KnownType>,
    failure: Option<DieselError>,
}

struct KnownType {
    schema: Option<String>,
    name: String,
    type_oid: u32,
    array_oid: u32,
}

impl HostTypes {
    /// Why the last look-up failed. Diesel reports only that one failed.
    pub(super) fn take_failure(&mut self) -> Option<DieselError> {
        self.failure.take()
    }
}

impl PgMetadataLookup for HostTypes {
    fn lookup_type(&mut self, name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let known =
            self.known.iter().find(|known| known.name == name && known.schema.as_deref() == schema);
        if let Some(known) = known {
            return PgTypeMetadata::new(known.type_oid, known.array_oid);
        }
        match sql::lookup_type(name, schema) {
            Ok(sql::TypeOids { type_oid, array_oid }) => {
                let schema = schema.map(str::to_owned);
                self.known.push(KnownType { schema, name: name.to_owned(), type_oid, array_oid });
                PgTypeMetadata::new(type_oid, array_oid)
            }
            Err(error) => {
                self.failure = Some(from_host(error));
                let schema = schema.map(|schema| Cow::Owned(schema.to_owned()));
                let key = PgMetadataCacheKey::new(schema, Cow::Owned(name.to_owned()));
                PgTypeMetadata::from_result(Err(FailedToLookupTypeError::new(key)))
            }
        }
    }
}

/// Answers without asking, for questions about which columns a query has, where the
/// types' OIDs do not matter.
pub(super) struct NoTypes;

impl PgMetadataLookup for NoTypes {
    fn lookup_type(&mut self, _name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}
