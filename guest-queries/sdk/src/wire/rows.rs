//! Reads packed rows without copying a cell. Everything is checked once, in one pass that
//! also notes where each cell begins; afterwards reading a cell can not fail.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;

use crate::bindings::avenire::database::types::Column as WitColumn;

/// Header kinds of the packed format.
const TYPES_ONLY: u8 = 0;
const DESCRIBED: u8 = 1;

/// Bytes of a cell's length in front of its contents.
const LENGTH: usize = 4;

/// Rows of one statement, as they came from the host.
#[derive(Debug)]
pub(crate) struct Batch {
    // The order of the fields is the order of their release, last allocated first, which
    // lets the arena take both back.
    /// Where each cell's length stands in `bytes`, row by row.
    cells: Vec<u32>,
    columns: Vec<Column>,
    bytes: Vec<u8>,
    rows: usize,
}

#[derive(Debug)]
struct Column {
    type_oid: NonZeroU32,
    name: Name,
}

#[derive(Debug)]
enum Name {
    NotAsked,
    /// In the buffer, checked to be UTF-8.
    InBuffer(Range<usize>),
    Known(String),
}

/// The host sent rows that are not in the packed format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the host sent rows that can not be read: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl Batch {
    /// Checks a buffer and finds its cells. Allocates in proportion to the buffer, never
    /// to a number that merely stands in it.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(Malformed("more than 4 GiB"));
        }
        let mut reader = Reader { bytes: &bytes, at: 0 };
        let columns = read_columns(&mut reader)?;
        let rows = reader.u32("the number of rows")? as usize;
        let cells = find_cells(&mut reader, rows, columns.len())?;
        if reader.at != bytes.len() {
            return Err(Malformed("bytes after the last row"));
        }
        Ok(Self { cells, columns, bytes, rows })
    }

    /// Gives the columns their names where the header had none, as in batches of a cursor.
    pub(crate) fn name_columns(&mut self, columns: &[WitColumn]) {
        for (column, described) in self.columns.iter_mut().zip(columns) {
            column.name = Name::Known(described.name.clone());
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns of each row.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The type of a column; None when there is no such column.
    pub(crate) fn type_oid(&self, column: usize) -> Option<&NonZeroU32> {
        self.columns.get(column).map(|column| &column.type_oid)
    }

    /// The name of a column, if the header had names.
    pub(crate) fn name(&self, column: usize) -> Option<&str> {
        match &self.columns.get(column)?.name {
            Name::NotAsked => None,
            Name::InBuffer(range) => std::str::from_utf8(self.bytes.get(range.clone())?).ok(),
            Name::Known(name) => Some(name),
        }
    }

    /// The first column of that name.
    pub(crate) fn column_named(&self, name: &str) -> Option<usize> {
        (0..self.columns.len()).find(|&column| self.name(column) == Some(name))
    }

    /// A cell's contents; None is NULL, and also what does not exist.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Option<&[u8]> {
        let at = *self.cells.get(row * self.columns.len() + column)? as usize;
        let (length, rest) = self.bytes.get(at..)?.split_first_chunk::<LENGTH>()?;
        // Negative lengths were checked to be -1, which is NULL.
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        rest.get(..length)
    }
}

fn read_columns(reader: &mut Reader<'_>) -> Result<Vec<Column>, Malformed> {
    let count = usize::from(reader.u16("the number of columns")?);
    let described = match reader.u8("the kind of header")? {
        TYPES_ONLY => false,
        DESCRIBED => true,
        _ => return Err(Malformed("a header of an unknown kind")),
    };
    if reader.left() / 4 < count {
        return Err(Malformed("the header is cut off"));
    }
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        let type_oid = NonZeroU32::new(reader.u32("a column's type")?)
            .ok_or(Malformed("a column without a type"))?;
        let name = if described { reader.name()? } else { Name::NotAsked };
        columns.push(Column { type_oid, name });
    }
    Ok(columns)
}

fn find_cells(reader: &mut Reader<'_>, rows: usize, columns: usize) -> Result<Vec<u32>, Malformed> {
    let count = rows.checked_mul(columns).ok_or(Malformed("more cells than can be"))?;
    if reader.left() / LENGTH < count {
        return Err(Malformed("fewer cells than rows and columns say"));
    }
    let mut cells = vec![0; count];
    let mut rest = reader.bytes.get(reader.at..).unwrap_or_default();
    for cell in &mut cells {
        let at = reader.bytes.len() - rest.len();
        #[expect(clippy::cast_possible_truncation, reason = "the buffer is at most 4 GiB")]
        let at = at as u32;
        *cell = at;
        let (length, after) =
            rest.split_first_chunk::<LENGTH>().ok_or(Malformed("a cell's length is cut off"))?;
        let length = i32::from_le_bytes(*length);
        rest = match usize::try_from(length) {
            Ok(length) => after.get(length..).ok_or(Malformed("a cell is cut off"))?,
            Err(_) if length == -1 => after,
            Err(_) => return Err(Malformed("a cell of negative length")),
        };
    }
    reader.at = reader.bytes.len() - rest.len();
    Ok(cells)
}

/// Reads the frame front to back.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let chunk = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<N>);
        let chunk = *chunk.ok_or(Malformed(what))?;
        self.at += N;
        Ok(chunk)
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.take::<1>(what).map(u8::from_le_bytes)
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.take(what).map(u16::from_le_bytes)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.take(what).map(u32::from_le_bytes)
    }

    /// A described column after its type: the modifier, which Diesel has no use for, and
    /// the name.
    fn name(&mut self) -> Result<Name, Malformed> {
        self.take::<4>("a column's type modifier")?;
        let length = usize::from(self.u16("a column's name")?);
        let range = self.at..self.at.saturating_add(length);
        let name = self.bytes.get(range.clone()).ok_or(Malformed("a column's name"))?;
        std::str::from_utf8(name).map_err(|_| Malformed("a column's name is not UTF-8"))?;
        self.at = range.end;
        Ok(Name::InBuffer(range))
    }
}

#[cfg(test)]
mod tests;
