//! Decides what is to be applied, from what the ledger and the folder have. Pure.
//! Never: overlooks a contradiction between the two.

use std::collections::BTreeMap;

use super::conflict::PlanError;
use super::kind::Kind;
use super::position::Place;
use super::script::{Script, fingerprint};
use super::source::{Migration, Transaction};
use super::{ApplyOptions, Order, Target};

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
    /// How far it, or its undoing, got; nothing when it is finished or nobody recorded it.
    pub unfinished: Option<Unfinished>,
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
    /// It is being undone outside of a transaction, or that was interrupted.
    Undoing,
}

/// How far a file outside of a transaction got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How many of its statements have taken effect.
    pub statements: usize,
    /// Whether the next one was begun, so that nobody knows whether it took effect.
    pub under_way: bool,
    /// Identifies the statements that were begun.
    pub begun: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// To be applied, in order.
    pub pending: Vec<&'a Migration>,
    /// How many have been applied.
    pub already: usize,
    /// How far the first pending one got; nothing when it is new.
    pub resume: Option<Unfinished>,
}

/// Compares the ledger's rows with the files. A renamed file with the same number and text is the
/// same migration.
pub fn plan<'a>(applied: &[Applied], available: &'a [Migration]) -> Result<Plan<'a>, PlanError> {
    plan_with(applied, available, ApplyOptions::default())
}

/// The same, up to a version or in another order.
pub(super) fn plan_with<'a>(
    applied: &[Applied],
    available: &'a [Migration],
    options: ApplyOptions,
) -> Result<Plan<'a>, PlanError> {
    let files: BTreeMap<i64, &Migration> = available.iter().map(|one| (one.version, one)).collect();
    let rows: BTreeMap<i64, &Applied> = applied.iter().map(|one| (one.version, one)).collect();
    foreign(&rows, &files)?;
    let mut resumed: Option<(&Migration, Unfinished)> = None;
    for row in rows.values() {
        let file = file_of(row, &rows, &files)?;
        if let Some(unfinished) = unfinished(row, file)? {
            resumed = Some((file, unfinished));
        }
    }
    let newest = rows.keys().next_back().copied().unwrap_or(0);
    let target = match options.to {
        Target::Latest => i64::MAX,
        Target::Version(version) if files.contains_key(&version) => version,
        Target::Version(version) => return Err(PlanError::NoSuchVersion { version }),
    };
    let new = files.into_values().filter(|file| !rows.contains_key(&file.version));
    let new: Vec<&Migration> = new.filter(|file| file.version <= target).collect();
    if let Some(first) = new.first().filter(|first| first.version < newest)
        && options.order == Order::Strict
    {
        return Err(PlanError::OutOfOrder { file: first.file.clone(), newest });
    }
    let already = rows.len() - usize::from(resumed.is_some());
    let (first, resume) = resumed.unzip();
    Ok(Plan { pending: first.into_iter().chain(new).collect(), already, resume })
}

/// The file of a row; it must be what was applied.
pub(super) fn file_of<'a>(
    row: &Applied,
    rows: &BTreeMap<i64, &Applied>,
    files: &BTreeMap<i64, &'a Migration>,
) -> Result<&'a Migration, PlanError> {
    let newest_file = files.keys().next_back().copied().unwrap_or(0);
    match files.get(&row.version) {
        // What has not happened yet may be mended; what has is looked at elsewhere.
        Some(file) if row.unfinished.is_some() && row.state != State::Undoing => Ok(file),
        Some(file) if file.sha256.as_slice() != row.sha256.as_slice() => {
            Err(PlanError::Changed { file: file.file.clone() })
        }
        Some(file) => Ok(file),
        None if row.version > newest_file => Err(ahead(row, rows)),
        None => Err(PlanError::Missing { version: row.version, name: row.name.clone() }),
    }
}

/// How far the migration of a row got, when it can go on from there; nothing when it is finished.
pub(super) fn unfinished(row: &Applied, file: &Migration) -> Result<Option<Unfinished>, PlanError> {
    let at = match &row.state {
        State::Finished { .. } => return Ok(None),
        State::Undoing => {
            return Err(PlanError::Undoing { version: row.version, name: row.name.clone() });
        }
        State::Started { at } => at,
    };
    let interrupted = |place| {
        let (name, at) = (row.name.clone(), at.clone());
        PlanError::Interrupted { version: row.version, name, at, place }
    };
    match &row.unfinished {
        None => Err(interrupted(None)),
        Some(unfinished) => match resumable(file.script(), unfinished) {
            Resumable::Yes => Ok(Some(unfinished.clone())),
            Resumable::Changed => Err(PlanError::Changed { file: file.file.clone() }),
            Resumable::InDoubt(place) => Err(interrupted(Some(place))),
        },
    }
}

/// Whether a file outside of a transaction can go on from where it got.
pub(super) enum Resumable {
    Yes,
    /// What has taken effect is not what the file says now.
    Changed,
    /// The statement there may have taken effect, and running it twice is not the same as once.
    InDoubt(Place),
}

