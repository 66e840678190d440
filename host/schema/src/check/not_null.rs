//! Which columns a validated check keeps from being null, over several files: Postgres takes the
//! check's word when such a column becomes `not null` (PostgreSQL documentation, "ALTER TABLE").
//! Never: reads an expression that says more than `column is not null`.

use std::collections::BTreeMap;

use super::column_types::ColumnTypes;
use super::statement::Statement;

/// The checks of the files so far.
#[derive(Default)]
pub(super) struct Checked {
    /// Table and name of a check, to its column and whether it has been validated.
    checks: BTreeMap<(String, String), (String, bool)>,
    /// What else is known by what the files so far say.
    pub(super) types: ColumnTypes,
}

impl Checked {
    /// Takes in what a file does.
    pub(super) fn note(&mut self, statements: &[Statement]) {
        for statement in statements {
            let [table] = statement.tables.as_slice() else { continue };
            let words: Vec<&str> = statement.words.iter().map(|word| &*word.text).collect();
            for at in 0..words.len() {
                match words.get(at..).unwrap_or_default() {
                    ["add", "constraint", name, "check", rest @ ..] => {
                        if let Some(column) = column_not_null(rest) {
                            let validated = !statement.has("valid");
                            let key = (table.clone(), (*name).to_owned());
                            self.checks.insert(key, (column.to_owned(), validated));
                        }
                    }
                    ["validate", "constraint", name, ..] => {
                        let key = (table.clone(), (*name).to_owned());
                        if let Some((_, validated)) = self.checks.get_mut(&key) {
                            *validated = true;
                        }
                    }
                    ["drop", "constraint", name, ..] => {
                        self.checks.remove(&(table.clone(), (*name).to_owned()));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether every column that the statement makes `not null` is kept so by a check.
    pub(super) fn covers(&self, statement: &Statement) -> bool {
        let [table] = statement.tables.as_slice() else { return false };
        let words: Vec<&str> = statement.words.iter().map(|word| &*word.text).collect();
        words.windows(4).filter(|four| matches!(four, [_, "set", "not", "null"])).all(|four| {
            self.checks.iter().any(|((of, _), (column, validated))| {
                of == table && *validated && four.first().is_some_and(|word| word == column)
            })
        })
    }
}

/// The column of `(column is not null)`, in any number of parentheses.
fn column_not_null<'a>(words: &[&'a str]) -> Option<&'a str> {
    let open = words.iter().take_while(|word| **word == "(").count();
    match words.get(open..)? {
        [column, "is", "not", "null", rest @ ..] => {
            let closed = rest.iter().take_while(|word| **word == ")").count();
            (open > 0 && closed >= open).then_some(column)
        }
        _ => None,
    }
}
