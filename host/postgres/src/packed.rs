//! Packs rows: copies the cells Postgres sent into one buffer behind a header.
//! Never decodes a value. The format is specified in
//! `wit/database/v0.1/types.wit`, "Packed rows".

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Column, Row};

use crate::error::Error;

/// What the header of packed rows tells of each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Type OIDs only.
    Types,
    /// Names and type modifiers too.
    Described,
}

/// What a statement may still return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Rows.
    pub rows: u64,
    /// Bytes of rows: of the cells and of four bytes of length for each.
    pub bytes: u64,
}

/// The rows of one statement.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Header and cells.
    pub bytes: Bytes,
    /// How many rows are in it.
    pub rows: u64,
    /// The count of the command tag: rows inserted, updated, deleted or returned.
    pub affected: u64,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDescription {
    /// Name or alias; not necessarily unique.
    pub name: String,
    /// OID of the type.
    pub type_oid: u32,
    /// `atttypmod`; -1 when there is none.
    pub type_modifier: i32,
}

/// The columns of a statement and its header of types, made once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<ColumnDescription>,
    types: Bytes,
}

impl Layout {
    pub(crate) fn of(columns: &[Column]) -> Layout {
        let columns = columns
            .iter()
            .map(|column| ColumnDescription {
                name: column.name().to_owned(),
                type_oid: column.type_().oid(),
                type_modifier: column.type_modifier(),
            })
            .collect();
        Layout::from_descriptions(columns)
    }

    pub(crate) fn from_descriptions(columns: Vec<ColumnDescription>) -> Layout {
        let mut types = BytesMut::with_capacity(3 + 4 * columns.len());
        put_header(&mut types, &columns, Header::Types);
        Layout { columns, types: types.freeze() }
    }

    /// Whether rows with these columns have this layout.
    pub(crate) fn fits(&self, columns: &[Column]) -> bool {
        self.columns.len() == columns.len()
            && self.columns.iter().zip(columns).all(|(known, found)| {
                known.type_oid == found.type_().oid()
                    && known.type_modifier == found.type_modifier()
                    && known.name == found.name()
            })
    }

    fn put(&self, out: &mut BytesMut, header: Header) {
        match header {
            Header::Types if self.types.is_empty() => put_header(out, &[], header),
            Header::Types => out.put_slice(&self.types),
            Header::Described => put_header(out, &self.columns, header),
        }
    }
}

/// More columns or longer names than the format can say do not exist in Postgres:
/// 1664 columns and 63 bytes are its limits (PostgreSQL documentation, "PostgreSQL
/// Limits").
fn put_header(out: &mut BytesMut, columns: &[ColumnDescription], header: Header) {
    out.put_u16_le(u16::try_from(columns.len()).unwrap_or(u16::MAX));
    out.put_u8(match header {
        Header::Types => 0,
        Header::Described => 1,
    });
    for column in columns {
        out.put_u32_le(column.type_oid);
        if header == Header::Described {
            let name = column.name.as_bytes();
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            out.put_i32_le(column.type_modifier);
            out.put_u16_le(length);
            out.put_slice(name.get(..usize::from(length)).unwrap_or_default());
        }
    }
}

/// What is left of [`Caps`], shared by the statements of a batch.
#[derive(Debug)]
pub(crate) struct Budget {
    caps: Caps,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Budget {
    pub(crate) fn new(caps: Caps) -> Budget {
        Budget { caps, rows: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Counts one row.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), Error> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let rows = self.rows.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let total = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if rows > self.caps.rows {
            Err(Error::RowLimit { maximum: self.caps.rows })
        } else if total > self.caps.bytes {
            Err(Error::ByteLimit { maximum: self.caps.bytes })
        } else {
            Ok(())
        }
    }
}

/// Rows being packed.
pub(crate) struct Packer {
    out: BytesMut,
    /// Where the number of rows goes.
    count_at: usize,
    rows: u32,
}

impl Packer {
    pub(crate) fn new(layout: &Layout, header: Header) -> Packer {
        let mut out = BytesMut::with_capacity(512);
        layout.put(&mut out, header);
        let count_at = out.len();
        out.put_u32_le(0);
        Packer { out, count_at, rows: 0 }
    }

    pub(crate) fn push(&mut self, row: &Row) -> Result<(), tokio_postgres::Error> {
        self.out.reserve(row.raw_size_bytes());
        for index in 0..row.len() {
            match row.try_get::<usize, RawCell<'_>>(index)?.0 {
                None => self.out.put_i32_le(-1),
                Some(bytes) => {
                    // Postgres' own lengths are 32-bit and not negative.
                    self.out.put_i32_le(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                    self.out.put_slice(bytes);
                }
            }
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    /// Bytes of cells so far.
    pub(crate) fn cell_bytes(&self) -> usize {
        self.out.len() - self.count_at - 4
    }

    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    pub(crate) fn finish(mut self, affected: u64) -> Packed {
        if let Some(count) = self.out.get_mut(self.count_at..self.count_at + 4) {
            count.copy_from_slice(&self.rows.to_le_bytes());
        }
        Packed { bytes: self.out.freeze(), rows: u64::from(self.rows), affected }
    }
}

/// A cell as Postgres sent it, whatever its type.
struct RawCell<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for RawCell<'a> {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> Result<RawCell<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(RawCell(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<RawCell<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(RawCell(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::from_descriptions(vec![
            ColumnDescription { name: "id".to_owned(), type_oid: 23, type_modifier: -1 },
            ColumnDescription { name: "näme".to_owned(), type_oid: 1043, type_modifier: 24 },
        ])
    }

    #[test]
    fn an_empty_result_has_a_complete_header_of_types() {
        let packed = Packer::new(&layout(), Header::Types).finish(0);
        assert_eq!(packed.bytes.as_ref(), [2, 0, 0, 23, 0, 0, 0, 19, 4, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_described_header_has_names_and_modifiers() {
        let packed = Packer::new(&layout(), Header::Described).finish(0);
        let mut expected = vec![2, 0, 1, 23, 0, 0, 0, 255, 255, 255, 255, 2, 0, b'i', b'd'];
        expected.extend_from_slice(&[19, 4, 0, 0, 24, 0, 0, 0, 5, 0]);
        expected.extend_from_slice("näme".as_bytes());
        expected.extend_from_slice(&[0, 0, 0, 0]);
        assert_eq!(packed.bytes.as_ref(), expected);
    }

    #[test]
    fn a_statement_without_rows_has_no_columns() {
        let packed = Packer::new(&Layout::default(), Header::Types).finish(3);
        assert_eq!(packed.bytes.as_ref(), [0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(packed.affected, 3);
    }

    #[test]
    fn a_budget_ends_with_the_row_that_is_over() {
        let budget = Budget::new(Caps { rows: 2, bytes: 100 });
        assert!(budget.spend(40).is_ok());
        assert!(budget.spend(60).is_ok());
        assert!(matches!(budget.spend(0), Err(Error::RowLimit { maximum: 2 })));
        let budget = Budget::new(Caps { rows: 2, bytes: 100 });
        assert!(matches!(budget.spend(101), Err(Error::ByteLimit { maximum: 100 })));
    }
}
