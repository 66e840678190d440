//! The guard process: parent of the server, and its end once nobody uses it.
//! Never: stops a server that somebody uses (unless it is itself asked to end by SIGTERM), starts it
//! again, or ends before the server does.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::Durability;
use super::home::Home;
use super::launch::Launch;
use super::lock::{self, Held, Mode};
use super::log::{End, RotatingFile, pump};
use super::postmaster::Postmaster;
use super::report::{Report, send};

/// Another guard that is about to end, or a starter that looks for one, is gone by then.
const FOR_LOCK: Duration = Duration::from_secs(2);

/// Children of a killed server hold its shared memory until they notice, the latest at the end of
/// their statement.
const FOR_SHARED_MEMORY: Duration = Duration::from_secs(20);

/// The body of the hidden subcommand that [`super::Guard`] names; `home` is its last argument. It
/// detaches itself from the terminal and returns when the server has ended.
///
/// Call it before anything else, without a runtime around it, and return its result from `main`.
pub fn run_guard(home: &Path) -> ExitCode {
    // Out of the terminal's session: Ctrl-C and a closed terminal are not for us or the server. It
    // fails only where that is so already.
    let _ = rustix::process::setsid();
    let home = Home::at(home);
    // A thread of its own, in case the caller does have a runtime.
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ended = match runtime {
            Ok(runtime) => {
                let ended = runtime.block_on(guard(&home));
                // The thread that waits for the users may wait for ever.
                runtime.shutdown_background();
                ended
            }
            Err(error) => Err(Report::Failed(format!("no runtime: {error}"))),
        };
        if let Err(report) = &ended {
            send(report);
        }
        ended.is_ok()
    });
    if worker.join().unwrap_or(false) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `Ok` when the server ran and ended.
async fn guard(home: &Home) -> Result<(), Report> {
    let launch = Launch::read(|name| std::env::var_os(name))
        .map_err(|name| Report::Failed(format!("it was started by hand: {name} is not set")))?;
    let held = take_guard_lock(home).await?;
    let mut terminated = signal(SignalKind::terminate())
        .map_err(|error| Report::Failed(format!("no signal handler: {error}")))?;
    let mut users = wait_for_the_last_user(home);
    let deadline = Instant::now() + FOR_SHARED_MEMORY;
    loop {
        let mut server = Server::adopt_or_spawn(&launch)?;
        send(if server.pump.is_some() { &Report::Running } else { &Report::Adopted });
        let synced = sync_in_background(&launch);
        tokio::select! {
            () = server.postmaster.gone() => {
                let end = server.end_of_log().await;
                if end.contains("pre-existing shared memory block") && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                return Err(Report::Exited(end));
            }
            users = &mut users => {
                server.postmaster.stop().await;
                synced.abort();
                // In this order: who gets in after the users' lock must not meet this guard.
                drop(held);
                return match users {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(Report::Failed(format!("cannot wait: {error}"))),
                    Err(error) => Err(Report::Failed(error.to_string())),
                };
            }
            _ = terminated.recv() => {
                server.postmaster.stop().await;
                return Ok(());
            }
        }
    }
}

async fn take_guard_lock(home: &Home) -> Result<Held, Report> {
    let deadline = Instant::now() + FOR_LOCK;
    loop {
        match lock::try_take(&home.guard_lock(), Mode::Exclusive) {
            Ok(Some(held)) => return Ok(held),
            Ok(None) if Instant::now() > deadline => return Err(Report::Taken),
            Ok(None) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => return Err(Report::Failed(format!("cannot lock: {error}"))),
        }
    }
}

/// Resolves when nobody uses the cluster any more, and holds users off from then on.
fn wait_for_the_last_user(home: &Home) -> JoinHandle<std::io::Result<Held>> {
    let path = home.users_lock();
    tokio::task::spawn_blocking(move || lock::block_on_exclusive(&path))
}

struct Server {
    postmaster: Postmaster,
    end: End,
    pump: Option<JoinHandle<()>>,
}

impl Server {
    fn adopt_or_spawn(launch: &Launch) -> Result<Self, Report> {
        let end = End::default();
        if let Some(postmaster) = Postmaster::adopt(&launch.data) {
            return Ok(Self { postmaster, end, pump: None });
        }
        let (postmaster, log) = Postmaster::spawn(launch)
            .map_err(|error| Report::Failed(format!("cannot start the server: {error}")))?;
        let file = RotatingFile::open(&launch.log).ok();
        let pump = log.map(|log| tokio::spawn(pump(log, file, end.clone())));
        Ok(Self { postmaster, end, pump })
    }

    /// The server is gone, but the last of its log may still be on its way.
    async fn end_of_log(&mut self) -> String {
        if let Some(pump) = self.pump.take() {
            drop(tokio::time::timeout(Duration::from_secs(1), pump).await);
        }
        self.end.text()
    }
}

/// Brings what `initdb` wrote to the disk, once, unless nothing needs to be there.
fn sync_in_background(launch: &Launch) -> JoinHandle<()> {
    let launch = launch.clone();
    tokio::spawn(async move {
        if launch.durability == Durability::Ephemeral || !launch.unsynced.exists() {
            return;
        }
        let status = tokio::process::Command::from(launch.sync()).status().await;
        if status.is_ok_and(|status| status.success()) {
            drop(std::fs::remove_file(&launch.unsynced));
        }
    })
}
