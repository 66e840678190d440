//! The server's process: is it ours, is it there, start it, stop it.
//! Never: removes `postmaster.pid`, by which Postgres itself tells that a server is still there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tokio::process::{Child, ChildStderr};

use super::launch::Launch;

/// How the server is asked to end, and how long it gets: fast shutdown, immediate shutdown
/// (PostgreSQL documentation, 19.5 "Shutting Down the Server"), and what nobody can refuse.
const STOPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// How often a server that is not our child is looked at, and one that shall end is told so.
const INTERVAL: Duration = Duration::from_millis(200);

/// What `postmaster.pid` says (PostgreSQL documentation, 73.1 "Database File Layout").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: Pid,
    /// The socket folder, once the server says that it is ready: a connection before that would
    /// only be refused, and noted in the log.
    pub(super) socket: Option<PathBuf>,
}

impl PidFile {
    /// `None` when there is none, or not yet a whole one.
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
        let socket = lines.nth(3).filter(|line| !line.is_empty()).map(PathBuf::from);
        let ready = lines.nth(2).is_some_and(|status| status.trim_end() == "ready");
        let socket = socket.filter(|_| ready);
        Some(Self { pid, socket })
    }
}

/// Whose process a process id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Server,
    /// Nobody's, a zombie, or a process that got the same number later.
    Other,
}

/// Whether the process serves `data`: a server's working directory is its data folder.
#[cfg(target_os = "linux")]
fn owner_of(pid: Pid, data: &Path) -> Owner {
    let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    // A zombie has no working directory any more.
    let there = fs::read_link(process.join("cwd")).ok();
    let ours = data.canonicalize().ok();
    if there.is_some() && there == ours { Owner::Server } else { Owner::Other }
}

/// Whether the process serves `data`: the server was started with `-D <data>`.
#[cfg(not(target_os = "linux"))]
fn owner_of(pid: Pid, data: &Path) -> Owner {
    let id = pid.as_raw_nonzero().to_string();
    let listed = std::process::Command::new("ps")
        .args(["-ww", "-o", "state=,command=", "-p", &id])
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let wanted = data.display().to_string();
    match listed {
        Ok(line) if !line.starts_with('Z') && line.contains(&wanted) => Owner::Server,
        _ => Owner::Other,
    }
}

/// A running server.
pub(super) struct Postmaster {
    data: PathBuf,
    process: Process,
}

enum Process {
    Child(Child),
    Adopted(Pid),
}

impl Postmaster {
    /// A server of this data folder that runs without a guard.
    pub(super) fn adopt(data: &Path) -> Option<Self> {
        let found = PidFile::read(data)?;
        (owner_of(found.pid, data) == Owner::Server)
            .then(|| Self { data: data.to_owned(), process: Process::Adopted(found.pid) })
    }

    /// Starts the server; its log comes over the pipe. Only after [`Postmaster::adopt`] found none.
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Self, Option<ChildStderr>)> {
        forget_stale_pid(&launch.data.join("postmaster.pid"))?;
        forget_stale_pid(&launch.socket.join(".s.PGSQL.5432.lock"))?;
        let mut child = tokio::process::Command::from(launch.server()).spawn()?;
        let log = child.stderr.take();
        Ok((Self { data: launch.data.clone(), process: Process::Child(child) }, log))
    }

    /// Returns when the process is gone.
    pub(super) async fn gone(&mut self) {
        match &mut self.process {
            // An error means that there is no such child (any more).
            Process::Child(child) => drop(child.wait().await),
            Process::Adopted(pid) => {
                while owner_of(*pid, &self.data) == Owner::Server {
                    tokio::time::sleep(INTERVAL).await;
                }
            }
        }
    }

    /// Stops the server, the politest way that works.
    pub(super) async fn stop(&mut self) {
        for (signal, patience) in STOPS {
            let pid = match &self.process {
                // No id: it has been waited for, and the number may be another's by now.
                Process::Child(child) => {
                    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
                }
                Process::Adopted(pid) => {
                    (owner_of(*pid, &self.data) == Owner::Server).then_some(*pid)
                }
            };
            let Some(pid) = pid else { return };
            let end = Instant::now() + patience;
            while Instant::now() < end {
                // It may have ended just now, which is what we want. Again and again, since a
                // server that has just been started may not listen yet.
                let _ = rustix::process::kill_process(pid, signal);
                if tokio::time::timeout(INTERVAL, self.gone()).await.is_ok() {
                    return;
                }
            }
        }
    }
}

/// Postgres refuses to start when one of its two lock files names a living process, and a zombie or an
/// unrelated process with that number counts as one. It does go on when the number is its parent's,
/// so we put ours there. Removing `postmaster.pid` would also remove the key of the shared memory by which
/// Postgres finds that children of a killed server still work on the data.
fn forget_stale_pid(path: &Path) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match with_pid(&text, std::process::id()) {
        Some(text) => fs::write(path, text),
        // The disk was full when it was written; Postgres refuses such a file for ever.
        None => fs::remove_file(path),
    }
}

/// The text with another process id; `None` when it has none.
fn with_pid(text: &str, pid: u32) -> Option<String> {
    PidFile::parse(text)?;
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    Some(format!("{pid}\n{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "4711\n/p/data\n1700000000\n5432\n/p/run\n\n  1 2\nready   \n";

    #[test]
    fn a_pid_file_is_read_as_far_as_it_is_written() {
        let whole = PidFile::parse(TEXT).unwrap();
        assert_eq!(whole.pid, Pid::from_raw(4711).unwrap());
        assert_eq!(whole.socket, Some("/p/run".into()));
        assert_eq!(PidFile::parse("4711\n/p/data\n").unwrap().socket, None);
        let starting = TEXT.replace("ready   ", "starting");
        assert_eq!(PidFile::parse(&starting).unwrap().socket, None);
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(PidFile::parse("0\n"), None);
        assert_eq!(PidFile::parse("x\n"), None);
    }

    #[test]
    fn a_stale_pid_is_replaced_and_the_shared_memory_key_kept() {
        let text = with_pid(TEXT, 12).unwrap();
        assert_eq!(text, TEXT.replace("4711", "12"));
        assert_eq!(with_pid("", 12), None);
    }

    #[test]
    fn a_process_that_got_the_number_of_a_dead_server_is_not_taken_for_it() {
        let us = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert_eq!(owner_of(us, Path::new("/nowhere/data")), Owner::Other);
    }
}
