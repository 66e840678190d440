//! The snapshots beside the migrations: read, and as the lines of history that their parents form.
//! Never: renames or rewrites a file, judges whether branches go together.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::finding::{At, Finding};
use super::footprint::Footprint;
use super::rules;
use crate::catalog::Catalog;
use crate::snapshot::{self, Snapshot, SnapshotError};

/// A snapshot and the name and digest of its file.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) snapshot: Snapshot,
}

/// The names of the migrations, and the digest of each.
pub(super) fn migrations(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if number(&name).is_some() && entry.path().extension().is_some_and(|end| end == "sql") {
            let bytes = fs::read(entry.path())?;
            files.insert(name, snapshot::sha256(&String::from_utf8_lossy(&bytes)));
        }
    }
    Ok(files)
}

pub(super) fn snapshots(folder: &Path, findings: &mut Vec<Finding>) -> io::Result<Vec<Known>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut known = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        if number(&name).is_none() || path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        match Snapshot::read(&path) {
            Ok((snapshot, sha256)) => known.push(Known { name, sha256, snapshot }),
            Err(error) => {
                let line = if let SnapshotError::Damaged { line, .. } = error { line } else { 1 };
                let message = match &error {
                    SnapshotError::Damaged { reason, .. } => format!("no snapshot: {reason}"),
                    SnapshotError::UnknownFormat { format, .. } => {
                        format!("format {format} is unknown to this program")
                    }
                    SnapshotError::Unusable { .. } => "the file can not be read".into(),
                };
                tell(findings, "snapshot-damaged", (&name, line), message, error.hint());
            }
        }
    }
    known.sort_by_key(|one| (number(&one.name), one.name.clone()));
    Ok(known)
}

pub(super) fn files_of(one: &Known, files: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    for (file, sha256) in &one.snapshot.files {
        match files.get(file) {
            None => {
                let message = format!("{file}, which leads to this snapshot, is missing");
                let help = "restore the file from version control, or remove the snapshot with it";
                tell(findings, "snapshot-without-file", (&one.name, 1), message, help.into());
            }
            Some(now) if now != sha256 => {
                let message = format!("the file was edited after {} was written", one.name);
                let help = "restore it, and put the change into a new migration; where it was \
                            applied nowhere, remove both and generate them again"
                    .into();
                tell(findings, "edited-after-snapshot", (file, 1), message, help);
            }
            Some(_) => {}
        }
    }
}

/// What goes on from each snapshot, by its digest, and from nothing.
pub(super) fn children<'a>(
    snapshots: &'a [Known],
    findings: &mut Vec<Finding>,
) -> BTreeMap<Option<&'a str>, Vec<&'a Known>> {
    let mut children: BTreeMap<Option<&str>, Vec<&Known>> = BTreeMap::new();
    for one in snapshots {
        let parent = one.snapshot.parent.as_deref();
        if parent.is_some_and(|parent| !snapshots.iter().any(|other| other.sha256 == parent)) {
            let message = "the snapshot that it goes on from was changed or is missing".into();
            let help = "restore the snapshots before it from version control".into();
            tell(findings, "snapshot-without-parent", (&one.name, 1), message, help);
            continue;
        }
        children.entry(parent).or_default().push(one);
    }
    children
}

/// A snapshot and all that went on from it.
pub(super) fn branch<'a>(
    from: &'a Known,
    children: &BTreeMap<Option<&'a str>, Vec<&'a Known>>,
) -> Vec<&'a Known> {
    let mut branch = vec![from];
    let mut at = 0;
    while let Some(one) = branch.get(at) {
        let next = children.get(&Some(&*one.sha256));
        branch.extend(next.into_iter().flatten());
        at += 1;
    }
    branch
}

/// What the steps of a branch do, one after another.
pub(super) fn footprint(base: &Catalog, branch: &[&Known]) -> Footprint {
    let mut footprint = Footprint::default();
    for one in branch {
        let parent = branch
            .iter()
            .find(|other| one.snapshot.parent.as_deref() == Some(&*other.sha256))
            .map_or(base, |parent| &parent.snapshot.catalog);
        footprint.extend(Footprint::between(parent, &one.snapshot.catalog));
    }
    footprint
}

/// Gives out the numbers above all that there are, to each file one.
pub(super) struct Numbers<'a> {
    pub(super) files: &'a BTreeMap<String, String>,
    highest: u64,
    pub(super) given: BTreeMap<String, String>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(files: &'a BTreeMap<String, String>, snapshots: &[Known]) -> Self {
        let known = snapshots.iter().flat_map(|one| one.snapshot.files.keys());
        let highest = files.keys().chain(known).filter_map(|file| number(file)).max().unwrap_or(0);
        Self { files, highest, given: BTreeMap::new() }
    }

    /// For files of the second branch, unless all of them come after those of the first.
    pub(super) fn after(&mut self, first: &[&Known], second: &[&Known]) -> Vec<(String, String)> {
        let last = numbered(first).last().map_or(0, |(number, _)| *number);
        let second = numbered(second);
        if second.iter().all(|(number, _)| *number > last) {
            return Vec::new();
        }
        second.into_iter().flat_map(|(_, file)| self.renamed(file)).collect()
    }

    /// The file under its new number, and what undoes it along with it.
    pub(super) fn renamed(&mut self, file: &str) -> Vec<(String, String)> {
        let Some((digits, name)) = file.split_once('_') else { return Vec::new() };
        let highest = &mut self.highest;
        let new = self.given.entry(file.to_owned()).or_insert_with(|| {
            *highest += 1;
            format!("{highest:0width$}_{name}", width = digits.len())
        });
        let down = |file: &str| file.replace(".sql", ".down.sql");
        let mut renames = vec![(file.to_owned(), new.clone())];
        if self.files.contains_key(&down(file)) {
            renames.push((down(file), down(new)));
        }
        renames
    }
}

/// The files of a branch that do something, by their number.
pub(super) fn numbered<'a>(branch: &[&'a Known]) -> Vec<(u64, &'a str)> {
    let files = branch.iter().flat_map(|one| one.snapshot.files.keys());
    let ups = files.filter(|file| !file.ends_with(".down.sql"));
    let mut numbered: Vec<(u64, &str)> =
        ups.filter_map(|file| Some((number(file)?, file.as_str()))).collect();
    numbered.sort_unstable();
    numbered
}

/// The number of `NNNN_name.…`.
pub(super) fn number(file: &str) -> Option<u64> {
    let (digits, _) = file.split_once('_')?;
    let numbered = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| numbered)
}

pub(super) fn tell(
    findings: &mut Vec<Finding>,
    rule: &str,
    (file, line): (&str, usize),
    message: String,
    help: String,
) {
    let Some(rule) = rules::named(rule) else { return };
    findings.push(Finding {
        at: At::File { file: file.to_owned(), line, column: 1 },
        severity: rule.severity,
        rule: rule.name.to_owned(),
        message,
        help: Some(help),
    });
}
