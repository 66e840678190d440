//! Whether the snapshots beside the migrations are one line of history, and if not, whether what the
//! branches did goes together.
//! Never: renames or rewrites a file; it says which.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::finding::Finding;
use super::footprint::Collision;
use super::history::{
    Known, Numbers, branch, children, files_of, footprint, migrations, number, snapshots, tell,
};
use crate::catalog::Catalog;
use crate::snapshot;

/// What a folder of migrations says about branches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Branches {
    /// Each pair of branches that went on from the same snapshot.
    pub parallel: Vec<Parallel>,
    /// The same in words, and what else is wrong with the snapshots.
    pub findings: Vec<Finding>,
}

/// Two branches that went on from the same snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Parallel {
    /// The snapshot that they have in common; none when both began with nothing.
    pub base: Option<String>,
    /// The snapshots of the branch that stays as it is.
    pub first: Vec<String>,
    /// The snapshots of the other.
    pub second: Vec<String>,
    /// Where they get into each other's way; without any they go together in either order.
    pub collisions: Vec<Collision>,
    /// The files of the second that have to be renamed so that they come after the first: from, to.
    pub renames: Vec<(String, String)>,
}

/// Reads the folder of migrations and its snapshots. It may be one that
/// [`Migrations::load`](crate::Migrations::load) refuses since two files have the same number.
///
/// # Errors
/// The folder cannot be read. A folder without snapshots is no error.
pub fn branches(folder: &Path) -> io::Result<Branches> {
    let mut found = Branches::default();
    let files = migrations(folder)?;
    let snapshots = snapshots(&folder.join(snapshot::FOLDER), &mut found.findings)?;
    for one in &snapshots {
        files_of(one, &files, &mut found.findings);
    }
    let mut numbers = Numbers::new(&files, &snapshots);
    lines(&snapshots, &mut numbers, &mut found);
    twins(&mut numbers, &mut found.findings);
    found.findings.sort();
    Ok(found)
}

/// The lines of history that the parents form.
fn lines(snapshots: &[Known], numbers: &mut Numbers<'_>, found: &mut Branches) {
    let by_digest: BTreeMap<&str, &Known> =
        snapshots.iter().map(|one| (&*one.sha256, one)).collect();
    let children = children(snapshots, &mut found.findings);
    for (parent, siblings) in &children {
        let base = parent.and_then(|parent| by_digest.get(parent)).copied();
        for (place, second) in siblings.iter().enumerate().skip(1) {
            for first in siblings.iter().take(place) {
                let pair = [branch(first, &children), branch(second, &children)];
                parallel(base, &pair, numbers, found);
            }
        }
    }
}

fn parallel(
    base: Option<&Known>,
    [first, second]: &[Vec<&Known>; 2],
    numbers: &mut Numbers<'_>,
    found: &mut Branches,
) {
    let nothing = Catalog::default();
    let from = base.map_or(&nothing, |base| &base.snapshot.catalog);
    let collisions = footprint(from, first).collisions(&footprint(from, second));
    let names = |branch: &[&Known]| branch.iter().map(|one| one.name.clone()).collect();
    let (first_names, second_names): (Vec<String>, Vec<String>) = (names(first), names(second));
    let renames = numbers.after(first, second);
    let (rule, goes) = if collisions.is_empty() {
        ("parallel-branches", "they touch different things and go together")
    } else {
        ("colliding-branches", "they can not both be applied as they are")
    };
    let mut message = format!(
        "{} and {} both go on from {}; {goes}",
        first_names.join(", "),
        second_names.join(", "),
        base.map_or("nothing", |base| &base.name),
    );
    for collision in &collisions {
        let Collision { on, first, second } = collision;
        message.push_str(&format!(
            "; {on}: {} by one, {} by the other",
            first.word(),
            second.word()
        ));
    }
    let help = remedy(collisions.is_empty(), second, &renames);
    let place = second_names.first().cloned().unwrap_or_default();
    tell(&mut found.findings, rule, (&place, 1), message, help);
    let base = base.map(|base| base.name.clone());
    let (first, second) = (first_names, second_names);
    found.parallel.push(Parallel { base, first, second, collisions, renames });
}

/// Where nothing of the second was applied yet. Whatever was is in a ledger, and stays.
fn remedy(together: bool, second: &[&Known], renames: &[(String, String)]) -> String {
    let snapshots: Vec<String> =
        second.iter().map(|one| format!("{}/{}", snapshot::FOLDER, one.name)).collect();
    let files: Vec<String> =
        second.iter().flat_map(|one| one.snapshot.files.keys().cloned()).collect();
    if !together {
        return format!(
            "choose one of the branches whose migrations were applied nowhere, remove its files ({} \
             with {}), and run `avenire-db generate` again",
            files.join(", "),
            snapshots.join(", "),
        );
    }
    let first =
        if renames.is_empty() { String::new() } else { format!("{}, then ", moves(renames)) };
    format!("{first}write {} again on top of the other branch", snapshots.join(", "))
}

/// Two files with one number, which no snapshot explains.
fn twins(numbers: &mut Numbers<'_>, findings: &mut Vec<Finding>) {
    let files = numbers.files;
    let mut by_number: BTreeMap<u64, &String> = BTreeMap::new();
    for file in files.keys().filter(|file| !file.ends_with(".down.sql")) {
        let Some(number) = number(file).filter(|_| !numbers.given.contains_key(file)) else {
            continue;
        };
        let Some(first) = by_number.get(&number) else {
            by_number.insert(number, file);
            continue;
        };
        let message = format!("the file has the same number as {first}");
        let help = format!("{}, where it was applied nowhere", moves(&numbers.renamed(file)));
        tell(findings, "twin-numbers", (file, 1), message, help);
    }
}

fn moves(renames: &[(String, String)]) -> String {
    let moves: Vec<String> =
        renames.iter().map(|(from, to)| format!("`git mv {from} {to}`")).collect();
    moves.join(", ")
}

#[cfg(test)]
mod tests;
