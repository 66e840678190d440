//! Drizzle's own migrations and ledger, for databases that come from there. Two layouts of its
//! folder: `meta/_journal.json` with `NNNN_name.sql` (drizzle-kit up to 0.31), and a folder
//! `YYYYMMDDHHMMSS_name` with `migration.sql` for each (from 1.0).
//! Never: writes to either, runs one of them.

use std::path::Path;
use std::{fs, io};

use avenire_postgres::Session;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::error::{MigrationError, SourceError};
use super::script::hex;

/// More than any migration has.
const LARGEST: u64 = 64 << 20;

/// Drizzle's migrations, as its folder has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drizzle {
    migrations: Vec<File>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    /// `0000_name.sql`, or the name of its folder.
    name: String,
    /// Of its text, as Drizzle records it.
    hash: String,
    /// Milliseconds since 1970; what Drizzle orders by.
    when: Option<i64>,
}

/// What of Drizzle's migrations a database has, each in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrizzleStatus {
    /// The ones it has.
    pub applied: Vec<String>,
    /// Those of `applied` whose file was changed since.
    pub changed: Vec<String>,
    /// The ones it lacks.
    pub pending: Vec<String>,
    /// How many it has that are not in the folder.
    pub unknown: usize,
}

/// A row of `drizzle.__drizzle_migrations`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    hash: String,
    when: Option<i64>,
}

#[derive(Deserialize)]
struct Journal {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    tag: String,
    when: i64,
}

impl Drizzle {
    /// Reads the folder that Drizzle Kit calls `out`.
    pub fn load(folder: &Path) -> Result<Self, SourceError> {
        let journal = folder.join("meta").join("_journal.json");
        let migrations = match read(&journal) {
            Ok(text) => journalled(folder, &journal, &text)?,
            Err(SourceError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                folders(folder)?
            }
            Err(error) => return Err(error),
        };
        if migrations.is_empty() {
            return Err(not_drizzle(folder, "there is no migration in it"));
        }
        Ok(Self { migrations })
    }

    /// A row stands for the file with its hash, or else for the one with its time, which was
    /// changed then. Each row stands for one file.
    pub(super) fn compare(&self, rows: &[Row]) -> DrizzleStatus {
        let mut left: Vec<&Row> = rows.iter().collect();
        let mut status = DrizzleStatus::default();
        let mut take = |fits: &dyn Fn(&Row) -> bool| {
            left.iter().position(|row| fits(row)).map(|at| left.swap_remove(at)).is_some()
        };
        let mut found = Vec::new();
        for file in &self.migrations {
            let same = |row: &Row| row.hash == file.hash;
            let exact = take(&|row| same(row) && row.when == file.when) || take(&same);
            found.push(exact);
        }
        for (file, exact) in self.migrations.iter().zip(found) {
            let name = file.name.clone();
            if exact {
                status.applied.push(name);
            } else if file.when.is_some() && take(&|row| row.when == file.when) {
                status.applied.push(name.clone());
                status.changed.push(name);
            } else {
                status.pending.push(name);
            }
        }
        status.unknown = left.len();
        status
    }
}

/// Drizzle's ledger; empty when there is none. It may be called otherwise in Drizzle's
/// configuration, which nobody but it knows. Not in a transaction, which its lack would end.
pub(super) async fn rows(session: &Session) -> Result<Vec<Row>, MigrationError> {
    let sql = "select hash::text, created_at::bigint from drizzle.__drizzle_migrations order by id";
    let unreadable = |error: &dyn std::error::Error| MigrationError::Ledger {
        reason: format!("drizzle.__drizzle_migrations: {error}"),
    };
    match session.rows(sql, &[]).await {
        Ok(rows) => rows
            .iter()
            .map(|row| {
                let hash = row.try_get(0).map_err(|error| unreadable(&error))?;
                let when = row.try_get(1).map_err(|error| unreadable(&error))?;
                Ok(Row { hash, when })
            })
            .collect(),
        Err(error) if matches!(error.sqlstate(), Some("42P01" | "3F000")) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn journalled(folder: &Path, journal: &Path, text: &str) -> Result<Vec<File>, SourceError> {
    let parsed: Journal =
        serde_json::from_str(text).map_err(|error| not_drizzle(journal, &error.to_string()))?;
    let mut files = Vec::new();
    for entry in parsed.entries {
        // A tag is a file's name, never a path out of the folder.
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
        if entry.tag.is_empty() || !entry.tag.chars().all(plain) {
            return Err(not_drizzle(journal, "a tag in it is no name of a file"));
        }
        let name = format!("{}.sql", entry.tag);
        let hash = hash(&read(&folder.join(&name))?);
        files.push(File { name, hash, when: Some(entry.when) });
    }
    Ok(files)
}

fn folders(folder: &Path) -> Result<Vec<File>, SourceError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stamp = name.split('_').next().unwrap_or_default();
        let stamped = stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit());
        let file = path.join("migration.sql");
        if stamped && file.is_file() {
            let when = milliseconds(stamp);
            files.push(File { hash: hash(&read(&file)?), when, name });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// Of `YYYYMMDDHHMMSS` in UTC, since 1970 (the civil calendar, from March).
fn milliseconds(stamp: &str) -> Option<i64> {
    let part = |from: usize, to: usize| stamp.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn read(path: &Path) -> Result<String, SourceError> {
    let about = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if about.len() > LARGEST {
        let file = path.display().to_string();
        return Err(SourceError::TooLarge { file, maximum: LARGEST });
    }
    fs::read_to_string(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> SourceError {
    SourceError::Unreadable { path: path.to_owned(), source }
}

fn not_drizzle(path: &Path, reason: &str) -> SourceError {
    SourceError::NotDrizzle { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_a_time_in_utc() {
        assert_eq!(milliseconds("19700101000000"), Some(0));
        assert_eq!(milliseconds("20000229235959"), Some(951_868_799_000));
        assert_eq!(milliseconds("20260101120000"), Some(1_767_268_800_000));
    }

    #[test]
    fn each_row_stands_for_one_file() {
        let file = |name: &str, hash: &str, when| File {
            name: name.into(),
            hash: hash.into(),
            when: Some(when),
        };
        let row = |hash: &str, when| Row { hash: hash.into(), when: Some(when) };
        let twins = Drizzle { migrations: vec![file("a", "x", 1), file("b", "x", 2)] };
        let one = twins.compare(&[row("x", 2)]);
        assert_eq!((one.applied.len(), one.pending.len()), (1, 1), "{one:?}");
        let both = twins.compare(&[row("x", 2), row("x", 1), row("gone", 3)]);
        assert_eq!((both.applied.len(), both.unknown), (2, 1));
        let edited = Drizzle { migrations: vec![file("a", "new", 1), file("b", "y", 2)] };
        let status = edited.compare(&[row("old", 1), row("y", 2)]);
        assert_eq!((status.changed, status.pending.len()), (vec!["a".to_owned()], 0));
    }
}