pub(super) fn resumable(script: Script<'_>, unfinished: &Unfinished) -> Resumable {
    let Ok(statements) = script.statements() else { return Resumable::Changed };
    let begun = unfinished.statements + usize::from(unfinished.under_way);
    let same = fingerprint(statements.iter().take(begun)) == unfinished.begun;
    if script.transaction == Transaction::One || begun > statements.len() || !same {
        return Resumable::Changed;
    }
    match statements.get(unfinished.statements).filter(|_| unfinished.under_way) {
        Some(next) if !Kind::of(next.text).may_be_repeated() => {
            Resumable::InDoubt(script.place(*next))
        }
        _ => Resumable::Yes,
    }
}

/// A ledger that has nothing in common with the files is another project's. An edited file still
/// has its name.
fn foreign(
    rows: &BTreeMap<i64, &Applied>,
    files: &BTreeMap<i64, &Migration>,
) -> Result<(), PlanError> {
    let known = |row: &Applied| {
        files.values().any(|file| file.sha256.as_slice() == row.sha256.as_slice())
            || files.get(&row.version).is_some_and(|file| file.name == row.name)
    };
    match rows.values().next_back() {
        Some(newest) if !files.is_empty() && !rows.values().any(|row| known(row)) => {
            Err(PlanError::Foreign {
                rows: rows.len(),
                newest: newest.version,
                name: newest.name.clone(),
            })
        }
        _ => Ok(()),
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
        Applied { version, name, sha256: sha256.to_vec(), state, unfinished: None }
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
        assert!(found.hint().contains("avenire-db mark 1 --applied"));
    }

    const THREE: &str = "-- avenire: no-transaction\nselect 1;\nselect 2;\nvacuum;";

    /// A row of a file that got so far when its text was `text`.
    fn paused(text: &str, statements: usize, under_way: bool) -> Applied {
        let file = Migration::parse("0001_m1.sql", text.as_bytes()).unwrap();
        let all = file.script().statements().unwrap();
        let begun = fingerprint(all.iter().take(statements + usize::from(under_way)));
        let state = State::Started { at: "then".into() };
        Applied { state, unfinished: Some(Unfinished { statements, under_way, begun }), ..row(1) }
    }

    fn resumed(row: Applied, text: &str) -> Result<usize, PlanError> {
        let files = [Migration::parse("0001_m1.sql", text.as_bytes()).unwrap(), file(2)];
        let plan = plan(&[row], &files)?;
        assert_eq!((plan.already, plan.pending.len()), (0, 2));
        Ok(plan.resume.unwrap().statements)
    }

    #[test]
    fn a_file_goes_on_after_what_took_effect_and_its_rest_may_be_mended() {
        assert_eq!(resumed(paused(THREE, 1, false), THREE), Ok(1));
        let mended = THREE.replace("select 2", "select 22");
        assert_eq!(resumed(paused(THREE, 1, false), &mended), Ok(1));
        let changed = Err(PlanError::Changed { file: "0001_m1.sql".into() });
        assert_eq!(resumed(paused(THREE, 2, false), &mended), changed);
        assert_eq!(resumed(paused(THREE, 2, true), &THREE.replace("vacuum", "analyze")), changed);
        assert_eq!(resumed(paused(THREE, 1, false), "select 1; select 2"), changed);
        assert_eq!(
            resumed(paused(THREE, 3, false), "-- avenire: no-transaction\nselect 1"),
            changed
        );
    }

    #[test]
    fn a_statement_in_doubt_is_repeated_only_when_that_is_harmless() {
        assert_eq!(resumed(paused(THREE, 2, true), THREE), Ok(2));
        let place = Some(Place { line: 3, column: 1 });
        let found = resumed(paused(THREE, 1, true), THREE).unwrap_err();
        assert!(matches!(&found, PlanError::Interrupted { place: at, .. } if *at == place));
        assert!(found.hint().contains("line 3, column 1"), "{}", found.hint());
    }

    #[test]
    fn a_ledger_without_any_of_the_files_is_another_projects() {
        let other = Migration::parse("0001_other.sql", b"select 'other'").unwrap();
        let found = check(&[row(1), row(2)], &[other]).unwrap_err();
        assert_eq!(found, PlanError::Foreign { rows: 2, newest: 2, name: "m2".into() });
        let edited = Migration::parse("0001_m1.sql", b"select 'edited'").unwrap();
        let found = check(&[row(1)], &[edited]).unwrap_err();
        assert!(matches!(found, PlanError::Changed { .. }));
    }

    #[test]
    fn the_order_and_the_end_are_the_callers_to_choose() {
        let files = [file(1), file(2), file(3), file(4)];
        let versions = |options: ApplyOptions| {
            let plan = plan_with(&[row(1), row(3)], &files, options)?;
            Ok(plan.pending.iter().map(|one| one.version).collect::<Vec<_>>())
        };
        let any = ApplyOptions { order: Order::Any, ..ApplyOptions::default() };
        assert_eq!(versions(any), Ok(vec![2, 4]));
        assert_eq!(versions(ApplyOptions { to: Target::Version(3), ..any }), Ok(vec![2]));
        assert_eq!(versions(ApplyOptions { to: Target::Version(1), ..any }), Ok(vec![]));
        let unknown = ApplyOptions { to: Target::Version(9), ..any };
        assert_eq!(versions(unknown), Err(PlanError::NoSuchVersion { version: 9 }));
    }
}
