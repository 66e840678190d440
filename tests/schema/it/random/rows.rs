//! Rows for a random schema, and what became of them.

use std::collections::BTreeMap;

use anyhow::Result;
use avenire_postgres::Session;
use avenire_schema::catalog::name::quoted;

use super::sketch::{Base, Column, Fill, Id, Of, Shape, Sketch, Table, Ty};
use super::types::TYPES;

/// How many rows a table gets at most.
const ROWS: usize = 4;

/// Tables that are written to: partitions get their rows through their parent.
fn written(sketch: &Sketch) -> impl Iterator<Item = &Of<Table>> {
    sketch.tables.iter().filter(|table| !matches!(table.it.shape, Shape::Partition(..)))
}

/// Puts rows into every table that takes them. What a constraint refuses is left out.
pub(super) async fn fill(session: &Session, sketch: &Sketch) -> Result<()> {
    // Twice, for tables that refer to later ones.
    for _ in 0..2 {
        for table in written(sketch) {
            let name = sketch.sql(&table.head);
            let there = session.rows(&format!("select from {name} limit 1"), &[]).await?;
            if !there.is_empty() {
                continue;
            }
            for number in 0..ROWS {
                drop(session.batch(&insert(sketch, table, &name, number)).await);
            }
        }
    }
    Ok(())
}

fn insert(sketch: &Sketch, table: &Of<Table>, name: &str, number: usize) -> String {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for column in &table.it.columns {
        let own = matches!(column.fill, Fill::Generated(..) | Fill::Identity { always: true, .. });
        if !own {
            columns.push(quoted(&column.name));
            values.push(value(sketch, column, number));
        }
    }
    if columns.is_empty() {
        return format!("insert into {name} default values");
    }
    format!("insert into {name} ({}) values ({})", columns.join(", "), values.join(", "))
}

fn value(sketch: &Sketch, column: &Column, number: usize) -> String {
    if column.nullable && number + 1 == ROWS {
        return "null".into();
    }
    let composite = match column.ty.base {
        Base::Composite(id) => sketch.composites.iter().find(|one| one.head.id == id),
        _ => None,
    };
    if let Some(composite) = composite {
        let parts = composite.it.iter().map(|(_, _, base)| {
            debug_assert!(*base < TYPES.len());
            let ty = Ty { base: Base::Builtin(*base), array: false };
            sketch.value(ty, number).unwrap_or_else(|| "null".into())
        });
        return format!("row({})", parts.collect::<Vec<_>>().join(", "));
    }
    sketch.value(column.ty, number).unwrap_or_else(|| "null".into())
}

/// What is in the tables: how many rows, and of each column its kind of value and its values,
/// sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows(BTreeMap<Id, (i64, Columns)>);

/// Of each column its kind of value and its values.
type Columns = BTreeMap<Id, (String, String)>;

/// Reads all rows.
pub(super) async fn read(session: &Session, sketch: &Sketch) -> Result<Rows> {
    let mut rows = Rows::default();
    for table in written(sketch) {
        let texts = table.it.columns.iter().map(|column| {
            let text = format!("coalesce({}::text, '<null>')", quoted(&column.name));
            format!(", string_agg({text}, '|' order by {text} collate \"C\")")
        });
        let from = sketch.sql(&table.head);
        let sql = format!("select count(*){} from {from}", texts.collect::<String>());
        let found = session.rows(&sql, &[]).await?;
        let Some(row) = found.first() else { continue };
        let mut columns = BTreeMap::new();
        for (place, column) in table.it.columns.iter().enumerate() {
            let text: Option<String> = row.get(place + 1);
            // What is generated follows its expression.
            if !matches!(column.fill, Fill::Generated(..)) {
                let kind = sketch.describe(column.ty);
                columns.insert(column.id, (kind, text.unwrap_or_default()));
            }
        }
        rows.0.insert(table.head.id, (row.get(0), columns));
    }
    Ok(rows)
}

impl Rows {
    /// What is other than it was, of the tables and columns that both have.
    pub(super) fn lost(&self, after: &Self) -> Vec<String> {
        let mut lost = Vec::new();
        for (table, (count, columns)) in &self.0 {
            let Some((now, others)) = after.0.get(table) else { continue };
            if count != now {
                lost.push(format!("table {table} had {count} rows, has {now}"));
            }
            for (column, (kind, values)) in columns {
                let Some((same, found)) = others.get(column) else { continue };
                if kind == same && values != found {
                    lost.push(format!("column {column} of {table}: {values} became {found}"));
                }
            }
        }
        lost
    }

    pub(super) fn count(&self) -> i64 {
        self.0.values().map(|(count, _)| count).sum()
    }
}

/// Empties all tables.
pub(super) async fn empty(session: &Session, sketch: &Sketch) -> Result<()> {
    let names: Vec<String> = written(sketch).map(|table| sketch.sql(&table.head)).collect();
    if names.is_empty() {
        return Ok(());
    }
    Ok(session.batch(&format!("truncate {} cascade", names.join(", "))).await?)
}
