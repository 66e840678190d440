//! Joins the users of the cluster, and starts the server when it does not run.
//! Never: is the server's parent; that is the guard.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account;
use super::binaries::{self, Binaries, NotFound};
use super::home::{Folders, Home, failed, make};
use super::launch::{Launch, keep_needed};
use super::lock::{self, Deadline, Mode};
use super::postmaster::PidFile;
use super::ready::{self, Ready};
use super::report::{Report, Reports};
use super::{Cluster, EmbeddedError, Options, Progress, Started, initdb, install, socket};

const SERVER: &str = "the server to let us in";

/// Makes the cluster if there is none, starts it if it does not run, and joins its users. The
/// server runs at least until the returned value is dropped. Safe to be called by any number of
/// processes at once.
pub async fn start(options: Options<'_>) -> Result<Cluster, EmbeddedError> {
    let deadline = Deadline::after(options.patience);
    let home = Home::open(&options.state, options.progress)?;
    for major in home.majors()? {
        account::for_data(&home.folders(major).data)?;
    }
    let waiting = || (options.progress)(Progress::Waiting);
    let stopping = "a server that is being stopped";
    let users = lock::take(&home.users_lock(), Mode::Shared, deadline, stopping, waiting).await?;
    let starting = "another process that starts the cluster";
    let turn = lock::take(&home.start_lock(), Mode::Exclusive, deadline, starting, waiting).await?;
    let running = loop {
        let found = if guard_is_alive(&home)? {
            attach(&home, deadline).await?
        } else {
            launch(&home, &options, deadline).await?
        };
        // `None`: the guard ended, or came up, while we looked.
        if let Some(running) = found {
            break running;
        }
        deadline.check(SERVER)?;
    };
    drop(turn);
    let Running { folders, socket, version, started } = running;
    Ok(Cluster { _users: users, version, data: folders.data, socket, log: folders.log, started })
}

struct Running {
    folders: Folders,
    socket: PathBuf,
    version: String,
    started: Started,
}

/// To be asked by the holder of the start lock only: the question takes the lock for a moment.
fn guard_is_alive(home: &Home) -> Result<bool, EmbeddedError> {
    let path = home.guard_lock();
    let free = lock::try_take(&path, Mode::Exclusive).map_err(failed("lock", &path))?;
    Ok(free.is_none())
}

/// Waits for the server of a living guard; `None` when the guard ends.
async fn attach(home: &Home, deadline: Deadline) -> Result<Option<Running>, EmbeddedError> {
    while guard_is_alive(home)? {
        if let Some((folders, socket)) = serving(home)?
            && let Ready::Yes(version) = ready::ask(&socket).await?
        {
            return Ok(Some(Running {
                folders,
                socket,
                version,
                started: Started::AlreadyRunning,
            }));
        }
        deadline.check(SERVER)?;
        tokio::time::sleep(ready::INTERVAL).await;
    }
    Ok(None)
}

/// The folders of the server that says it is there.
fn serving(home: &Home) -> Result<Option<(Folders, PathBuf)>, EmbeddedError> {
    Ok(home.majors()?.into_iter().find_map(|major| {
        let folders = home.folders(major);
        let socket = PidFile::read(&folders.data)?.socket?;
        Some((folders, socket))
    }))
}

