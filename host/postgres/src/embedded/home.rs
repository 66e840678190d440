//! The folders and files of an embedded cluster, and where they are.
//! Never: looks into the data.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::account::{self, Account};
use super::{EmbeddedError, Progress};

/// Where clusters live whose state folder the server's account cannot reach.
const SHARED: &str = "/var/lib/avenire-db";

/// The folder that holds everything of one embedded cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    root: PathBuf,
}

/// The folders of one major version inside a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folders {
    /// Holds the others.
    pub(super) base: PathBuf,
    /// What Postgres calls PGDATA.
    pub(super) data: PathBuf,
    /// For the socket, when its path is short enough.
    pub(super) run: PathBuf,
    /// The server's log.
    pub(super) log: PathBuf,
    /// Exists while the files that `initdb` wrote may not have reached the disk.
    pub(super) unsynced: PathBuf,
}

impl Home {
    /// A home at a known place.
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Finds or makes the home of a state folder. It is `<state>/pg`, unless the account that has
    /// to run the server cannot get there; then it is elsewhere, and `<state>/pg/location` says
    /// where, so that the data is found again whatever becomes of the folder's permissions.
    pub(super) fn open(
        state: &Path,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, EmbeddedError> {
        make(state)?;
        let state = state.canonicalize().map_err(failed("resolve", state))?;
        let root = state.join("pg");
        make(&root)?;
        let pointer = root.join("location");
        match fs::read_to_string(&pointer) {
            Ok(elsewhere) => {
                let home = Self::at(Path::new(elsewhere.trim_end_matches('\n')));
                make(&home.root)?;
                return Ok(home);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read", &pointer)(error)),
        }
        let home = Self { root };
        let Some(account) = account::for_new_cluster()? else { return Ok(home) };
        if !home.majors()?.is_empty() || account.can_enter(&home.root) {
            return Ok(home);
        }
        home.move_out(&state, &pointer, &account, progress)
    }

    fn move_out(
        self,
        state: &Path,
        pointer: &Path,
        account: &Account,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, EmbeddedError> {
        let name = format!("{:016x}", fnv1a(state.as_os_str().as_encoded_bytes()));
        let root = Path::new(SHARED).join(name);
        make(&root)?;
        let Some(text) = root.to_str() else { return Ok(self) };
        fs::write(pointer, format!("{text}\n")).map_err(failed("write", pointer))?;
        progress(Progress::Elsewhere { folder: root.clone(), account: account.name.clone() });
        Ok(Self { root })
    }

    /// The folder itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Held shared by each user.
    pub(super) fn users_lock(&self) -> PathBuf {
        self.root.join("users.lock")
    }

    /// Held by who starts the server or looks for it.
    pub(super) fn start_lock(&self) -> PathBuf {
        self.root.join("start.lock")
    }

    /// Held by the guard.
    pub(super) fn guard_lock(&self) -> PathBuf {
        self.root.join("guard.lock")
    }

    /// The folders of one major version.
    pub(super) fn folders(&self, major: u32) -> Folders {
        let base = self.root.join(major.to_string());
        Folders {
            data: base.join("data"),
            run: base.join("run"),
            log: base.join("postgres.log"),
            unsynced: base.join("unsynced"),
            base,
        }
    }

    /// The major versions for which there is data, the highest first.
    pub(super) fn majors(&self) -> Result<Vec<u32>, EmbeddedError> {
        let entries = fs::read_dir(&self.root).map_err(failed("read", &self.root))?;
        let mut majors: Vec<u32> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|major| self.folders(*major).data.is_dir())
            .collect();
        majors.sort_by_key(|major| std::cmp::Reverse(*major));
        Ok(majors)
    }
}

/// Makes a folder and its parents. What root makes lets others pass, since the server's account has
/// to get to its data; the data itself is closed to everybody else.
pub(super) fn make(folder: &Path) -> Result<(), EmbeddedError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let mode = if account::is_needed() { 0o755 } else { 0o700 };
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
        .map_err(failed("set the permissions of", folder))
}

/// Turns an [`io::Error`] into ours.
pub(super) fn failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> EmbeddedError + use<> {
    let path = path.to_owned();
    move |source| EmbeddedError::Folder { action, path, source }
}

/// FNV-1a, 64 bits (RFC 9923): short names for long paths, the same in every release.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn only_folders_with_data_count_as_majors() {
        let root = std::env::temp_dir().join(format!("avenire-home-{}", std::process::id()));
        for folder in ["9/data", "15/data", "16/data.new-1", "x/data"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        assert_eq!(Home::at(&root).majors().unwrap(), [15, 9]);
        fs::remove_dir_all(root).unwrap();
    }
}
