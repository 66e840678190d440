//! The account the server runs as when we are root, which Postgres refuses to be.
//! Never: changes our own identity, only that of the programs we start.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::EmbeddedError;

/// In order of preference; `_postgres` is macOS.
const NAMES: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// An account without privileges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// Lets `command` run as this account. The standard library clears the supplementary groups
    /// when root starts a program as somebody else.
    pub(super) fn apply(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or folder (not what is in it) to this account.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid)).map_err(|source| {
            EmbeddedError::Folder { action: "give away", path: path.to_path_buf(), source }
        })
    }

    /// Whether this account gets into `folder`. The kernel is asked, since mode bits are not all
    /// that counts.
    pub(super) fn can_enter(&self, folder: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exit 0"]).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
}

/// Whether we have to run the server as somebody else.
pub(super) fn is_needed() -> bool {
    rustix::process::geteuid().is_root()
}

/// The account for a new cluster; `None` when we are not root and simply run it ourselves.
pub(super) fn for_new_cluster() -> Result<Option<Account>, EmbeddedError> {
    if !is_needed() {
        return Ok(None);
    }
    choose(&passwd()).map(Some).ok_or(EmbeddedError::NoAccount)
}

/// The account for a cluster that exists: the owner of its data, which Postgres insists on. An error
/// when that is neither us nor in our power.
pub(super) fn for_data(data: &Path) -> Result<Option<Account>, EmbeddedError> {
    let failed = |action, source| EmbeddedError::Folder { action, path: data.to_owned(), source };
    let owner = fs::metadata(data).map_err(|source| failed("read", source))?;
    if !is_needed() {
        if owner.uid() == rustix::process::geteuid().as_raw() {
            return Ok(None);
        }
        return Err(failed("use", io::ErrorKind::PermissionDenied.into()));
    }
    if owner.uid() == 0 {
        return for_new_cluster();
    }
    let known = passwd().into_iter().find(|account| account.uid == owner.uid());
    // Postgres looks its own account up and refuses to run without an entry.
    known.map(Some).ok_or(EmbeddedError::NoAccount)
}

fn choose(accounts: &[Account]) -> Option<Account> {
    let named =
        |name: &str| accounts.iter().find(|account| account.name == name && account.uid != 0);
    NAMES.iter().find_map(|name| named(name)).cloned()
}

fn passwd() -> Vec<Account> {
    parse(&fs::read_to_string("/etc/passwd").unwrap_or_default())
}

/// `name:password:uid:gid:…` (passwd(5)).
fn parse(text: &str) -> Vec<Account> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let uid = id(fields.nth(1)?)?;
            let gid = id(fields.next()?)?;
            Some(Account { name, uid, gid })
        })
        .collect()
}

/// macOS writes nobody's ids as -2.
fn id(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_preferred_and_nobody_will_do() {
        let both = parse(
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:\npostgres:x:101:104::/:\n",
        );
        assert_eq!(choose(&both).map(|account| (account.uid, account.gid)), Some((101, 104)));
        let mac = parse("## comment\nnobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n");
        assert_eq!(choose(&mac).map(|account| account.uid), Some(u32::MAX - 1));
        assert_eq!(choose(&parse("root:x:0:0:root:/root:/bin/sh\n")), None);
    }

    #[test]
    fn an_account_that_is_root_by_another_name_is_not_chosen() {
        assert_eq!(choose(&parse("postgres:x:0:0::/:/bin/sh\n")), None);
    }
}
