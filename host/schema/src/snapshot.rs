//! Snapshots: what the catalog is after a generated migration, in `snapshots/NNNN_name.json` beside
//! the migrations. Owns their format. Never: compares catalogs, talks to a database.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::catalog::Catalog;

/// The folder of snapshots, within that of the migrations.
pub const FOLDER: &str = "snapshots";

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;

/// The most a snapshot may have; it is held in memory.
const LARGEST: u64 = 256 << 20;

/// What the catalog is after the migrations that one `generate` wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// [`FORMAT`].
    pub format: u32,
    /// The [`sha256`] of the snapshot before it; none for the first.
    pub parent: Option<String>,
    /// The migrations that lead here from the parent, in order of their names, and the [`sha256`] of
    /// each.
    pub files: BTreeMap<String, String>,
    /// `server_version_num` of the Postgres that described the catalog, such as 150018.
    pub postgres: i32,
    /// The SQL objects that the schema modules carry by name and the catalog does not show.
    #[serde(default)]
    pub objects: BTreeMap<String, TrackedObject>,
    /// The catalog after the migrations.
    pub catalog: Catalog,
}

/// A named SQL object: what is needed to see that it changed, and to drop it when it is gone from
/// the modules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackedObject {
    /// The statements that make it.
    pub create: Vec<String>,
    /// The statement that drops it.
    #[serde(default)]
    pub drop: Option<String>,
}

/// What is wrong with a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It cannot be read or written.
    #[error("could not read or write {}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what a snapshot is.
    #[error("{} is not a snapshot (line {line}): {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What the reader of JSON says.
        reason: String,
    },
    /// A later program wrote it.
    #[error("{} has format {format}, which this program does not know", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it says.
        format: u64,
    },
}

impl SnapshotError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::Unusable { .. } => "check that the file is there and may be read".into(),
            Self::Damaged { .. } => {
                "restore it from version control, or resolve the conflict that a merge left in it"
                    .into()
            }
            Self::UnknownFormat { .. } => "update avenire-db".into(),
        }
    }
}

impl Snapshot {
    /// Its text: JSON with one value a line and names in order, so that what changes in it is what
    /// changed in the catalog, and ends with a line end.
    ///
    /// # Errors
    /// None that a catalog can cause.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads the text of a file; the path is for errors.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        let damaged = |error: &serde_json::Error| SnapshotError::Damaged {
            path: path.to_owned(),
            line: error.line(),
            reason: error.to_string(),
        };
        let head: Head = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        if head.format != u64::from(FORMAT) {
            let path = path.to_owned();
            return Err(SnapshotError::UnknownFormat { path, format: head.format });
        }
        serde_json::from_str(text).map_err(|error| damaged(&error))
    }

    /// Reads a file, and gives its [`sha256`] too, which is what its children name as parent.
    pub fn read(path: &Path) -> Result<(Self, String), SnapshotError> {
        let unusable = |source| SnapshotError::Unusable { path: path.to_owned(), source };
        let length = std::fs::metadata(path).map_err(unusable)?.len();
        if length > LARGEST {
            return Err(unusable(io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        let text = std::fs::read_to_string(path).map_err(unusable)?;
        Ok((Self::parse(path, &text)?, sha256(&text)))
    }

    /// Writes a file in place of what was there, wholly or not at all, and gives its [`sha256`].
    pub fn write(&self, path: &Path) -> Result<String, SnapshotError> {
        let unusable = |source| SnapshotError::Unusable { path: path.to_owned(), source };
        let text = self.text().map_err(|error| unusable(io::Error::other(error)))?;
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, &text).map_err(unusable)?;
        std::fs::rename(&beside, path).map_err(unusable)?;
        Ok(sha256(&text))
    }
}

/// The snapshot with the highest number in a folder of migrations, and its [`sha256`]; none when
/// there is none.
pub fn newest(migrations: &Path) -> Result<Option<(Snapshot, String)>, SnapshotError> {
    let folder = migrations.join(FOLDER);
    let unusable = |source| SnapshotError::Unusable { path: folder.clone(), source };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    let mut newest: Option<(i64, PathBuf)> = None;
    for entry in entries {
        let path = entry.map_err(unusable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.split('_').next().and_then(|digits| digits.parse::<i64>().ok());
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        if let Some(number) = number.filter(|_| is_json)
            && newest.as_ref().is_none_or(|(highest, _)| number > *highest)
        {
            newest = Some((number, path));
        }
    }
    newest.map(|(_, path)| Snapshot::read(&path)).transpose()
}

/// SHA-256 of a text in hexadecimal digits. As for migrations, a byte order mark and the kind of
/// line ends do not count.
pub fn sha256(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, QName, Table};

    fn snapshot() -> Snapshot {
        let id = Column { name: "id".into(), data_type: "bigint".into(), ..Column::default() };
        let chat = Table { columns: vec![id], ..Table::default() };
        let catalog =
            Catalog { tables: [(QName::new("public", "chat"), chat)].into(), ..Catalog::default() };
        let files = [("0001_chat.sql".to_owned(), sha256("select 1"))].into();
        let objects = BTreeMap::new();
        Snapshot { format: FORMAT, parent: None, files, postgres: 150_018, objects, catalog }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = std::env::temp_dir().join(format!("avenire-snapshot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("0001_chat.json");
        let written = snapshot().write(&path).unwrap();
        let read = Snapshot::read(&path).unwrap();
        let left = std::fs::read_dir(&folder).unwrap().count();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read, (snapshot(), written));
        assert_eq!(left, 1);
        assert!(snapshot().text().unwrap().lines().any(|line| line.trim() == "\"name\": \"id\","));
    }

    #[test]
    fn line_ends_do_not_change_the_digest() {
        assert_eq!(sha256("a\r\nb"), sha256("\u{feff}a\nb"));
        assert_ne!(sha256("a\nb"), sha256("a\nb\n"));
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_its_line() {
        let path = Path::new("0001_chat.json");
        let text = snapshot().text().unwrap();
        let conflict = text.replace("  \"parent\"", "<<<<<<< ours\n  \"parent\"");
        let refused = Snapshot::parse(path, &conflict).unwrap_err();
        assert!(matches!(refused, SnapshotError::Damaged { line: 3, .. }), "{refused}");
        let later = text.replace("\"format\": 1", "\"format\": 2, \"x\": 0");
        let refused = Snapshot::parse(path, &later).unwrap_err();
        assert!(matches!(refused, SnapshotError::UnknownFormat { format: 2, .. }), "{refused}");
        let unknown = text.replace("\"format\": 1", "\"format\": 1, \"x\": 0");
        assert!(matches!(Snapshot::parse(path, &unknown), Err(SnapshotError::Damaged { .. })));
    }
}
