//! Reads a folder of migrations and refuses what could not be applied.
//! Never: talks to a database.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::SourceError;
use super::script::Script;

/// The most a migration may have; it is held in memory.
const LARGEST: u64 = 64 << 20;

/// What the header line of a file begins with.
const HEADER: &str = "-- avenire:";

/// The first line of a file whose statements run one by one.
pub(crate) const NO_TRANSACTION: &str = "-- avenire: no-transaction";

/// What the name of a file that undoes a migration ends with.
const DOWN: &str = ".down.sql";

/// Statements that begin or end a transaction. `rollback to savepoint` does not, see
/// [`ends_transaction`].
const TRANSACTION_CONTROL: [&str; 7] =
    ["begin", "start", "commit", "end", "rollback", "abort", "prepare"];

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number; 1 or more.
    pub version: i64,
    /// Its name, without number and ending.
    pub name: String,
    /// The name of its file.
    pub file: String,
    /// Its text, with `\n` as line ends and without a byte order mark.
    pub sql: String,
    /// SHA-256 of `sql`, so that a checkout with other line ends is the same migration.
    pub sha256: [u8; 32],
    /// Whether it runs in a transaction.
    pub transaction: Transaction,
    /// What undoes it, from the file `NNNN_name.down.sql` beside it.
    pub down: Option<Down>,
}

/// What undoes a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// The name of its file.
    pub file: String,
    /// Its text, as a migration's.
    pub sql: String,
    /// Whether it runs in a transaction, whatever the migration does.
    pub transaction: Transaction,
}

impl Down {
    pub(super) fn script(&self) -> Script<'_> {
        Script { file: &self.file, sql: &self.sql, transaction: self.transaction }
    }
}

/// Whether a migration runs in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// One for the migration and its row in the ledger.
    One,
    /// None: each statement by itself, for those that Postgres does not allow in a transaction,
    /// such as `create index concurrently`. The file begins with `-- avenire: no-transaction`.
    None,
}

impl Migration {
    /// Checks the text of a file of the given name.
    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self, SourceError> {
        let (version, name) =
            parse_name(file).ok_or_else(|| SourceError::BadName { file: file.to_owned() })?;
        let (sql, transaction) = checked(file, bytes)?;
        Ok(Self {
            version,
            name: name.to_owned(),
            file: file.to_owned(),
            sha256: Sha256::digest(sql.as_bytes()).into(),
            sql,
            transaction,
            down: None,
        })
    }

    pub(super) fn script(&self) -> Script<'_> {
        Script { file: &self.file, sql: &self.sql, transaction: self.transaction }
    }

    /// The name that the file that undoes it has.
    pub(super) fn down_file(&self) -> String {
        format!("{}{DOWN}", self.file.strip_suffix(".sql").unwrap_or(&self.file))
    }
}

/// The text of a file that could be run, and how it is to be.
fn checked(file: &str, bytes: &[u8]) -> Result<(String, Transaction), SourceError> {
    let sql = text(file, bytes)?;
    let transaction = parse_header(file, &sql)?;
    let script = Script { file, sql: &sql, transaction };
    let statements = script.statements()?;
    if statements.is_empty() {
        return Err(SourceError::Empty { file: file.to_owned() });
    }
    if let Some(found) = statements.iter().find(|one| ends_transaction(one.text)) {
        let keyword = found.text.split_whitespace().next().unwrap_or_default();
        return Err(SourceError::TransactionControl {
            file: file.to_owned(),
            statement: keyword.to_owned(),
            line: script.place(*found).line,
        });
    }
    Ok((sql, transaction))
}

/// The migrations of a folder, the lowest version first.
pub(super) fn load(folder: &Path) -> Result<Vec<Migration>, SourceError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(file) = file.filter(|file| looks_like_one(file)) else { continue };
        if let Some(bytes) = read(&path, &file)? {
            files.push((file, bytes));
        }
    }
    of_files(files)
}

