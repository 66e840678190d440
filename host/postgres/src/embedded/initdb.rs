//! Makes a new cluster, all of it or nothing.
//! Never: touches a cluster that exists.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::account::Account;
use super::home::{Folders, failed};
use super::launch;
use super::lock::Deadline;
use super::{Binaries, EmbeddedError, USER};

/// Written into `postgresql.conf`, where the user can change it. Small: one developer's data, and a
/// server that should not be noticed. What must not be changed is on the server's command line.
/// Statements stay out of the log, since they may hold secrets.
const SETTINGS: &str = "
max_connections = 100
shared_buffers = 16MB
huge_pages = off
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
max_worker_processes = 4
max_logical_replication_workers = 0
jit = off
log_checkpoints = off
log_line_prefix = '%m [%p] '
log_min_error_statement = panic
";

/// What the names of unfinished data folders begin with.
const UNFINISHED: &str = "data.new-";

/// Makes the data folder. A kill in the middle leaves a folder under another name, which the next
/// one removes. Only to be called by the holder of the start lock.
///
/// The files are not synced here, which would take seconds: [`Folders::unsynced`] asks the guard to
/// do it behind the running server.
pub(super) async fn create(
    folders: &Folders,
    binaries: &Binaries,
    account: Option<&Account>,
    deadline: Deadline,
) -> Result<(), EmbeddedError> {
    remove_unfinished(&folders.base)?;
    let new = folders.base.join(format!("{UNFINISHED}{}", std::process::id()));
    let mut refusals = String::new();
    for locale in locales(binaries.major) {
        fs::create_dir(&new).map_err(failed("create", &new))?;
        if let Some(account) = account {
            account.give(&new)?;
        }
        let output = run(&new, binaries, account, locale, deadline).await?;
        if output.status.success() {
            return finish(&new, folders);
        }
        fs::remove_dir_all(&new).map_err(failed("remove", &new))?;
        refusals = end_of(&output);
        // Only a locale that this machine does not have is worth another try.
        if !refusals.contains("locale") {
            break;
        }
    }
    Err(EmbeddedError::Initdb { output: refusals })
}

/// Text is UTF-8 and sorts by code point, alike on every machine; where the system has no such
/// locale Postgres 17 and later bring their own, and plain `C` knows only ASCII's capitals.
fn locales(major: u32) -> Vec<&'static [&'static str]> {
    let mut locales: Vec<&[&str]> = vec![&["--locale=C.UTF-8"]];
    if major >= 17 {
        locales.push(&["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    }
    locales.push(&["--locale=C"]);
    locales
}

async fn run(
    new: &Path,
    binaries: &Binaries,
    account: Option<&Account>,
    locale: &[&str],
    deadline: Deadline,
) -> Result<Output, EmbeddedError> {
    let program = binaries.folder.join("initdb");
    let mut command = Command::new(&program);
    command.arg("-D").arg(new).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]);
    command.args(["--no-instructions"]).args(locale).current_dir("/");
    launch::clean_environment(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(account) = account {
        account.apply(&mut command);
    }
    let child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| EmbeddedError::Program { program: program.clone(), source })?;
    match tokio::time::timeout(deadline.remaining(), child.wait_with_output()).await {
        Ok(output) => output.map_err(|source| EmbeddedError::Program { program, source }),
        Err(_) => Err(deadline.passed("initdb")),
    }
}

fn finish(new: &Path, folders: &Folders) -> Result<(), EmbeddedError> {
    let file = new.join("postgresql.conf");
    let written = fs::read_to_string(&file).and_then(|mut text| {
        text.push_str("\n# avenire-db\n");
        text.push_str(SETTINGS);
        fs::write(&file, text)
    });
    written.map_err(failed("write", &file))?;
    fs::write(&folders.unsynced, "").map_err(failed("write", &folders.unsynced))?;
    fs::rename(new, &folders.data).map_err(failed("name", &folders.data))
}

fn remove_unfinished(base: &Path) -> Result<(), EmbeddedError> {
    for entry in fs::read_dir(base).map_err(failed("read", base))?.flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED)) {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}

/// The last lines of what a program printed, in one line.
fn end_of(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut end = String::new();
    let says_something = |line: &&str| !line.trim().is_empty() && !line.contains("removing");
    let lines: Vec<&str> = text.lines().filter(says_something).collect();
    for line in lines.iter().skip(lines.len().saturating_sub(5)) {
        let separator = if end.is_empty() { "" } else { "; " };
        // Writing to a string does not fail.
        let _ = write!(end, "{separator}{}", line.trim());
    }
    if end.is_empty() { format!("it said nothing ({})", output.status) } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_initdb_left_is_removed_and_nothing_else() {
        let base = std::env::temp_dir().join(format!("avenire-initdb-{}", std::process::id()));
        for folder in ["data", "data.new-17/base", "run"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        remove_unfinished(&base).unwrap();
        assert!(base.join("data").exists() && base.join("run").exists());
        assert!(!base.join("data.new-17").exists());
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn only_postgres_with_its_own_locales_is_asked_for_them() {
        assert_eq!(locales(16).len(), 2);
        assert_eq!(locales(17).len(), 3);
        assert_eq!(locales(16).last(), locales(17).last());
    }
}
