//! Decides what is to be applied, from what the ledger and the folder have. Pure.
//! Never: overlooks a contradiction between the two.

use std::collections::BTreeMap;

use super::source::Migration;

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: Vec<u8>,
    /// Whether it was applied to the end.
    pub state: State,
}

/// How far a migration got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// To the end.
    Finished {
        /// When, as in `2026-01-31T12:00:00Z`.
        at: String,
    },
    /// Not (yet): it runs outside of a transaction, and either does so right now or was interrupted.
    Started {
        /// When.
        at: String,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// To be applied, in order.
    pub pending: Vec<&'a Migration>,
    /// How many have been applied.
    pub already: usize,
}

/// Why nothing can be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The file is not what was applied.
    #[error("{file} was changed after it had been applied")]
    Changed {
        /// The name of the file.
        file: String,
    },
    /// There is no file for an applied migration, but for later ones.
    #[error("migration {version} ({name}) was applied, and its file is missing")]
    Missing {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The database has migrations that are later than all files: the folder is an old one.
    #[error("the database is at migration {version} ({name}), which is newer than all files")]
    Ahead {
        /// The newest number in the ledger.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A migration is not applied, but a later one is.
    #[error("{file} is not applied, but the later migration {newest} is")]
    OutOfOrder {
        /// The name of the file.
        file: String,
        /// The newest number in the ledger.
        newest: i64,
    },
    /// A migration outside of a transaction failed after its first statement, or was interrupted.
    #[error("migration {version} ({name}) began at {at} and did not finish")]
    Interrupted {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
        /// When it began.
        at: String,
    },
}

impl PlanError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::Changed { .. } => {
                "restore the file from version control and put the change into a new migration"
                    .into()
            }
            Self::Missing { .. } => "restore the file from version control".into(),
            Self::Ahead { .. } => "update this checkout or program; nothing was changed".into(),
            Self::OutOfOrder { newest, .. } => {
                format!("rename it so that its number is above {newest}")
            }
            Self::Interrupted { version, .. } => format!(
                "look which of its statements took effect (an index may be left invalid); then \
                 undo them and `delete from _avenire.migrations where version = {version} and \
                 applied_at is null`, or finish them and `update _avenire.migrations set \
                 applied_at = now() where version = {version} and applied_at is null`"
            ),
        }
    }
}

/// Compares the ledger's rows with the files. A renamed file with the same number and text is the
/// same migration.
pub fn plan<'a>(applied: &[Applied], available: &'a [Migration]) -> Result<Plan<'a>, PlanError> {
    let files: BTreeMap<i64, &Migration> = available.iter().map(|one| (one.version, one)).collect();
    let rows: BTreeMap<i64, &Applied> = applied.iter().map(|one| (one.version, one)).collect();
    let newest_file = files.keys().next_back().copied().unwrap_or(0);
    for (version, row) in &rows {
        match files.get(version) {
            Some(file) if file.sha256.as_slice() != row.sha256.as_slice() => {
                return Err(PlanError::Changed { file: file.file.clone() });
            }
            Some(_) => {}
            None if *version > newest_file => return Err(ahead(row, &rows)),
            None => {
                return Err(PlanError::Missing { version: *version, name: row.name.clone() });
            }
        }
        if let State::Started { at } = &row.state {
            let (name, at) = (row.name.clone(), at.clone());
            return Err(PlanError::Interrupted { version: *version, name, at });
        }
    }
    let newest = rows.keys().next_back().copied().unwrap_or(0);
    let pending: Vec<&Migration> =
        files.into_values().filter(|file| !rows.contains_key(&file.version)).collect();
    match pending.first() {
        Some(first) if first.version < newest => {
            Err(PlanError::OutOfOrder { file: first.file.clone(), newest })
        }
        _ => Ok(Plan { pending, already: rows.len() }),
    }
}

fn ahead(row: &Applied, rows: &BTreeMap<i64, &Applied>) -> PlanError {
    let newest = rows.values().next_back().copied().unwrap_or(row);
    PlanError::Ahead { version: newest.version, name: newest.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: i64) -> Migration {
        let text = format!("select {version}");
        Migration::parse(&format!("{version:04}_m{version}.sql"), text.as_bytes()).unwrap()
    }

    fn row(version: i64) -> Applied {
        let Migration { name, sha256, .. } = file(version);
        let state = State::Finished { at: "then".into() };
        Applied { version, name, sha256: sha256.to_vec(), state }
    }

    fn check(applied: &[Applied], available: &[Migration]) -> Result<Vec<i64>, PlanError> {
        let plan = plan(applied, available)?;
        assert_eq!(plan.already, applied.len());
        Ok(plan.pending.iter().map(|one| one.version).collect())
    }

    #[test]
    fn what_is_not_applied_is_pending_in_order_whatever_the_gaps() {
        assert_eq!(check(&[], &[]), Ok(vec![]));
        assert_eq!(check(&[], &[file(7), file(2)]), Ok(vec![2, 7]));
        assert_eq!(check(&[row(2)], &[file(2), file(7), file(9)]), Ok(vec![7, 9]));
        assert_eq!(check(&[row(2), row(7)], &[file(2), file(7)]), Ok(vec![]));
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let mut changed = row(2);
        changed.sha256 = vec![0; 32];
        let found = check(&[row(1), changed], &[file(1), file(2), file(3)]);
        assert_eq!(found, Err(PlanError::Changed { file: "0002_m2.sql".into() }));
    }

    #[test]
    fn a_renamed_file_is_the_same_migration() {
        let renamed = Migration::parse("00001_other.sql", b"select 1").unwrap();
        assert_eq!(check(&[row(1)], &[renamed]), Ok(vec![]));
    }

    #[test]
    fn a_missing_file_is_not_the_same_as_an_old_folder() {
        let missing = check(&[row(1), row(2)], &[file(2)]);
        assert_eq!(missing, Err(PlanError::Missing { version: 1, name: "m1".into() }));
        let old = check(&[row(1), row(2), row(3)], &[file(1)]);
        assert_eq!(old, Err(PlanError::Ahead { version: 3, name: "m3".into() }));
    }

    #[test]
    fn a_migration_that_comes_too_late_is_not_skipped() {
        let late = check(&[row(1), row(3)], &[file(1), file(2), file(3)]);
        assert_eq!(late, Err(PlanError::OutOfOrder { file: "0002_m2.sql".into(), newest: 3 }));
    }

    #[test]
    fn an_interrupted_migration_is_told_before_anything_else_is_applied() {
        let mut started = row(1);
        started.state = State::Started { at: "then".into() };
        let found = check(&[started], &[file(1), file(2)]).unwrap_err();
        assert!(matches!(found, PlanError::Interrupted { version: 1, .. }));
        assert!(found.hint().contains("delete from _avenire.migrations where version = 1"));
    }
}