/// The migrations among files, given with their names and contents, the lowest version first.
pub(super) fn of_files(files: Vec<(String, Vec<u8>)>) -> Result<Vec<Migration>, SourceError> {
    let mut found: BTreeMap<i64, Migration> = BTreeMap::new();
    let mut downs: BTreeMap<String, Down> = BTreeMap::new();
    for (file, bytes) in files {
        if let Some(stem) = file.strip_suffix(DOWN) {
            let (sql, transaction) = checked(&file, &bytes)?;
            downs.insert(format!("{stem}.sql"), Down { file, sql, transaction });
            continue;
        }
        let migration = Migration::parse(&file, &bytes)?;
        if let Some(twin) = found.insert(migration.version, migration) {
            let (first, second) =
                if twin.file < file { (twin.file, file) } else { (file, twin.file) };
            return Err(SourceError::Twins { first, second });
        }
    }
    for migration in found.values_mut() {
        migration.down = downs.remove(&migration.file);
    }
    match downs.pop_first() {
        Some((up, down)) => Err(SourceError::DownAlone { file: down.file, up }),
        None => Ok(found.into_values().collect()),
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> SourceError {
    SourceError::Unreadable { path: path.to_owned(), source }
}

/// The bytes of a file, nothing for a folder. Follows links: a migration may be shared by several
/// projects.
fn read(path: &Path, file: &str) -> Result<Option<Vec<u8>>, SourceError> {
    let about = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if about.is_dir() {
        return Ok(None);
    }
    if !about.is_file() {
        // A pipe or a device may never end.
        return Err(unreadable(path, std::io::Error::other("it is not a regular file")));
    }
    if about.len() > LARGEST {
        return Err(SourceError::TooLarge { file: file.to_owned(), maximum: LARGEST });
    }
    fs::read(path).map(Some).map_err(|source| unreadable(path, source))
}

/// A file that is ignored must not look as if it were not.
fn looks_like_one(file: &str) -> bool {
    let sql = Path::new(file).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
    !file.starts_with('.') && (sql || file.starts_with(|c: char| c.is_ascii_digit()))
}

/// `NNNN_name.sql`. 18 digits always fit the ledger's `bigint`.
fn parse_name(file: &str) -> Option<(i64, &str)> {
    let (digits, name) = file.strip_suffix(".sql")?.split_once('_')?;
    let numbered = (4..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let named = !name.is_empty() && name.chars().all(allowed);
    let version = digits.parse().ok().filter(|version| *version > 0)?;
    (numbered && named).then_some((version, name))
}

fn text(file: &str, bytes: &[u8]) -> Result<String, SourceError> {
    let not_text = |at: usize| SourceError::NotText {
        file: file.to_owned(),
        line: bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1,
    };
    let text = str::from_utf8(bytes).map_err(|error| not_text(error.valid_up_to()))?;
    if let Some(at) = text.find('\0') {
        return Err(not_text(at));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n"))
}

fn parse_header(file: &str, sql: &str) -> Result<Transaction, SourceError> {
    let first = sql.lines().next().unwrap_or_default();
    match first.strip_prefix(HEADER).map(str::trim) {
        None => Ok(Transaction::One),
        Some("no-transaction") => Ok(Transaction::None),
        Some(header) => Err(SourceError::UnknownHeader {
            file: file.to_owned(),
            header: header.chars().take(80).collect(),
        }),
    }
}

/// How a text that this program wrote is run: its header is one that is known.
pub(super) fn transaction_of(sql: &str) -> Transaction {
    if sql.lines().next() == Some(NO_TRANSACTION) { Transaction::None } else { Transaction::One }
}

fn ends_transaction(statement: &str) -> bool {
    let mut words =
        statement.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    let second = words.find(|word| !matches!(word.as_str(), "" | "work" | "transaction"));
    match first.as_str() {
        // Also `prepare name as …`, a prepared statement, which harms nobody.
        "prepare" => {
            statement.to_ascii_lowercase().split_whitespace().nth(1) == Some("transaction")
        }
        "rollback" => second.as_deref() != Some("to"),
        _ => TRANSACTION_CONTROL.contains(&first.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_number_and_a_word() {
        assert_eq!(parse_name("0001_auth.sql"), Some((1, "auth")));
        assert_eq!(parse_name("20260101120000_a-b_2.sql"), Some((20_260_101_120_000, "a-b_2")));
        let bad = [
            "001_a.sql",
            "0001.sql",
            "0001_.sql",
            "0001_a b.sql",
            "0000_a.sql",
            "a_0001.sql",
            "+001_a.sql",
            "0001_a.SQL",
            "1234567890123456789_a.sql",
        ];
        for name in bad {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_ignored_does_not_look_like_a_migration() {
        for name in ["README.md", ".0001_a.sql.swp", "notes.txt", ".gitkeep"] {
            assert!(!looks_like_one(name), "{name}");
        }
        for name in ["0001_a.sql", "0001_a.sq", "a.sql", "0001_a.SQL", "1_a"] {
            assert!(looks_like_one(name), "{name}");
        }
    }

    #[test]
    fn line_ends_and_byte_order_marks_do_not_change_a_migration() {
        let unix = Migration::parse("0001_a.sql", b"select 1;\nselect 2;\n").unwrap();
        let windows =
            Migration::parse("0001_a.sql", b"\xef\xbb\xbfselect 1;\r\nselect 2;\r\n").unwrap();
        assert_eq!(unix, windows);
    }

    #[test]
    fn the_header_decides_about_the_transaction() {
        let parse = |text: &str| Migration::parse("0001_a.sql", text.as_bytes());
        assert_eq!(parse("select 1").unwrap().transaction, Transaction::One);
        let none = parse("-- avenire: no-transaction\nvacuum").unwrap();
        assert_eq!(none.transaction, Transaction::None);
        assert!(matches!(
            parse("-- avenire: no-transactions\nvacuum"),
            Err(SourceError::UnknownHeader { header, .. }) if header == "no-transactions"
        ));
    }

    #[test]
    fn files_without_statements_or_that_are_no_text_are_refused() {
        let parse = |text: &[u8]| Migration::parse("0001_a.sql", text).unwrap_err();
        assert!(matches!(parse(b""), SourceError::Empty { .. }));
        assert!(matches!(parse(b"-- nothing\n;"), SourceError::Empty { .. }));
        assert!(matches!(parse(b"select 1;\n\xff"), SourceError::NotText { line: 2, .. }));
        assert!(matches!(parse(b"select 1\0"), SourceError::NotText { line: 1, .. }));
        assert!(matches!(parse(b"\nselect 'a"), SourceError::Unclosed { line: 2, .. }));
    }

    #[test]
    fn a_file_cannot_end_the_transaction_it_runs_in() {
        let parse = |text: &str| Migration::parse("0001_a.sql", text.as_bytes());
        for text in [
            "begin",
            "START transaction",
            "commit",
            "End;",
            "rollback work",
            "abort",
            "prepare transaction 'x'",
            "commit and chain",
            "commit/**/",
        ] {
            let refused = parse(&format!("select 1;\n{text};"));
            assert!(
                matches!(refused, Err(SourceError::TransactionControl { line: 2, .. })),
                "{text}: {refused:?}"
            );
        }
        for text in [
            "savepoint a; rollback to a",
            "rollback work to savepoint a",
            "prepare p as select 1",
            "select 'commit'",
            "do $$ begin commit; end $$",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_undoes_a_migration_is_found_beside_it_and_never_alone() {
        let folder = std::env::temp_dir().join(format!("avenire-downs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("0001_a.sql", "create table a ()");
        write("0001_a.down.sql", "-- avenire: no-transaction\ndrop table a");
        let found = load(&folder).unwrap();
        assert_eq!(found.len(), 1, "it is no migration of its own");
        let down = found[0].down.clone().unwrap();
        assert_eq!((down.file.as_str(), down.transaction), ("0001_a.down.sql", Transaction::None));
        assert_eq!(found[0].down_file(), down.file);
        write("0001_a.down.sql", "commit");
        let refused = load(&folder).unwrap_err();
        write("0001_a.down.sql", "select 1");
        write("0002_b.down.sql", "drop table b");
        let alone = load(&folder).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(refused, SourceError::TransactionControl { .. }), "{refused}");
        assert_eq!(alone.to_string(), "0002_b.down.sql undoes 0002_b.sql, which is not there");
    }

    #[test]
    fn a_folder_is_read_in_order_and_twins_are_refused() {
        let folder = std::env::temp_dir().join(format!("avenire-source-{}", std::process::id()));
        fs::create_dir_all(folder.join("sample")).unwrap();
        for (name, text) in [
            ("0010_b.sql", "select 2"),
            ("0002_a.sql", "select 1"),
            ("README.md", "#"),
            ("sample/x.sql", "nonsense"),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let versions =
            |found: Vec<Migration>| found.iter().map(|one| one.version).collect::<Vec<_>>();
        assert_eq!(versions(load(&folder).unwrap()), [2, 10]);
        fs::write(folder.join("00010_c.sql"), "select 3").unwrap();
        let twins = load(&folder).unwrap_err();
        fs::remove_dir_all(folder).unwrap();
        assert_eq!(twins.to_string(), "00010_c.sql and 0010_b.sql have the same number");
    }
}
