//! Parallel branches that are lines, with what renumbering needs to know of them.
//! Never: renames or rewrites a file.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::finding::{Finding, Severity};
use super::footprint::Collision;
use super::history::{
    Known, Numbers, branch, children, files_of, footprint, migrations, number, numbered, snapshots,
};
use crate::catalog::Catalog;
use crate::snapshot::{self, Snapshot};

/// A folder of migrations and its snapshots.
pub(super) struct Parted {
    files: BTreeMap<String, String>,
    snapshots: Vec<Known>,
    /// What keeps branches from being told apart.
    pub(super) fault: Option<Finding>,
}

/// Two branches that went on from the same snapshot, none of which parts again.
pub(super) struct Line<'a> {
    pub(super) base: Option<&'a Snapshot>,
    pub(super) first: Vec<&'a Known>,
    pub(super) second: Vec<&'a Known>,
}

/// Reads a folder.
pub(super) fn parted(folder: &Path) -> io::Result<Parted> {
    let mut findings = Vec::new();
    let files = migrations(folder)?;
    let snapshots = snapshots(&folder.join(snapshot::FOLDER), &mut findings)?;
    for one in &snapshots {
        files_of(one, &files, &mut findings);
    }
    children(&snapshots, &mut findings);
    let fault = findings.into_iter().find(|one| one.severity == Severity::Error);
    Ok(Parted { files, snapshots, fault })
}

/// Without what says of what kind the file is.
pub(super) fn bare(name: &str) -> &str {
    name.trim_end_matches(".json").trim_end_matches(".sql")
}

impl Known {
    /// Whether a user means it, or a migration that leads to it, by this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let names = [&self.name].into_iter().chain(self.snapshot.files.keys());
        names.into_iter().any(|one| bare(one) == bare(name))
    }
}

impl Line<'_> {
    /// Where the two get into each other's way.
    pub(super) fn collisions(&self) -> Vec<Collision> {
        let nothing = Catalog::default();
        let base = self.base.map_or(&nothing, |base| &base.catalog);
        footprint(base, &self.first).collisions(&footprint(base, &self.second))
    }
}

impl Parted {
    /// Whether a snapshot has that name, or a migration that leads to one.
    pub(super) fn has(&self, name: &str) -> bool {
        self.snapshots.iter().any(|one| one.is_called(name))
    }

    /// The pairs of branches that can be put in a row now.
    pub(super) fn lines(&self) -> Vec<Line<'_>> {
        let children = children(&self.snapshots, &mut Vec::new());
        let is_line = |branch: &[&Known]| {
            let after = |one: &&Known| children.get(&Some(&*one.sha256)).map_or(0, Vec::len);
            branch.iter().all(|one| after(one) <= 1)
        };
        let mut lines = Vec::new();
        for (parent, siblings) in &children {
            let branches: Vec<Vec<&Known>> =
                siblings.iter().map(|from| branch(from, &children)).collect();
            let base = self.snapshots.iter().find(|one| Some(&*one.sha256) == *parent);
            for (place, second) in branches.iter().enumerate().skip(1) {
                for first in branches.iter().take(place).filter(|_| is_line(second)) {
                    if is_line(first) {
                        let (first, second) = (first.clone(), second.clone());
                        lines.push(Line { base: base.map(|one| &one.snapshot), first, second });
                    }
                }
            }
        }
        lines
    }

    /// The new names of the files of the second branch: from, to.
    pub(super) fn renames(&self, line: &Line<'_>) -> Vec<(String, String)> {
        Numbers::new(&self.files, &self.snapshots).after(&line.first, &line.second)
    }

    /// A migration without a snapshot that is not before all that is to be renumbered.
    pub(super) fn between(&self, line: &Line<'_>) -> Option<String> {
        let least = numbered(&line.second).first().map(|(number, _)| *number)?;
        let known: BTreeSet<&String> =
            self.snapshots.iter().flat_map(|one| one.snapshot.files.keys()).collect();
        let mut ups = self.files.keys().filter(|file| !file.ends_with(".down.sql"));
        let found = ups.find(|file| {
            !known.contains(file) && number(file).is_some_and(|number| number >= least)
        });
        found.cloned()
    }
}
