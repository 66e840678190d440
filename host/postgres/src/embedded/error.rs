//! What can go wrong with an embedded cluster, and what the user does about it.
//! Never: contains a statement, a value or a password.

use std::io;
use std::path::PathBuf;

/// Why there is no embedded cluster. All of them are the machine's or the user's to mend; see
/// [`EmbeddedError::hint`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No usable Postgres on this machine.
    #[error("no usable PostgreSQL server found ({})", describe(.tried))]
    NoBinaries {
        /// What was found but could not be used, and why; empty when nothing was found.
        tried: Vec<String>,
        /// The command that installs it on this system.
        install: String,
    },
    /// The folder that was named has no usable Postgres.
    #[error("no usable PostgreSQL server in {}: {reason}", folder.display())]
    BadBinaries {
        /// The folder that was named.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The data folder belongs to a major version for which there are no binaries.
    #[error(
        "the cluster in {} was made by PostgreSQL {needed}, which is not on this machine ({})",
        home.display(), describe(.found)
    )]
    OtherMajor {
        /// Where the cluster is.
        home: PathBuf,
        /// The major version of the data.
        needed: u32,
        /// The versions that were found.
        found: Vec<String>,
        /// The command that installs PostgreSQL on this system.
        install: String,
    },
    /// A file or folder could not be made, read or given away.
    #[error("could not {action} {}", path.display())]
    Folder {
        /// What was tried, such as `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// We are root, and there is no other account to run the server as.
    #[error("PostgreSQL refuses to run as root, and there is no other account to run it as")]
    NoAccount,
    /// A program could not be started.
    #[error("could not run {}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// `initdb` failed; the state folder is as it was.
    #[error("initdb failed: {output}")]
    Initdb {
        /// The end of what it printed.
        output: String,
    },
    /// The guard process ended, or said something unexpected, before the server was up.
    #[error("the guard process of the cluster failed: {reason}")]
    Guard {
        /// What is known.
        reason: String,
    },
    /// The server ended while it started.
    #[error("the PostgreSQL server did not start: {output}")]
    Server {
        /// The end of its log.
        output: String,
        /// The whole log.
        log: PathBuf,
    },
    /// The server runs but does not let us in.
    #[error("the embedded server refused the connection")]
    Connect {
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The patience ended.
    #[error("gave up after {seconds} s of waiting for {waited_for}")]
    Deadline {
        /// What was waited for.
        waited_for: &'static str,
        /// How long.
        seconds: u64,
    },
}

impl EmbeddedError {
    /// What the user can do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBinaries { install, .. } => format!(
                "install it with `{install}`, or name the folder that has `postgres` and `initdb` \
                 in AVENIRE_PG_BIN, or give a database in DATABASE_URL"
            ),
            Self::BadBinaries { .. } => "name the folder that has `postgres` and `initdb`, such \
                 as the one that `pg_config --bindir` prints; the account that the server runs \
                 as must be able to read it"
                .into(),
            Self::OtherMajor { home, needed, install, .. } => format!(
                "install PostgreSQL {needed} (as in `{install}`) or name its folder in \
                 AVENIRE_PG_BIN; to start afresh and lose the data, delete {}",
                home.join(needed.to_string()).display()
            ),
            Self::Folder { source, .. } | Self::Program { source, .. } => return io_hint(source),
            Self::NoAccount => "create one (`useradd --system postgres`) or run as another \
                 user than root"
                .into(),
            Self::Initdb { output } => return output_hint(output),
            Self::Server { output, log } => output_hint(output)
                .unwrap_or_else(|| format!("the whole log is in {}", log.display())),
            Self::Guard { .. } => "try again; if it fails again, report it with this text".into(),
            Self::Connect { .. } => "check that the cluster belongs to the user you are".into(),
            Self::Deadline { .. } => {
                "try again; a server that recovers from a crash may take longer".into()
            }
        })
    }
}

fn describe(found: &[String]) -> String {
    if found.is_empty() { "there is none".into() } else { format!("found: {}", found.join("; ")) }
}

fn io_hint(error: &io::Error) -> Option<String> {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "run as the user who owns the folder, or choose another state folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free about 100 MB on that disk"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "something that is no folder is in the way: move it, or choose another state folder"
        }
        io::ErrorKind::ReadOnlyFilesystem => "choose a state folder on a writable disk",
        _ => return None,
    };
    Some(hint.into())
}

/// The server's and initdb's messages are English, since they are started with `LC_ALL=C`.
fn output_hint(output: &str) -> Option<String> {
    let full = ["No space left on device", "Check free disk space"];
    let hint = if full.iter().any(|words| output.contains(words)) {
        "free about 100 MB on that disk"
    } else if output.contains("Permission denied") {
        "check that the account the server runs as may read and write there"
    } else if output.contains("could not create shared memory segment") {
        "raise the limits kernel.shmmni and kernel.shmall, or end unused servers"
    } else {
        return None;
    };
    Some(hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_as_such_wherever_it_is_noticed() {
        let by_us = EmbeddedError::Folder {
            action: "create",
            path: "x".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        let by_initdb = EmbeddedError::Initdb {
            output: "initdb: error: could not write file: No space left on device".into(),
        };
        assert_eq!(by_us.hint(), by_initdb.hint());
        assert!(by_us.hint().is_some_and(|hint| hint.contains("free")));
    }

    #[test]
    fn another_major_says_what_to_install_and_what_to_delete() {
        let error = EmbeddedError::OtherMajor {
            home: "/p/.avenire/pg".into(),
            needed: 14,
            found: vec!["15.18 in /b".into()],
            install: "apt-get install -y postgresql".into(),
        };
        assert_eq!(
            error.to_string(),
            "the cluster in /p/.avenire/pg was made by PostgreSQL 14, which is not on this \
             machine (found: 15.18 in /b)"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("install PostgreSQL 14") && hint.contains("/p/.avenire/pg/14"));
    }
}
