//! Looking at files that other programs write, and reading them. Regular files only.
//! Never: opens a pipe or a device, gives out bytes that were written over while they were read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// What tells one state of a file from the next without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) place: Place,
    /// In bytes.
    pub(crate) size: u64,
    /// Seconds and nanoseconds: when the content changed, and when anything did.
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file system and a file in it; a number may be used again when a file is gone.
pub(crate) type Place = (u64, u64);

impl Stamp {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            place: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let modified = (seconds, i64::from(since.subsec_nanos()));
        Self { place: (0, 0), size: metadata.len(), modified, changed: modified }
    }

    /// Whether the file system seems to keep whole seconds only, so that two states of a file may
    /// look alike.
    pub(crate) fn is_coarse(&self) -> bool {
        self.modified.1 == 0
    }
}

/// What lies at a path, symbolic links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or a link to nothing.
    Nothing,
    /// A regular file.
    File(Stamp),
    /// A folder, a pipe, a device or a socket.
    Other,
    /// The operating system does not let us look, and says why.
    Refused(String),
}

/// Looks without opening anything.
pub(crate) fn look(path: &Path) -> Found {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Found::File(Stamp::of(&metadata)),
        Ok(_) => Found::Other,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Found::Nothing
        }
        Err(error) => Found::Refused(error.to_string()),
    }
}

/// Why a file that was there a moment ago was not read.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// It is another file by now, or was written to: look again.
    Moved,
    /// The operating system refused, and says why.
    Refused(String),
}

/// All bytes of the file that looked like `stamp`, whose size the caller has checked.
pub(crate) fn read(path: &Path, stamp: &Stamp) -> Result<Vec<u8>, NotRead> {
    let mut file = open(path).map_err(refused)?;
    same(&file, stamp)?;
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or_default());
    let limit = stamp.size.saturating_add(1);
    let mut rest = Read::by_ref(&mut file).take(limit);
    let read = rest.read_to_end(&mut bytes).map_err(refused)?;
    same(&file, stamp)?;
    let unmoved = look(path) == Found::File(stamp.clone());
    if unmoved && u64::try_from(read) == Ok(stamp.size) { Ok(bytes) } else { Err(NotRead::Moved) }
}

fn same(file: &File, stamp: &Stamp) -> Result<(), NotRead> {
    let metadata = file.metadata().map_err(refused)?;
    if metadata.is_file() && Stamp::of(&metadata) == *stamp { Ok(()) } else { Err(NotRead::Moved) }
}

/// A pipe that has taken the file's place is opened without waiting for its writer.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[expect(clippy::needless_pass_by_value, reason = "so that it can be given to `map_err`")]
fn refused(error: std::io::Error) -> NotRead {
    if error.kind() == ErrorKind::NotFound {
        return NotRead::Moved;
    }
    NotRead::Refused(error.to_string())
}
