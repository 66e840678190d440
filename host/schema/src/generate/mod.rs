//! `generate`: the next migration, from the schema modules.
//!
//! Owns what is compared with what, and what is written. Never: touches the project's database;
//! writes anything before the revision is proven.

mod error;
mod name;
mod objects;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use avenire_definitions::Definitions;

use crate::migrations::Migrations;
use crate::plan::Step;
use crate::renames::Rename;
use crate::revision::{self, Revision, Terms};
use crate::scratch::Scratch;
use crate::snapshot::{self, Snapshot};

pub use error::GenerateError;
pub use name::Numbering;

/// How long the existing migrations may take in a scratch database, which has no rows.
const REPLAY: Duration = Duration::from_mins(10);

/// What to generate from what.
pub struct Request<'a> {
    /// What the schema modules say.
    pub definitions: &'a Definitions,
    /// The folder of the migrations, where the new ones are written.
    pub folder: &'a Path,
    /// What the migration is called; made from the changes without.
    pub name: Option<&'a str>,
    /// How it is numbered.
    pub numbering: Numbering,
    /// Renames and hazards.
    pub terms: Terms<'a>,
}

/// What was found, and what would be or was written.
#[derive(Debug)]
pub struct Generated {
    /// The files of the migration with their texts, in order; down files after their up file.
    pub files: Vec<(PathBuf, String)>,
    /// The snapshot and its text; none when there is nothing to do.
    pub snapshot: Option<(PathBuf, String)>,
    /// What is renamed.
    pub renames: Vec<Rename>,
    /// What is done, with its hazards.
    pub steps: Vec<Step>,
}

impl Generated {
    /// Whether the migrations lead to what the schema modules say.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes the files, all of them or none: whatever is there already is refused first, and the
    /// migrations themselves, which count, are put in place last.
    pub fn write(&self) -> Result<(), GenerateError> {
        write::all(self)
    }
}

/// Compares and plans; writes nothing.
pub async fn generate(request: &Request<'_>) -> Result<Generated, GenerateError> {
    let own = existing(request.folder)?;
    let last = snapshot::newest(request.folder)?;
    let (present, desired) = tokio::join!(
        replay(request, &own),
        revision::desired(request.definitions, request.terms.scratch, request.terms.scope),
    );
    let (present, desired) = (present?, desired?);
    let before = last.as_ref().map(|(snapshot, _)| snapshot);
    let tracked = objects::changed(request.definitions, before);
    let revised = revision::revise(&present, desired, tracked, &request.terms).await;
    let dropped = present.drop().await;
    let revision = revised?;
    dropped?;
    if revision.is_empty() {
        return Ok(Generated {
            files: Vec::new(),
            snapshot: None,
            renames: revision.renames,
            steps: Vec::new(),
        });
    }
    named(request, &own, last, revision)
}

/// The migrations so far; none when there is no folder yet.
fn existing(folder: &Path) -> Result<Migrations, GenerateError> {
    if folder.exists() {
        Ok(Migrations::load(folder)?)
    } else {
        Ok(Migrations::from_texts("main", Vec::new())?)
    }
}

/// A scratch database with all migrations applied.
pub(crate) async fn replay(
    request: &Request<'_>,
    own: &Migrations,
) -> Result<Scratch, GenerateError> {
    let scratch = Scratch::create(request.terms.scratch, "the migrations").await?;
    own.apply(scratch.endpoint(), Instant::now() + REPLAY, &|_| {}).await?;
    Ok(scratch)
}

/// Gives the files of a revision their names and texts.
fn named(
    request: &Request<'_>,
    own: &Migrations,
    last: Option<(Snapshot, String)>,
    revision: Revision,
) -> Result<Generated, GenerateError> {
    let name = match request.name {
        Some(name) => name::checked(name)?,
        None => name::of(&revision),
    };
    let first = request.numbering.next(own.available().last().map_or(0, |one| one.version));
    let mut files = Vec::new();
    let mut ups = BTreeMap::new();
    let mut stem = String::new();
    for (version, file) in (first..).zip(&revision.files) {
        stem = match &file.suffix {
            Some(suffix) => format!("{version:04}_{name}_{suffix}"),
            None => format!("{version:04}_{name}"),
        };
        ups.insert(format!("{stem}.sql"), snapshot::sha256(&file.up));
        files.push((request.folder.join(format!("{stem}.sql")), file.up.clone()));
        if let Some(down) = &file.down {
            files.push((request.folder.join(format!("{stem}.down.sql")), down.clone()));
        }
    }
    let snapshot = Snapshot {
        format: snapshot::FORMAT,
        parent: last.map(|(_, digest)| digest),
        files: ups,
        postgres: revision.to.version,
        objects: objects::tracked(request.definitions),
        catalog: revision.to.catalog,
    };
    let path = request.folder.join(snapshot::FOLDER).join(format!("{stem}.json"));
    let text = snapshot.text().map_err(GenerateError::Text)?;
    Ok(Generated {
        files,
        snapshot: Some((path, text)),
        renames: revision.renames,
        steps: revision.steps,
    })
}

/// Writes a migration to be filled by hand, and nothing else. Returns its file.
pub fn empty(folder: &Path, name: &str, numbering: Numbering) -> Result<PathBuf, GenerateError> {
    let name = name::checked(name)?;
    let own = existing(folder)?;
    let version = numbering.next(own.available().last().map_or(0, |one| one.version));
    let path = folder.join(format!("{version:04}_{name}.sql"));
    let text = "-- The statements of this migration, which run in one transaction.\n".to_owned();
    let files = vec![(path.clone(), text)];
    write::all(&Generated { files, snapshot: None, renames: Vec::new(), steps: Vec::new() })?;
    Ok(path)
}
