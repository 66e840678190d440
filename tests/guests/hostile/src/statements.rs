//! One statement at a time, malformed parameters, and more of everything than the
//! limits allow.

use crate::Component;
use crate::attacks::size;
use crate::bindings::avenire::database::sql::{self, RowHeader, Statement};
use crate::bindings::avenire::database::types::{Column, Error};
use crate::bindings::exports::test::hostile::statements::{BatchError, Flaw, Guest, TypeOids};
use crate::packed::{Rows, decode, sum_of_bigints, text_parameter};

impl Guest for Component {
    fn run_sql(sql: String) -> Result<Rows, Error> {
        query(&sql, &[])
    }

    fn run_sql_with(sql: String, parameter: Option<String>) -> Result<Rows, Error> {
        query(&sql, &text_parameter(parameter.as_deref()))
    }

    fn execute_sql(sql: String) -> Result<u64, Error> {
        sql::execute(&sql, &[])
    }

    fn describe_sql(sql: String) -> Result<Vec<Column>, Error> {
        let rows = sql::query(&sql, &[], RowHeader::Described)?;
        Ok(decode(&rows).0)
    }

    fn bad_parameters(flaw: Flaw) -> Result<Rows, Error> {
        query("select $1", &flawed(flaw))
    }

    fn huge_statement(bytes: u64) -> Result<Rows, Error> {
        let head = "select 1 -- ";
        query(&format!("{head}{}", "x".repeat(size(bytes) - head.len())), &[])
    }

    fn many_statements(count: u32) -> Result<u32, Error> {
        for _ in 0..count {
            sql::execute("select 1", &[])?;
        }
        Ok(count)
    }

    fn many_rows(counts: Vec<u64>) -> Vec<Result<u64, Error>> {
        let read = |count| {
            let rows = query(&format!("select generate_series(1, {count})"), &[])?;
            Ok(rows.len() as u64)
        };
        counts.into_iter().map(read).collect()
    }

    fn many_bytes(lengths: Vec<u64>) -> Vec<Result<u64, Error>> {
        let read = |length| {
            let rows = query(&format!("select repeat('x', {length})"), &[])?;
            Ok(rows.iter().flatten().flatten().map(|cell| cell.len() as u64).sum())
        };
        lengths.into_iter().map(read).collect()
    }

    fn sleep_in_sql(seconds: f64) -> Result<(), Error> {
        sql::execute(&format!("select pg_sleep({seconds})"), &[]).map(drop)
    }

    fn run_batch(statements: Vec<String>) -> Result<Vec<Result<u64, Error>>, Error> {
        let outcomes = sql::batch(&batch(statements), RowHeader::Types)?;
        Ok(outcomes.into_iter().map(|outcome| Ok(outcome?.affected)).collect())
    }

    fn run_batch_atomic(statements: Vec<String>) -> Result<Vec<u64>, BatchError> {
        let outcomes = sql::batch_atomic(&batch(statements), RowHeader::Types)?;
        Ok(outcomes.into_iter().map(|outcome| outcome.affected).collect())
    }

    fn find_type(name: String, schema: Option<String>) -> Result<TypeOids, Error> {
        sql::lookup_type(&name, schema.as_deref())
    }

    fn cursor_sum(count: u64, max_bytes: u32) -> Result<u64, Error> {
        let sql = format!("select n::bigint from generate_series(1, {count}) as n");
        let cursor = sql::open_cursor(&sql, &[])?;
        let mut sum = 0;
        loop {
            let rows = cursor.next(max_bytes)?;
            let (count, part) = sum_of_bigints(&rows);
            if count == 0 {
                return Ok(sum);
            }
            sum += part;
        }
    }
}

/// Reads all rows of a statement that commits by itself.
pub(crate) fn query(sql: &str, parameters: &[u8]) -> Result<Rows, Error> {
    Ok(decode(&sql::query(sql, parameters, RowHeader::Types)?).1)
}

/// Statements without parameters.
pub(crate) fn batch(statements: Vec<String>) -> Vec<Statement> {
    statements.into_iter().map(|sql| Statement { sql, parameters: Vec::new() }).collect()
}

/// Parameters that break the format in one way.
fn flawed(flaw: Flaw) -> Vec<u8> {
    let mut bytes = text_parameter(Some("text"));
    let end = bytes.len();
    match flaw {
        Flaw::None => {}
        Flaw::EmptyCount => bytes.truncate(1),
        Flaw::Truncated => bytes.truncate(end - 1),
        Flaw::CountTooLarge => bytes.splice(..2, [0xff, 0xff]).for_each(drop),
        Flaw::Trailing => bytes.push(0),
        Flaw::UnknownFormat => bytes.splice(6..7, [7]).for_each(drop),
        Flaw::NegativeLength => bytes.splice(7..11, (-2_i32).to_le_bytes()).for_each(drop),
        Flaw::LengthTooLarge => bytes.splice(7..11, i32::MAX.to_le_bytes()).for_each(drop),
    }
    bytes
}
