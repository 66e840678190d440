//! Figures and how they are printed.

#![expect(clippy::print_stdout, reason = "printing the table is this file's job")]

use serde_json::{Map, Value};

/// The figures of a run.
pub(crate) struct Table {
    context: String,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    unit: &'static str,
    median: f64,
    low: f64,
    high: f64,
    meaning: &'static str,
}

impl Table {
    pub(crate) fn new(context: String) -> Self {
        Self { context, rows: Vec::new() }
    }

    /// Adds a figure from the values of all rounds.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        unit: &'static str,
        meaning: &'static str,
        mut values: Vec<f64>,
    ) {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        let row = Row { name, unit, meaning, median: at(last / 2), low: at(0), high: at(last) };
        self.rows.push(row);
    }

    pub(crate) fn print(&self, json: bool) {
        if json {
            let figures: Map<String, Value> = self
                .rows
                .iter()
                .map(|row| (row.name.to_owned(), Value::from(row.median)))
                .collect();
            println!("{}", Value::Object(figures));
            return;
        }
        println!("{}\n", self.context);
        println!("{:<36} {:>10} {:>10} {:>10} unit", "figure", "median", "lowest", "highest");
        for Row { name, unit, median, low, high, meaning } in &self.rows {
            println!("{name:<36} {median:>10.2} {low:>10.2} {high:>10.2} {unit:<5} {meaning}");
        }
    }
}
