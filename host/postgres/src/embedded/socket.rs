//! The folder for the Unix socket: near the data when its path is short enough.
//! Never: shares a folder that others can get into.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::EmbeddedError;
use super::account::Account;
use super::home::{Folders, failed, fnv1a};

/// What Postgres calls its socket at the default port.
const NAME: &str = ".s.PGSQL.5432";

/// `sun_path` without its closing zero: 108 bytes on Linux (unix(7)), 104 on the BSDs and macOS.
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Makes the socket folder and gives it to the server's account.
pub(super) fn make_folder(
    folders: &Folders,
    account: Option<&Account>,
) -> Result<PathBuf, EmbeddedError> {
    if fits(&folders.run) {
        own(&folders.run, account)?;
        if takes_sockets(&folders.run) {
            return Ok(folders.run.clone());
        }
    }
    let name = format!("avenire-{:016x}", fnv1a(folders.data.as_os_str().as_encoded_bytes()));
    let wanted = std::env::temp_dir().join(&name);
    let folder = if fits(&wanted) { wanted } else { Path::new("/tmp").join(&name) };
    own(&folder, account)?;
    Ok(folder)
}

fn fits(folder: &Path) -> bool {
    folder.join(NAME).as_os_str().len() <= LONGEST
}

/// Some file systems that are shared with a host machine or a network have no sockets.
fn takes_sockets(folder: &Path) -> bool {
    let probe = folder.join(".probe");
    let bound = UnixListener::bind(&probe).is_ok();
    drop(fs::remove_file(&probe));
    bound
}

/// Makes `folder` a closed folder of the account, or finds it to be one. In a temporary folder
/// somebody else may have put something of that name there, which we must not use.
fn own(folder: &Path, account: Option<&Account>) -> Result<(), EmbeddedError> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made.map_err(failed("create", folder))?,
    }
    let found = fs::symlink_metadata(folder).map_err(failed("read", folder))?;
    let us = rustix::process::geteuid().as_raw();
    let server = account.map_or(us, |account| account.uid);
    if !found.is_dir() || (found.uid() != us && found.uid() != server) {
        let taken = std::io::Error::other("something of that name belongs to somebody else");
        return Err(failed("use", folder)(taken));
    }
    if found.mode() & 0o777 != 0o700 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(failed("set the permissions of", folder))?;
    }
    account.map_or(Ok(()), |account| account.give(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(base: PathBuf) -> Folders {
        Folders {
            data: base.join("data"),
            run: base.join("run"),
            log: base.join("log"),
            unsynced: base.join("unsynced"),
            base,
        }
    }

    #[test]
    fn a_socket_path_fits_up_to_the_last_byte() {
        let longest = "x".repeat(LONGEST - NAME.len() - 2);
        assert!(fits(Path::new(&format!("/{longest}"))));
        assert!(!fits(Path::new(&format!("/{longest}x"))));
    }

    #[test]
    fn a_long_project_path_gets_a_short_closed_folder() {
        let base =
            std::env::temp_dir().join(format!("{}-{}", "long".repeat(30), std::process::id()));
        let folder = make_folder(&folders(base), None).unwrap();
        assert!(fits(&folder));
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir(folder).unwrap();
    }

    #[test]
    fn a_link_that_lies_in_wait_is_not_followed() {
        let name = format!("avenire-socket-{}", std::process::id());
        let link = std::env::temp_dir().join(name);
        std::os::unix::fs::symlink(std::env::temp_dir(), &link).unwrap();
        let refused = own(&link, None);
        fs::remove_file(link).unwrap();
        assert!(matches!(refused, Err(EmbeddedError::Folder { action: "use", .. })));
    }
}
