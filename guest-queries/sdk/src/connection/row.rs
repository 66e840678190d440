//! Rows and fields as Diesel reads them, borrowed from the buffer they came in.

use diesel::backend::Backend;
use diesel::pg::{Pg, PgValue};
use diesel::row::{Field, PartialRow, Row, RowIndex, RowSealed};
use std::ops::Range;
use std::rc::Rc;

use crate::wire::Batch;

/// One row of a batch. Holds the batch, so that it may be kept as long as one likes.
#[derive(Debug)]
pub struct PackedRow {
    batch: Rc<Batch>,
    row: usize,
}

/// One cell of a row.
#[derive(Debug)]
pub struct PackedField<'row> {
    row: &'row PackedRow,
    column: usize,
}

impl PackedRow {
    pub(super) fn new(batch: Rc<Batch>, row: usize) -> Self {
        Self { batch, row }
    }
}

impl RowSealed for PackedRow {}

impl<'a> Row<'a, Pg> for PackedRow {
    type Field<'f>
        = PackedField<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.batch.columns()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Self::Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let column = self.idx(index)?;
        Some(PackedField { row: self, column })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self::InnerPartialRow> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for PackedRow {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.batch.columns()).then_some(index)
    }
}

impl<'a> RowIndex<&'a str> for PackedRow {
    fn idx(&self, name: &'a str) -> Option<usize> {
        self.batch.column_named(name)
    }
}

impl<'row> Field<'row, Pg> for PackedField<'row> {
    fn field_name(&self) -> Option<&str> {
        self.row.batch.name(self.column)
    }

    fn value(&self) -> Option<<Pg as Backend>::RawValue<'_>> {
        let batch = &self.row.batch;
        let cell = batch.cell(self.row.row, self.column)?;
        Some(PgValue::new(cell, batch.type_oid(self.column)?))
    }
}