/// Starts a guard, and with it the server; `None` when another guard was faster.
async fn launch(
    home: &Home,
    options: &Options<'_>,
    deadline: Deadline,
) -> Result<Option<Running>, EmbeddedError> {
    let binaries = choose(home, options.binaries.as_deref())?;
    let folders = home.folders(binaries.major);
    make(&folders.base)?;
    let started = if folders.data.is_dir() { Started::Restarted } else { Started::Created };
    if started == Started::Created {
        let version = binaries.version.clone();
        (options.progress)(Progress::Initialising { version, data: folders.data.clone() });
        let account = account::for_new_cluster()?;
        initdb::create(&folders, &binaries, account.as_ref(), deadline).await?;
    }
    (options.progress)(Progress::Starting { version: binaries.version.clone() });
    let account = account::for_data(&folders.data)?;
    let socket = socket::make_folder(&folders, account.as_ref())?;
    let launch = Launch {
        binaries: binaries.folder,
        data: folders.data.clone(),
        socket: socket.clone(),
        log: folders.log.clone(),
        unsynced: folders.unsynced.clone(),
        account,
        durability: options.durability,
    };
    let mut reports = spawn_guard(home, options, &launch)?;
    let started = match tokio::time::timeout(deadline.remaining(), reports.next()).await {
        Ok(Report::Running) => started,
        Ok(Report::Adopted) => Started::AlreadyRunning,
        Ok(other) => return ended(other, &folders),
        Err(_) => return Err(deadline.passed("the guard process")),
    };
    let up = watch(reports, &folders, deadline).await?;
    Ok(up.map(|Up { version, socket }| Running { folders, socket, version, started }))
}

/// The binaries for the data there is, or the best for a new cluster.
fn choose(home: &Home, given: Option<&Path>) -> Result<Binaries, EmbeddedError> {
    let majors = home.majors()?;
    let Some(needed) = majors.first().copied() else {
        let account = account::for_new_cluster()?;
        return binaries::find(given, account.as_ref(), |_| true).map_err(NotFound::into_error);
    };
    let account = account::for_data(&home.folders(needed).data)?;
    let fitting = |found: &Binaries| majors.contains(&found.major);
    binaries::find(given, account.as_ref(), fitting).map_err(|not| {
        if not.unwanted.is_empty() {
            return not.into_error();
        }
        let describe =
            |found: &Binaries| format!("{} in {}", found.version, found.folder.display());
        EmbeddedError::OtherMajor {
            home: home.root().to_owned(),
            needed,
            found: not.unwanted.iter().map(describe).collect(),
            install: install::command(),
        }
    })
}

fn spawn_guard(
    home: &Home,
    options: &Options<'_>,
    launch: &Launch,
) -> Result<Reports, EmbeddedError> {
    let program = &options.guard.program;
    let failed = |source| EmbeddedError::Program { program: program.clone(), source };
    let mut command = Command::new(program);
    command.arg0("avenire-db-guard").args(&options.guard.arguments).arg(home.root());
    keep_needed(&mut command);
    command.envs(launch.variables()).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut guard = tokio::process::Command::from(command).spawn().map_err(failed)?;
    let reports = guard.stdout.take().ok_or_else(|| failed(io::Error::other("no pipe")))?;
    Ok(Reports::new(reports))
}

struct Up {
    version: String,
    socket: PathBuf,
}

/// Waits until the server lets us in, or the guard says why it never will. The socket is the one the
/// server says: a server that was adopted has its own.
async fn watch(
    mut reports: Reports,
    folders: &Folders,
    deadline: Deadline,
) -> Result<Option<Up>, EmbeddedError> {
    let knock = async {
        loop {
            if let Some(socket) = PidFile::read(&folders.data).and_then(|file| file.socket)
                && let Ready::Yes(version) = ready::ask(&socket).await?
            {
                return Ok(Some(Up { version, socket }));
            }
            deadline.check(SERVER)?;
            tokio::time::sleep(ready::INTERVAL).await;
        }
    };
    let listen = async {
        loop {
            // A server that is started again after a crash is reported once more.
            match reports.next().await {
                Report::Running | Report::Adopted => {}
                other => return ended(other, folders),
            }
        }
    };
    tokio::select! { result = knock => result, result = listen => result }
}

/// `None` when another guard is at work.
fn ended<T>(report: Report, folders: &Folders) -> Result<Option<T>, EmbeddedError> {
    match report {
        Report::Taken => Ok(None),
        Report::Exited(output) => Err(EmbeddedError::Server { output, log: folders.log.clone() }),
        Report::Failed(reason) => Err(EmbeddedError::Guard { reason }),
        Report::Running | Report::Adopted => {
            Err(EmbeddedError::Guard { reason: "it ended without a word".into() })
        }
    }
}
