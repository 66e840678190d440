//! Packed rows without Diesel, for components that call `avenire:database/sql` by
//! themselves and decode what Postgres sent. Never: interprets a cell.

use std::fmt;

use crate::wire::Batch;

/// Rows of one statement, read in place.
#[derive(Debug)]
pub struct Rows(Batch);

/// A buffer that is not in the packed format.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(crate::wire::Malformed);

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Malformed {}

impl Rows {
    /// Checks a buffer in the format of `avenire:database/types` and finds its cells.
    ///
    /// # Errors
    /// When the buffer is anything else, with what is wrong.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Malformed> {
        Batch::parse(bytes).map(Self).map_err(Malformed)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Number of columns of each row.
    pub fn columns(&self) -> usize {
        self.0.columns()
    }

    /// The type's OID of a column; None when there is no such column.
    pub fn type_oid(&self, column: usize) -> Option<u32> {
        self.0.type_oid(column).map(|oid| oid.get())
    }

    /// The name of a column; None unless it was asked for.
    pub fn name(&self, column: usize) -> Option<&str> {
        self.0.name(column)
    }

    /// A cell in Postgres' binary format; None is NULL, and also what does not exist.
    pub fn cell(&self, row: usize, column: usize) -> Option<&[u8]> {
        self.0.cell(row, column)
    }
}
