//! The shape of the source, as ARCHITECTURE.md tells it: which crate may use
//! which, which crate alone names a foreign one, and how a file begins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use avenire_tests::repository;

/// Each crate of the host and the crates of this project that it may name.
const ARROWS: [(&str, &[&str]); 8] = [
    ("host/postgres", &[]),
    ("host/contract", &[]),
    ("host/schema", &["avenire_postgres"]),
    ("host/engine", &["avenire_postgres", "avenire_schema"]),
    ("host/delivery", &["avenire_postgres"]),
    ("host/server", &[]),
    (
        "host/app",
        &[
            "avenire_postgres",
            "avenire_schema",
            "avenire_contract",
            "avenire_engine",
            "avenire_delivery",
            "avenire_server",
        ],
    ),
    ("host/cli", &["avenire_app"]),
];

/// Foreign crates, and the one crate of the host that may name each.
const ONLY_PLACE: [(&str, &str); 7] = [
    ("tokio_postgres", "host/postgres"),
    ("native_tls", "host/postgres"),
    ("wasmtime", "host/engine"),
    ("axum", "host/server"),
    ("hyper", "host/server"),
    ("jsonwebtoken", "host/server"),
    ("clap", "host/cli"),
];

/// A file longer than this has more than one job.
const MAX_LINES: usize = 400;

#[test]
fn arrows_point_down() {
    for (folder, allowed) in ARROWS {
        for (path, text) in sources(folder) {
            for word in words(&code(&text)) {
                let is_ours =
                    word.starts_with("avenire_") && ARROWS.iter().any(|(f, _)| crate_of(f) == word);
                assert!(
                    !is_ours || allowed.contains(&word) || word == crate_of(folder),
                    "{} names {word}, which {folder} may not use",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn each_foreign_engine_is_named_in_one_place() {
    for (folder, _) in ARROWS {
        for (path, text) in sources(folder) {
            let code = code(&text);
            for (name, place) in ONLY_PLACE {
                assert!(
                    folder == place || !words(&code).any(|word| word == name),
                    "{} names {name}, which only {place} may",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_file_opens_with_what_it_owns_and_has_one_job() {
    let mut long = BTreeMap::new();
    for folder in ["host", "guest-queries", "tests"] {
        for (path, text) in sources(folder) {
            assert!(
                text.starts_with("//! "),
                "{} does not begin with a //! line that says what it is",
                path.display()
            );
            let lines = text.lines().count();
            if lines > MAX_LINES {
                long.insert(path, lines);
            }
        }
    }
    assert!(long.is_empty(), "files of more than {MAX_LINES} lines: {long:?}");
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    for folder in ["host", "guest-queries", "tests"] {
        for (path, text) in sources(folder) {
            let text = code(&text);
            let marker = concat!("[", "allow(");
            assert!(
                !text.contains(marker),
                "{} uses allow; use expect with a reason",
                path.display()
            );
        }
    }
}

fn crate_of(folder: &str) -> String {
    folder.replace("host/", "avenire_")
}

/// All Rust files below a folder's `src`, or below the folder.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    collect(&repository().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} has no sources");
    files
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension() == Some("rs".as_ref()) {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
}

/// A source without its comments' lines.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}
