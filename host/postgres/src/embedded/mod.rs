//! A private Postgres cluster from the binaries of the machine, for who has no database at hand.
//! Owns: finding binaries, `initdb`, start, attach, and the end of the server once nobody uses it.
//! Never: downloads anything, listens on the network, stops a server somebody still uses.
//!
//! # How the processes agree
//!
//! Everything lives in `<state>/pg`, the *home*. Three lock files there (`flock(2)`, so that the
//! kernel lets go of them however a process ends) carry the whole protocol:
//!
//! | file | held | by |
//! | --- | --- | --- |
//! | `users.lock` | shared | every process that uses the cluster, as long as its [`Cluster`] lives |
//! | `start.lock` | exclusive | who looks whether the server runs, and starts it, one at a time |
//! | `guard.lock` | exclusive | the guard, as long as it watches the server |
//!
//! The *guard* is a small process of its own (see [`run_guard`]) and the parent of the server. It
//! waits for `users.lock` exclusively; when it gets it nobody uses the cluster any more, and it
//! stops the server before it lets go. A user takes `users.lock` before it looks for a guard,
//! so a guard that is seen alive by then cannot stop the server. A server whose guard was killed
//! is found by the next user, who starts a guard that adopts it.

mod account;
mod binaries;
mod error;
mod guard;
mod home;
mod initdb;
mod install;
mod launch;
mod lock;
mod log;
mod postmaster;
mod ready;
mod report;
mod socket;
mod start;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

pub use binaries::{Binaries, find_binaries};
pub use error::EmbeddedError;
pub use guard::run_guard;
pub use start::start;

/// The superuser of an embedded cluster; it needs no password.
pub const USER: &str = "postgres";

/// The database that an embedded cluster is made with.
pub const DATABASE: &str = "avenire";

/// What [`start`] needs to know.
#[derive(Clone)]
pub struct Options<'a> {
    /// The state folder, such as `<project>/.avenire`; created when absent. The cluster takes the
    /// sub folder `pg`.
    pub state: PathBuf,
    /// How to start the guard process.
    pub guard: Guard,
    /// Told of each long step as it begins; must return quickly.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
    /// What a commit promises. Counts only for who starts the server.
    pub durability: Durability,
    /// The folder with `postgres` and `initdb`; `None` looks for them, see [`find_binaries`].
    pub binaries: Option<PathBuf>,
    /// How long all of the start may take, waiting for others included.
    pub patience: Duration,
}

impl Options<'_> {
    /// A durable cluster under `state`, silent, with a minute's patience.
    pub fn new(state: impl Into<PathBuf>, guard: Guard) -> Self {
        Self {
            state: state.into(),
            guard,
            progress: &|_| {},
            durability: Durability::Durable,
            binaries: None,
            patience: Duration::from_mins(1),
        }
    }
}

/// The command that runs [`run_guard`]; the home's path is appended as its last argument.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The program.
    pub program: PathBuf,
    /// The arguments in front of the home's path.
    pub arguments: Vec<OsString>,
}

impl Guard {
    /// This very program with a (hidden) subcommand that calls [`run_guard`] with the path that
    /// follows it.
    pub fn this_program(subcommand: impl Into<OsString>) -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        let linux = Path::new("/proc/self/exe");
        // A program that was rebuilt while it runs has no path any more, but Linux still has it.
        let program =
            if !program.exists() && linux.exists() { linux.to_path_buf() } else { program };
        Ok(Self { program, arguments: vec![subcommand.into()] })
    }
}

/// What a commit promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Committed data survives a power cut.
    Durable,
    /// Nothing is synced: faster, and a power cut may cost the whole cluster. For tests.
    Ephemeral,
}

/// A long step of [`start`], told as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The state folder is closed to the account that the server runs as (we are root, and root
    /// may not run Postgres), so that the cluster lives in `folder` instead.
    Elsewhere {
        /// The home that is used.
        folder: PathBuf,
        /// The account the server runs as.
        account: String,
    },
    /// Waits for a server that is being stopped, or for another process that starts it.
    Waiting,
    /// `initdb` makes a new cluster.
    Initialising {
        /// The server's version, such as `15.18`.
        version: String,
        /// The data folder to be.
        data: PathBuf,
    },
    /// The server starts.
    Starting {
        /// The server's version, such as `15.18`.
        version: String,
    },
}

/// How [`start`] came by the running server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// A new cluster was made.
    Created,
    /// An existing cluster was started.
    Restarted,
    /// The server was running; we joined its users.
    AlreadyRunning,
}

/// One use of a running cluster. The server runs at least as long as this value lives; drop it (or
/// die) and, when it was the last one, the guard stops the server.
#[derive(Debug)]
pub struct Cluster {
    _users: lock::Held,
    version: String,
    data: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    started: Started,
}

impl Cluster {
    /// The URL of the database [`DATABASE`] as the superuser [`USER`], over the Unix socket.
    pub fn url(&self) -> String {
        url(&self.socket)
    }

    /// The server's version, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The data folder.
    pub fn data_folder(&self) -> &Path {
        &self.data
    }

    /// The folder with the Unix socket; the port is 5432.
    pub fn socket_folder(&self) -> &Path {
        &self.socket
    }

    /// The server's log; at most 4 MiB, with as much of the older log in `<name>.1`.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// How we came by the server.
    pub fn started(&self) -> Started {
        self.started
    }
}

/// A socket folder is a `host` parameter in a URL, since a path has no place before the first `/`
/// (PostgreSQL documentation, 34.1.1.2 "Connection URIs").
fn url(socket: &Path) -> String {
    let host = percent_encode(socket.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    format!("postgresql://{USER}@/{DATABASE}?host={host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_escapes_whatever_a_folder_may_be_called() {
        assert_eq!(
            url(Path::new("/home/a b&c=d/ä%/run")),
            "postgresql://postgres@/avenire?host=%2Fhome%2Fa%20b%26c%3Dd%2F%C3%A4%25%2Frun"
        );
    }
}
