//! The text of one file and its statements, whether it goes up or down.
//! Never: reads a file, talks to a database.

use sha2::{Digest, Sha256};

use super::error::SourceError;
use super::lexer::{self, Statement};
use super::position::Place;
use super::source::Transaction;

/// What the comment before a statement begins with when the statement has a hazard.
const HAZARD: &str = "-- hazard:";

/// A file's text, as it is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script<'a> {
    pub(super) file: &'a str,
    pub(super) sql: &'a str,
    pub(super) transaction: Transaction,
}

/// A hazard that a file tells of a statement, as `-- hazard: deletes-data: why` in the line above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HazardNote {
    /// Its one word, such as `deletes-data`.
    pub kind: String,
    /// What is hazardous; may be empty.
    pub reason: String,
}

impl<'a> Script<'a> {
    /// Its statements; it has at least one.
    pub(super) fn statements(&self) -> Result<Vec<Statement<'a>>, SourceError> {
        lexer::statements(self.sql).map_err(|unclosed| SourceError::Unclosed {
            file: self.file.to_owned(),
            what: unclosed.what,
            line: Place::of_byte(self.sql, unclosed.start).line,
        })
    }

    /// Where a statement begins.
    pub(super) fn place(&self, statement: Statement<'_>) -> Place {
        Place::of_byte(self.sql, statement.start)
    }

    /// What the comments say of each statement, and what no comment may keep silent about.
    pub(super) fn hazards(&self, statements: &[Statement<'_>]) -> Vec<Vec<HazardNote>> {
        let mut end = 0;
        let mut all = Vec::new();
        for statement in statements {
            let before = self.sql.get(end..statement.start).unwrap_or_default();
            let mut notes: Vec<HazardNote> = before.lines().filter_map(note).collect();
            notes.extend(unsaid(statement.text, &notes));
            end = statement.start + statement.text.len();
            all.push(notes);
        }
        all
    }
}

fn note(line: &str) -> Option<HazardNote> {
    let about = line.trim_start().strip_prefix(HAZARD)?.trim();
    let (kind, reason) = about.split_once(':').unwrap_or((about, ""));
    Some(HazardNote { kind: kind.trim().to_owned(), reason: reason.trim().to_owned() })
}

/// A file written by hand may drop what it does not say.
fn unsaid(statement: &str, notes: &[HazardNote]) -> Option<HazardNote> {
    if notes.iter().any(|note| note.kind == DELETES_DATA) {
        return None;
    }
    let words = lexer::tokens(statement, 64);
    let words: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let drops_column = |words: &[&str]| {
        words.windows(2).any(|two| {
            let [first, second] = two else { return false };
            *first == "drop" && !DROPS_NO_COLUMN.contains(second)
        })
    };
    let what = match words.as_slice() {
        ["drop", what @ ("table" | "schema" | "database" | "owned"), ..] => format!("drop {what}"),
        ["truncate", ..] => "truncate".to_owned(),
        ["delete", ..] => "delete".to_owned(),
        ["alter", "table", rest @ ..] if drops_column(rest) => "drop column".to_owned(),
        _ => return None,
    };
    let reason = format!("`{what}` deletes what is there");
    Some(HazardNote { kind: DELETES_DATA.to_owned(), reason })
}

/// The hazard that [`super::Migrations::rollback`] asks to be accepted.
pub(super) const DELETES_DATA: &str = "deletes-data";

/// What `alter table … drop` names when it drops no column.
const DROPS_NO_COLUMN: [&str; 5] = ["constraint", "default", "not", "identity", "expression"];

/// Identifies the first statements of a file, so that the rest of it may be mended before it goes
/// on. Comments and white space between statements do not count.
pub(super) fn fingerprint<'a>(statements: impl Iterator<Item = &'a Statement<'a>>) -> String {
    let mut hash = Sha256::new();
    for statement in statements {
        hash.update(statement.text.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

/// In lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(sql: &str) -> Vec<Vec<(String, String)>> {
        let script = Script { file: "x", sql, transaction: Transaction::One };
        let statements = script.statements().unwrap();
        let notes = script.hazards(&statements);
        let pair = |note: HazardNote| (note.kind, note.reason);
        notes.into_iter().map(|of| of.into_iter().map(pair).collect()).collect()
    }

    #[test]
    fn a_hazard_belongs_to_the_statement_below_its_comment() {
        let found = notes(
            "select 1;\n-- hazard: may-fail: rows: may differ\n-- hazard: irreversible\nselect 2;\n\
             select 3 -- hazard: no\n;",
        );
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            found,
            [vec![], vec![pair("may-fail", "rows: may differ"), pair("irreversible", "")], vec![]]
        );
    }

    #[test]
    fn what_deletes_data_is_told_also_when_no_comment_says_so() {
        let kinds = |sql| notes(sql).concat().len();
        for sql in [
            "drop table a",
            "DROP /* x */ SCHEMA a cascade",
            "truncate a",
            "delete from a",
            "alter table a drop column b",
            "alter table a add c int, drop b",
            "-- hazard: deletes-data: known\ndrop table a",
        ] {
            assert_eq!(kinds(sql), 1, "{sql}");
        }
        for sql in [
            "drop index a",
            "alter table a drop constraint b",
            "alter table a alter b drop not null, alter c drop default",
            "select 'drop table a'",
        ] {
            assert_eq!(kinds(sql), 0, "{sql}");
        }
    }
}
