//! Finds the Postgres server programs of the machine.
//! Never: installs or downloads any.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::account::{self, Account};
use super::{EmbeddedError, install};

/// The oldest major version that is taken.
const OLDEST: u32 = 14;

/// `postgres --version` takes milliseconds; one that takes this long is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// Folders of the form `<parent>/<prefix><major>/<rest>`: Debian, PGDG on Red Hat, SUSE, Alpine,
/// Homebrew (three), Postgres.app, EDB (two).
const PLACES: [(&str, &str, &str); 10] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
    ("/opt/PostgreSQL", "", "bin"),
];

/// Where the server programs are, and which version they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder with `postgres` and `initdb`.
    pub folder: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
    /// The full version, such as `15.18`.
    pub version: String,
}

/// Finds the server programs: in `folder` when it is given, otherwise on `PATH`, by `pg_config`,
/// and in the folders where packages put them, the highest version first.
pub fn find_binaries(folder: Option<&Path>) -> Result<Binaries, EmbeddedError> {
    let account = account::for_new_cluster()?;
    find(folder, account.as_ref(), |_| true).map_err(NotFound::into_error)
}

/// What was found and not taken.
#[derive(Debug)]
pub(super) struct NotFound {
    /// Versions that the caller did not want.
    pub(super) unwanted: Vec<Binaries>,
    given: Option<PathBuf>,
    unusable: Vec<String>,
}

impl NotFound {
    pub(super) fn into_error(self) -> EmbeddedError {
        match self.given {
            Some(folder) => EmbeddedError::BadBinaries { folder, reason: self.unusable.join("; ") },
            None => EmbeddedError::NoBinaries { tried: self.unusable, install: install::command() },
        }
    }
}

/// The first usable binaries that are `wanted`.
pub(super) fn find(
    given: Option<&Path>,
    account: Option<&Account>,
    wanted: impl Fn(&Binaries) -> bool,
) -> Result<Binaries, NotFound> {
    let mut missed =
        NotFound { unwanted: Vec::new(), given: given.map(Path::to_owned), unusable: Vec::new() };
    // Lazily: `pg_config` is only run when PATH had nothing.
    let sources: [fn() -> Vec<PathBuf>; 3] = [on_path, by_pg_config, in_known_places];
    let folders: Box<dyn Iterator<Item = PathBuf>> = match given {
        Some(folder) => Box::new(std::iter::once(folder.to_owned())),
        None => Box::new(sources.into_iter().flat_map(|source| source())),
    };
    let mut seen = HashSet::new();
    for folder in folders {
        if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
            continue;
        }
        match inspect(&folder, account) {
            Ok(binaries) if wanted(&binaries) => return Ok(binaries),
            Ok(binaries) => missed.unwanted.push(binaries),
            Err(reason) => missed.unusable.push(reason),
        }
    }
    Err(missed)
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has client wrappers on PATH but no server: those folders do not count.
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute() && folder.join("postgres").is_file())
        .collect()
}

fn by_pg_config() -> Vec<PathBuf> {
    let mut command = Command::new("pg_config");
    command.arg("--bindir");
    let folder = output(command).map(|text| PathBuf::from(text.trim_end_matches('\n')));
    folder.into_iter().filter(|folder| folder.join("postgres").is_file()).collect()
}

fn in_known_places() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix, rest) in PLACES {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let major = name.to_str().and_then(|name| major_of(name.strip_prefix(prefix)?));
            let folder = entry.path().join(rest);
            if let Some(major) = major.filter(|_| folder.join("postgres").is_file()) {
                found.push((major, folder));
            }
        }
    }
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    let plain = ["/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql/bin"].map(PathBuf::from);
    let plain = plain.into_iter().filter(|folder| folder.join("postgres").is_file());
    found.into_iter().map(|(_, folder)| folder).chain(plain).collect()
}

/// Runs `postgres --version` as the account that will run the server, which also shows that it may.
fn inspect(folder: &Path, account: Option<&Account>) -> Result<Binaries, String> {
    let at = folder.display();
    for program in ["postgres", "initdb"] {
        if !folder.join(program).is_file() {
            return Err(format!("{at} has no program `{program}`"));
        }
    }
    let mut command = Command::new(folder.join("postgres"));
    command.arg("--version").current_dir("/");
    if let Some(account) = account {
        account.apply(&mut command);
    }
    let who = account.map_or("you", |account| account.name.as_str());
    let text =
        output(command).ok_or_else(|| format!("`postgres --version` in {at} failed for {who}"))?;
    let (major, version) =
        parse_version(&text).ok_or_else(|| format!("{at} has a version nobody knows"))?;
    if major < OLDEST {
        return Err(format!("{at} has version {version}, and the oldest supported is {OLDEST}"));
    }
    Ok(Binaries { folder: folder.to_owned(), major, version })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1`, `… 19devel`.
fn parse_version(text: &str) -> Option<(u32, String)> {
    let version = text.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    Some((major_of(version)?, version.to_owned()))
}

/// The digits that a text begins with.
fn major_of(text: &str) -> Option<u32> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..digits)?.parse().ok()
}

/// Standard output of a short command, if it succeeds in time.
fn output(mut command: Command) -> Option<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if Instant::now() > end => {
                drop(child.kill());
                drop(child.wait());
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let mut text = String::new();
    child.stdout.take()?.take(4096).read_to_string(&mut text).ok()?;
    status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_packages_betas_and_development_are_understood() {
        let parse = |text| parse_version(text).unwrap();
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(parse(debian), (15, "15.18".into()));
        assert_eq!(parse("postgres (PostgreSQL) 18beta1\n"), (18, "18beta1".into()));
        assert_eq!(parse("postgres (PostgreSQL) 19devel\n"), (19, "19devel".into()));
        assert_eq!(parse_version("postgres 1"), None);
        assert_eq!(parse_version("x (PostgreSQL) y"), None);
    }

    #[test]
    fn a_given_folder_without_a_server_is_the_error_not_the_search() {
        let error = find(Some(Path::new("/")), None, |_| true).unwrap_err().into_error();
        assert_eq!(
            error.to_string(),
            "no usable PostgreSQL server in /: / has no program `postgres`"
        );
    }
}
