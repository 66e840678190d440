//! What a starter tells the guard about the server, and the server's command line.
//! Never: decides any of it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Durability;
use super::account::Account;

/// The variables of our own environment that programs need to be found and loaded. Everything else
/// stays out: `PGPORT` and the like would change the server, and secrets are none of its business.
const KEPT: [&str; 5] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "TMPDIR"];

/// What a user cannot change in `postgresql.conf`: the way to the server, and its log, which the
/// guard writes.
const FIXED: [&str; 4] =
    ["listen_addresses=", "port=5432", "logging_collector=off", "log_destination=stderr"];

const POSTGRES: &str = "AVENIRE_GUARD_POSTGRES";
const DATA: &str = "AVENIRE_GUARD_DATA";
const SOCKET: &str = "AVENIRE_GUARD_SOCKET";
const LOG: &str = "AVENIRE_GUARD_LOG";
const UNSYNCED: &str = "AVENIRE_GUARD_UNSYNCED";
const ACCOUNT: &str = "AVENIRE_GUARD_ACCOUNT";
const EPHEMERAL: &str = "AVENIRE_GUARD_EPHEMERAL";

/// One server to start. Travels in environment variables, since paths are bytes and those are too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launch {
    /// The folder with `postgres`.
    pub(super) binaries: PathBuf,
    pub(super) data: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    pub(super) unsynced: PathBuf,
    pub(super) account: Option<Account>,
    pub(super) durability: Durability,
}

impl Launch {
    /// For the guard's environment.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![
            (POSTGRES, self.binaries.clone().into()),
            (DATA, self.data.clone().into()),
            (SOCKET, self.socket.clone().into()),
            (LOG, self.log.clone().into()),
            (UNSYNCED, self.unsynced.clone().into()),
        ];
        if let Some(Account { name, uid, gid }) = &self.account {
            variables.push((ACCOUNT, format!("{uid}:{gid}:{name}").into()));
        }
        if self.durability == Durability::Ephemeral {
            variables.push((EPHEMERAL, "1".into()));
        }
        variables
    }

    /// The other end of [`Launch::variables`]; the error is the variable that is missing or wrong.
    pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, &'static str> {
        let path = |name| variable(name).map(PathBuf::from).ok_or(name);
        let account = match variable(ACCOUNT) {
            None => None,
            Some(text) => Some(parse_account(&text).ok_or(ACCOUNT)?),
        };
        let durability = match variable(EPHEMERAL) {
            None => Durability::Durable,
            Some(_) => Durability::Ephemeral,
        };
        Ok(Self {
            binaries: path(POSTGRES)?,
            data: path(DATA)?,
            socket: path(SOCKET)?,
            log: path(LOG)?,
            unsynced: path(UNSYNCED)?,
            account,
            durability,
        })
    }

    /// The server, its log on standard error.
    pub(super) fn server(&self) -> Command {
        let mut command = self.program("postgres");
        let mut socket = OsString::from("unix_socket_directories=");
        socket.push(quote_list_item(&self.socket));
        command.arg("-c").arg(socket);
        let unsafe_settings: &[&str] = match self.durability {
            Durability::Durable => &[],
            Durability::Ephemeral => {
                &["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
            }
        };
        for setting in FIXED.iter().chain(unsafe_settings) {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// `initdb --sync-only`: brings the files to the disk, beside the running server.
    pub(super) fn sync(&self) -> Command {
        let mut command = self.program("initdb");
        command.arg("--sync-only");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.arg("-D").arg(&self.data).current_dir("/");
        clean_environment(&mut command);
        if let Some(account) = &self.account {
            account.apply(&mut command);
        }
        command
    }
}

/// An environment in which Postgres' programs do the same everywhere: English messages, UTC. (On
/// macOS the server needs `LC_ALL` to start at all.)
pub(super) fn clean_environment(command: &mut Command) {
    keep_needed(command);
    command.env("LC_ALL", "C").env("TZ", "UTC");
}

/// Only what programs need to be found and loaded.
pub(super) fn keep_needed(command: &mut Command) {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// The setting is a list whose items are separated by commas and quoted like identifiers
/// (PostgreSQL documentation, 20.3.1 "Connection Settings").
fn quote_list_item(path: &std::path::Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut quoted = vec![b'"'];
    for byte in path.as_os_str().as_bytes() {
        if *byte == b'"' {
            quoted.push(b'"');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

fn parse_account(text: &OsString) -> Option<Account> {
    let mut fields = text.to_str()?.splitn(3, ':');
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name: fields.next()?.to_owned(), uid, gid })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_launch_survives_the_environment_even_with_paths_that_are_no_text() {
        let odd = PathBuf::from(OsString::from_vec(b"/a\xff\n b".to_vec()));
        for (account, durability) in [
            (None, Durability::Durable),
            (Some(Account { name: "postgres".into(), uid: 101, gid: 104 }), Durability::Ephemeral),
        ] {
            let launch = Launch {
                binaries: "/usr/lib/postgresql/15/bin".into(),
                data: odd.clone(),
                socket: "/s".into(),
                log: "/l".into(),
                unsynced: "/u".into(),
                account,
                durability,
            };
            let variables = launch.variables();
            let lookup = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
            };
            assert_eq!(Launch::read(lookup), Ok(launch));
        }
    }

    #[test]
    fn a_guard_that_was_started_by_hand_says_what_is_missing() {
        assert_eq!(Launch::read(|_| None), Err(POSTGRES));
    }

    #[test]
    fn a_comma_in_a_folder_does_not_make_two_of_it() {
        assert_eq!(quote_list_item(std::path::Path::new("/a,\"b")), "\"/a,\"\"b\"");
    }
}
