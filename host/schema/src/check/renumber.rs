//! Puts one of two parallel branches of migrations behind the other: its files get the next
//! numbers, its snapshots go on from the other's last one.
//! Never: changes a statement; touches branches that collide; knows what was applied anywhere,
//! which is for the caller to say: nothing of the branch that moves may have been.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::footprint::Collision;
use super::history::Known;
use super::merge::merged;
use super::parted::{Line, bare, parted};
use crate::snapshot::{self, SnapshotError};

/// What is under way, so that a run that was interrupted can be finished. Hidden, so that the runner
/// does not read it.
const JOURNAL: &str = ".renumber.json";

/// What was renamed, in the folder of the migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renumbered {
    /// From, to. Empty when there are no parallel branches.
    pub files: Vec<(String, String)>,
    /// Snapshots by their names from now on, and their texts.
    snapshots: BTreeMap<String, String>,
    /// Snapshots that these replace.
    replaced: Vec<String>,
}

impl Renumbered {
    /// The names of the snapshots that were written.
    pub fn snapshots(&self) -> impl Iterator<Item = &str> {
        self.snapshots.keys().map(String::as_str)
    }

    /// How a migration or snapshot is called that had this name before.
    fn now(&self, name: &str) -> String {
        let found = self.files.iter().find(|(from, _)| bare(from) == bare(name));
        found.map_or_else(|| name.to_owned(), |(_, to)| to.clone())
    }

    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.snapshots.is_empty()
    }
}

/// Why nothing was renumbered. [`RenumberError::Failed`] apart, all files are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenumberError {
    /// A snapshot is damaged or does not fit its files, so that branches can not be told apart.
    #[error("{0}")]
    Unclear(String),
    /// The branches do not go together.
    #[error("{} and {} collide: {}", first.join(", "), second.join(", "), words(collisions))]
    Colliding {
        /// The snapshots of the one.
        first: Vec<String>,
        /// The snapshots of the other.
        second: Vec<String>,
        /// What on.
        collisions: Vec<Collision>,
    },
    /// The two catalogs can not be made one, although nothing collides.
    #[error("the snapshots of the branches can not be made one: {0}")]
    Apart(String),
    /// No branch has this migration.
    #[error("{0} is on no parallel branch")]
    NotThere(String),
    /// A migration without a snapshot stands where it is not known on which branch it is.
    #[error("{file} has no snapshot, so that it is not known on which branch it is")]
    Between {
        /// The file.
        file: String,
    },
    /// A file is there that would be overwritten.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file or the folder can not be read or written.
    #[error("could not rename or write {}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A snapshot could not be written as text.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl RenumberError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unclear(_) => "mend what `avenire-db check` says of the snapshots first".into(),
            Self::Colliding { second, .. } => format!(
                "choose the branch whose migrations were applied nowhere, such as the one of {}, \
                 remove its files and snapshots, and run `avenire-db generate` again",
                second.join(", ")
            ),
            Self::Apart(_) => "remove the files and snapshots of the branch whose migrations were \
                               applied nowhere, and run `avenire-db generate` again"
                .into(),
            Self::NotThere(_) => "name a migration as `avenire-db check` names it".into(),
            Self::Between { file } => format!(
                "rename {file} by hand, so that it comes before or after what is to move, and \
                 repeat this"
            ),
            Self::Exists { .. } => "move it away and repeat this".into(),
            Self::Failed { .. } => "mend the cause and repeat this; it goes on where it was".into(),
            Self::Snapshot(error) => return Some(error.hint()),
        })
    }
}

fn words(collisions: &[Collision]) -> String {
    let words: Vec<String> = collisions.iter().map(|one| one.on.to_string()).collect();
    words.join(", ")
}

/// Puts parallel branches in a row, as long as they go together. `moving` is a migration of the
/// branch that moves, such as `0002_title`; without it that is the branch with the higher number or
/// the later name. Says what was done, which is nothing when there are no parallel branches.
///
/// The caller answers for that nothing of the branch that moves was applied anywhere. A run that was
/// interrupted is finished by the next one.
///
/// # Errors
/// [`RenumberError`].
pub fn renumber(folder: &Path, moving: Option<&str>) -> Result<Renumbered, RenumberError> {
    let mut done = resume(folder)?;
    let mut moving = moving.map(|name| done.now(name));
    // Every round puts one branch behind another.
    loop {
        let round = plan(folder, moving.as_deref())?;
        if round.is_empty() {
            return Ok(done);
        }
        refuse_existing(folder, &round)?;
        let journal = folder.join(JOURNAL);
        let text = serde_json::to_string(&round).map_err(|error| failed(&journal, error.into()))?;
        write(&journal, &text)?;
        carry_out(folder, &round)?;
        fs::remove_file(&journal).map_err(|error| failed(&journal, error))?;
        moving = moving.map(|name| round.now(&name));
        done.files.extend(round.files);
        for replaced in &round.replaced {
            done.snapshots.remove(replaced);
        }
        done.snapshots.extend(round.snapshots);
    }
}

