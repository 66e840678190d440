//! Columns of one table that change their types in one statement, so that Postgres writes the rows
//! anew once (PostgreSQL documentation, ALTER TABLE, Description).
//! Never: decides what a column's clauses are.

use super::text::alter_table;
use crate::catalog::QName;
use crate::catalog::name::quoted;

/// The way of columns from their old types to the new ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// Statements that come first.
    pub(super) before: Vec<String>,
    /// Clauses of `alter table`.
    pub(super) clauses: Vec<String>,
    /// Statements that follow.
    pub(super) after: Vec<String>,
}

impl Way {
    fn join(&mut self, other: Self) {
        self.before.extend(other.before);
        self.clauses.extend(other.clauses);
        self.after.extend(other.after);
    }

    fn statements(&self, table: &QName) -> Vec<String> {
        let alter = alter_table(table, &self.clauses);
        self.before.iter().cloned().chain([alter]).chain(self.after.iter().cloned()).collect()
    }
}

/// Columns of a table whose types change.
#[derive(Clone, Debug)]
pub(super) struct Retyped {
    pub(super) table: QName,
    pub(super) columns: Vec<String>,
    pub(super) up: Way,
    pub(super) down: Way,
}

impl Retyped {
    pub(super) fn what(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        let types = if columns.len() == 1 { "type" } else { "types" };
        format!("change the {types} of {} of {}", columns.join(", "), self.table)
    }

    /// The statements there and back.
    pub(super) fn statements(&self) -> (Vec<String>, Vec<String>) {
        (self.up.statements(&self.table), self.down.statements(&self.table))
    }

    pub(super) fn join(&mut self, other: Self) {
        self.columns.extend(other.columns);
        self.up.join(other.up);
        self.down.join(other.down);
    }
}
