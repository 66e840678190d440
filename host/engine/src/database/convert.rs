//! Translates between the WIT's types and those of `avenire-postgres`. Total
//! functions; the only effect is that a budget which a statement went beyond is
//! used up.

use avenire_postgres as postgres;

use super::bindings::sql::{Outcome, RowHeader, Statement};
use super::bindings::types::{
    AccessMode, DatabaseError, Error, IsolationLevel, TransactionOptions,
};
use super::budget::Budget;

pub(crate) fn error(error: postgres::Error, budget: &mut Budget) -> Error {
    match error {
        postgres::Error::Database(error) => Error::Database(database_error(*error)),
        postgres::Error::RowLimit { .. } => budget.row_limit(),
        postgres::Error::ByteLimit { .. } => budget.byte_limit(),
        error @ postgres::Error::Timeout { .. } => Error::Timeout(error.to_string()),
        error @ postgres::Error::Unavailable { .. } => Error::Unavailable(error.to_string()),
        error @ postgres::Error::Denied { .. } => Error::Denied(error.to_string()),
        error @ postgres::Error::Invalid { .. } => Error::Invalid(error.to_string()),
        error => Error::Other(error.to_string()),
    }
}

fn database_error(error: postgres::DatabaseError) -> DatabaseError {
    DatabaseError {
        code: error.code,
        severity: error.severity,
        message: error.message,
        detail: error.detail,
        hint: error.hint,
        schema: error.schema,
        table: error.table,
        column: error.column,
        data_type: error.data_type,
        constraint: error.constraint,
        position: error.position,
    }
}

pub(crate) fn header(header: RowHeader) -> postgres::Header {
    match header {
        RowHeader::Types => postgres::Header::Types,
        RowHeader::Described => postgres::Header::Described,
    }
}

pub(crate) fn parameters(bytes: Vec<u8>) -> Result<postgres::Parameters, Error> {
    postgres::Parameters::parse(bytes).map_err(|error| Error::Invalid(error.to_string()))
}

pub(crate) fn statement(statement: Statement) -> Result<(String, postgres::Parameters), Error> {
    Ok((statement.sql, parameters(statement.parameters)?))
}

pub(crate) fn outcome(packed: postgres::Packed) -> Outcome {
    Outcome { affected: packed.affected, rows: packed.bytes.into() }
}

pub(crate) fn options(options: TransactionOptions) -> postgres::TransactionOptions {
    postgres::TransactionOptions {
        isolation: options.isolation.map(|level| match level {
            IsolationLevel::ReadCommitted => postgres::IsolationLevel::ReadCommitted,
            IsolationLevel::RepeatableRead => postgres::IsolationLevel::RepeatableRead,
            IsolationLevel::Serializable => postgres::IsolationLevel::Serializable,
        }),
        access: match options.access {
            AccessMode::ReadWrite => postgres::AccessMode::ReadWrite,
            AccessMode::ReadOnly => postgres::AccessMode::ReadOnly,
        },
        deferrable: options.deferrable,
    }
}
