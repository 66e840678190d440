//! The signature's file beside a component: `chat.wasm.minisig` for `chat.wasm`.
//! Never: follows it to a pipe or a device, reads more than 4 KiB.

use std::path::{Path, PathBuf};

use super::TrustError;
use crate::file::{Found, NotRead, Stamp, look, read};

/// The longest signature that is read, in bytes; minisign's own are below 1 KiB unless the comment
/// is long.
pub(crate) const LONGEST: u64 = 4 << 10;

/// How often a file that is being written is looked at before it counts as unreadable.
const ATTEMPTS: u32 = 5;

/// Where the signature of the component at this path belongs, whether it is there or not.
pub fn signature_file(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(".minisig");
    PathBuf::from(path)
}

/// The signature of the component at this path; none when the file is not there. At most 4 KiB of a
/// regular file, symbolic links followed.
pub fn read_signature(component: &Path) -> Result<Option<String>, TrustError> {
    let path = signature_file(component);
    for _ in 0..ATTEMPTS {
        match take(&path, &look(&path)) {
            Ok(signature) => return Ok(signature),
            Err(NotTaken::Moved) => {}
            Err(NotTaken::Refused(error)) => return Err(error),
        }
    }
    Err(unreadable(&path, "it keeps changing"))
}

/// Why a signature was not read.
pub(crate) enum NotTaken {
    /// Its file is not what was found any more: look again.
    Moved,
    /// It cannot be read as it is.
    Refused(TrustError),
}

/// Reads what was found at a signature's path.
pub(crate) fn take(path: &Path, found: &Found) -> Result<Option<String>, NotTaken> {
    let reason = match found {
        Found::Nothing => return Ok(None),
        Found::File(stamp) if stamp.size <= LONGEST => return text(path, stamp).map(Some),
        Found::File(_) => "it is larger than 4 KiB",
        Found::Other => "it is not a regular file",
        Found::Refused(reason) => reason,
    };
    Err(NotTaken::Refused(unreadable(path, reason)))
}

fn text(path: &Path, stamp: &Stamp) -> Result<String, NotTaken> {
    let bytes = read(path, stamp).map_err(|error| match error {
        NotRead::Moved => NotTaken::Moved,
        NotRead::Refused(reason) => NotTaken::Refused(unreadable(path, &reason)),
    })?;
    String::from_utf8(bytes)
        .map_err(|_| NotTaken::Refused(unreadable(path, "it is not UTF-8 text")))
}

fn unreadable(path: &Path, reason: &str) -> TrustError {
    TrustError::Unreadable { path: path.to_owned(), reason: reason.to_owned() }
}
