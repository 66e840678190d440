//! What would be run, without running it. Pure.
//! Never: promises that it will succeed.

use super::error::MigrationError;
use super::lexer::tokens;
use super::position::Place;
use super::script::{HazardNote, Script};
use super::source::Transaction;
use super::transaction::statements;

/// What [`super::Migrations::apply_with`] or [`super::Migrations::rollback`] would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The files that would be run, in order.
    pub files: Vec<PreviewFile>,
    /// How many migrations are applied.
    pub already: usize,
}

/// A file that would be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewFile {
    /// The number of the migration.
    pub version: i64,
    /// The name of the file.
    pub file: String,
    /// Whether it runs in a transaction.
    pub transaction: Transaction,
    /// How many of its statements have taken effect already: it goes on after them.
    pub done: usize,
    /// All of its statements, those too.
    pub statements: Vec<PreviewStatement>,
}

/// A statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewStatement {
    /// Where it begins.
    pub place: Place,
    /// Its first words, without literals.
    pub summary: String,
    /// Its hazards: what the file says, and what is plain to see.
    pub hazards: Vec<HazardNote>,
}

/// How many words a summary has at most.
const WORDS: usize = 8;

pub(super) fn file(
    version: i64,
    script: Script<'_>,
    done: usize,
) -> Result<PreviewFile, MigrationError> {
    let all = statements(script)?;
    let hazards = script.hazards(&all);
    let statements = all.iter().zip(hazards).map(|(statement, hazards)| PreviewStatement {
        place: script.place(*statement),
        summary: summary(statement.text),
        hazards,
    });
    Ok(PreviewFile {
        version,
        file: script.file.to_owned(),
        transaction: script.transaction,
        done,
        statements: statements.collect(),
    })
}

/// Up to its first parenthesis or literal, since both are long and neither says what it is.
fn summary(statement: &str) -> String {
    let mut summary = String::new();
    let mut joined = true;
    for token in tokens(statement, WORDS) {
        let starts = |c: char| c.is_alphabetic() || c == '_' || c == '"' || c == '.' || c == '*';
        if !token.starts_with(starts) || token.contains('\'') {
            break;
        }
        if !joined && token != "." {
            summary.push(' ');
        }
        summary.push_str(token);
        joined = token == ".";
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_it_is_and_no_value() {
        assert_eq!(summary("create  table\n a.\"B\" (c int)"), "create table a.\"B\"");
        assert_eq!(summary("insert into t values ('secret')"), "insert into t values");
        assert_eq!(summary("update t set a = 'secret'"), "update t set a");
        assert_eq!(summary("select e'secret'"), "select");
    }
}