fn resume(folder: &Path) -> Result<Renumbered, RenumberError> {
    let journal = folder.join(JOURNAL);
    let text = match fs::read_to_string(&journal) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Renumbered::default()),
        Err(error) => return Err(failed(&journal, error)),
    };
    let round: Renumbered =
        serde_json::from_str(&text).map_err(|error| failed(&journal, error.into()))?;
    carry_out(folder, &round)?;
    fs::remove_file(&journal).map_err(|error| failed(&journal, error))?;
    Ok(round)
}

/// One branch behind another; nothing when there are no parallel ones.
fn plan(folder: &Path, moving: Option<&str>) -> Result<Renumbered, RenumberError> {
    let parted = parted(folder).map_err(|error| failed(folder, error))?;
    if let Some(fault) = &parted.fault {
        return Err(RenumberError::Unclear(fault.to_string()));
    }
    let Some(mut line) = parted.lines().into_iter().next() else {
        return match moving {
            Some(name) if !parted.has(name) => Err(RenumberError::NotThere(name.into())),
            _ => Ok(Renumbered::default()),
        };
    };
    if let Some(name) = moving {
        let is_on = |branch: &[&Known]| branch.iter().any(|one| one.is_called(name));
        if is_on(&line.first) {
            std::mem::swap(&mut line.first, &mut line.second);
        } else if !parted.has(name) {
            return Err(RenumberError::NotThere(name.into()));
        }
    }
    let names = |branch: &[&Known]| branch.iter().map(|one| one.name.clone()).collect();
    let collisions = line.collisions();
    if !collisions.is_empty() {
        let (first, second) = (names(&line.first), names(&line.second));
        return Err(RenumberError::Colliding { first, second, collisions });
    }
    let files = parted.renames(&line);
    if let Some(file) = parted.between(&line).filter(|_| !files.is_empty()) {
        return Err(RenumberError::Between { file });
    }
    rewritten(&line, files)
}

/// The snapshots of the branch that moves, on top of the other.
fn rewritten(line: &Line<'_>, files: Vec<(String, String)>) -> Result<Renumbered, RenumberError> {
    let new = |file: &str| {
        let found = files.iter().find(|(from, _)| from == file);
        found.map_or_else(|| file.to_owned(), |(_, to)| to.clone())
    };
    let Some(tip) = line.first.last() else { return Ok(Renumbered::default()) };
    let mut parent = tip.sha256.clone();
    let (mut snapshots, mut replaced) = (BTreeMap::new(), Vec::new());
    for one in &line.second {
        let mut snapshot = merged(line.base, &tip.snapshot, &one.snapshot)
            .map_err(|error| RenumberError::Apart(error.0))?;
        snapshot.parent = Some(parent);
        snapshot.files =
            one.snapshot.files.iter().map(|(file, sha256)| (new(file), sha256.clone())).collect();
        let name = new(&one.name.replace(".json", ".sql")).replace(".sql", ".json");
        let text = snapshot.text().map_err(|error| RenumberError::Apart(error.to_string()))?;
        parent = snapshot::sha256(&text);
        if name != one.name {
            replaced.push(one.name.clone());
        }
        snapshots.insert(name, text);
    }
    Ok(Renumbered { files, snapshots, replaced })
}

fn refuse_existing(folder: &Path, round: &Renumbered) -> Result<(), RenumberError> {
    let files = round.files.iter().map(|(_, to)| folder.join(to));
    let new = round.snapshots.keys().map(|name| folder.join(snapshot::FOLDER).join(name));
    // Without new names they are written in their own place.
    let in_place = round.replaced.is_empty();
    let mut targets = files.chain(new.filter(|_| !in_place));
    match targets.find(|path| path.exists()) {
        Some(path) => Err(RenumberError::Exists { path }),
        None => Ok(()),
    }
}

/// Does what is left to do; all of it may be done already. The last file is renamed first, so that
/// there never is a number in the row before one that is still missing.
fn carry_out(folder: &Path, round: &Renumbered) -> Result<(), RenumberError> {
    for (from, to) in round.files.iter().rev() {
        let (from, to) = (folder.join(from), folder.join(to));
        match (from.exists(), to.exists()) {
            (true, true) => return Err(RenumberError::Exists { path: to }),
            (true, false) => fs::rename(&from, &to).map_err(|error| failed(&from, error))?,
            (false, _) => {}
        }
    }
    let snapshots = folder.join(snapshot::FOLDER);
    for (name, text) in &round.snapshots {
        write(&snapshots.join(name), text)?;
    }
    for name in &round.replaced {
        let path = snapshots.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Wholly or not at all.
fn write(path: &Path, text: &str) -> Result<(), RenumberError> {
    let beside = path.with_extension("json.new");
    fs::write(&beside, text).map_err(|error| failed(&beside, error))?;
    fs::rename(&beside, path).map_err(|error| failed(path, error))
}

fn failed(path: &Path, source: io::Error) -> RenumberError {
    RenumberError::Failed { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
