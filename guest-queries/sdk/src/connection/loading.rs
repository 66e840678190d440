//! The two ways to load rows: all at once, or in batches as they are asked for.

use diesel::result::QueryResult;
use std::rc::Rc;

use super::row::PackedRow;
use crate::bindings::avenire::database::sql;
use crate::bindings::avenire::database::types::Column;
use crate::error::{from_host, from_malformed};
use crate::wire::Batch;

/// Bytes of cells a streamed batch holds at most: large enough that the call to the host
/// does not show, small enough that two fit into the arena.
const BATCH_BYTES: u32 = 64 * 1024;

/// The loading mode for results that may be large: rows are fetched in batches through a
/// cursor of the host, so that memory stays constant.
///
/// ```no_run
/// use avenire_sdk::{prelude::*, schema::auth::{User, users}};
///
/// fn count_verified() -> QueryResult<usize> {
///     let mut verified = 0;
///     for user in users::table.load_iter::<User, Streamed>(&mut database())? {
///         verified += usize::from(user?.email_verified);
///     }
///     Ok(verified)
/// }
/// ```
///
/// Other statements may run between two rows. The cursor holds a connection of the host
/// until its end or until the iterator is dropped; inside of a transaction it uses the
/// transaction's and ends with it.
#[derive(Debug, Clone, Copy)]
pub struct Streamed;

/// Rows that have all arrived.
#[derive(Debug)]
pub struct LoadedRows {
    batch: Rc<Batch>,
    next: usize,
}

impl LoadedRows {
    pub(crate) fn new(batch: Batch) -> Self {
        Self { batch: Rc::new(batch), next: 0 }
    }
}

impl Iterator for LoadedRows {
    type Item = QueryResult<PackedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.batch.rows() {
            return None;
        }
        let row = PackedRow::new(Rc::clone(&self.batch), self.next);
        self.next += 1;
        Some(Ok(row))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.rows() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for LoadedRows {}

/// Rows that arrive as they are asked for. After an error there are no more.
#[derive(Debug)]
pub struct StreamedRows {
    /// None when the end was reached: the host frees the connection.
    cursor: Option<sql::Cursor>,
    /// Names for rows that are read by name; empty when they are not.
    columns: Vec<Column>,
    current: Option<LoadedRows>,
}

impl StreamedRows {
    pub(super) fn new(cursor: sql::Cursor, columns: Vec<Column>) -> Self {
        Self { cursor: Some(cursor), columns, current: None }
    }

    /// The next batch; None at the end.
    fn fetch(&mut self) -> QueryResult<Option<LoadedRows>> {
        // Taken out, so that it is gone after an error and at the end.
        let Some(cursor) = self.cursor.take() else { return Ok(None) };
        let rows = cursor.next(BATCH_BYTES).map_err(from_host)?;
        let mut batch = Batch::parse(rows).map_err(|malformed| from_malformed(&malformed))?;
        if batch.rows() == 0 {
            return Ok(None);
        }
        batch.name_columns(&self.columns);
        self.cursor = Some(cursor);
        Ok(Some(LoadedRows::new(batch)))
    }
}

impl Iterator for StreamedRows {
    type Item = QueryResult<PackedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.current.as_mut().and_then(Iterator::next) {
                return Some(row);
            }
            // Frees the last batch before the next one is asked for.
            self.current = None;
            match self.fetch() {
                Ok(Some(rows)) => self.current = Some(rows),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
