//! Brings the server's log into a file whose size is bounded.
//! Never: reads it again, except its end for an error.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// When the file grows beyond this many bytes it becomes `<name>.1` and a new one begins.
const LARGEST: u64 = 4 * 1024 * 1024;

/// How many bytes of the end are kept for an error.
const END: usize = 2048;

/// A log file that starts anew when it is full.
pub(super) struct RotatingFile {
    path: PathBuf,
    largest: u64,
    file: File,
    size: u64,
}

impl RotatingFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, LARGEST)
    }

    fn with_limit(path: &Path, largest: u64) -> io::Result<Self> {
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), largest, file, size })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(length) > self.largest {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            fs::rename(&self.path, old)?;
            self.file = append(&self.path)?;
            self.size = 0;
        }
        self.file.write_all(bytes)?;
        self.size = self.size.saturating_add(length);
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// The last bytes of what was logged.
#[derive(Clone, Default)]
pub(super) struct End(Arc<Mutex<Vec<u8>>>);

impl End {
    fn push(&self, bytes: &[u8]) {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.extend_from_slice(bytes);
        let excess = end.len().saturating_sub(END);
        end.drain(..excess);
    }

    /// The last lines, whole ones.
    pub(super) fn text(&self) -> String {
        let end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&end);
        match text.split_once('\n') {
            Some((_, rest)) if end.len() >= END => rest.trim_end().to_owned(),
            _ => text.trim_end().to_owned(),
        }
    }
}

/// Copies until the server and all its children are gone. A log that cannot be written (a full
/// disk) is dropped, since a server that waits for its log stands still.
pub(super) async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut file: Option<RotatingFile>,
    end: End,
) {
    let mut buffer = vec![0; 8192];
    while let Ok(length) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { return };
        end.push(bytes);
        if let Some(file) = &mut file {
            drop(file.write(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_never_takes_more_than_twice_its_limit() {
        let folder = std::env::temp_dir().join(format!("avenire-log-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("postgres.log");
        let mut log = RotatingFile::with_limit(&path, 100).unwrap();
        for line in 0..50 {
            log.write(format!("line {line:02}\n").as_bytes()).unwrap();
        }
        let (new, old) =
            (fs::read(&path).unwrap(), fs::read(folder.join("postgres.log.1")).unwrap());
        assert!(new.len() <= 100 && old.len() <= 100);
        assert!(new.ends_with(b"line 49\n") && old.starts_with(b"line "));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_end_is_the_last_whole_lines() {
        let end = End::default();
        end.push(b"short\n");
        assert_eq!(end.text(), "short");
        for line in 0..1000 {
            end.push(format!("line {line}\n").as_bytes());
        }
        let text = end.text();
        assert!(text.starts_with("line ") && text.ends_with("line 999"));
        assert!(text.len() <= END);
    }
}
