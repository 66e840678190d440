//! The ground that the schema toolkit's tests stand on: a real Postgres, started here, and
//! private databases in it. Free of the engine, so that it builds in seconds.

mod counted;
mod logto;
mod npm;
mod postgres_18;
mod published;
mod server;

pub use counted::Counted;
pub use published::{Published, Script, published};
pub use server::{Database, Server};

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Compares `text` with the file of this name under `golden/`. With `UPDATE_GOLDEN=1` in the
/// environment the file is written instead: look at what changed before you commit it.
///
/// # Panics
/// When they differ.
pub fn golden(name: &str, text: &str) {
    let path = repository().join("tests/schema/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let written = std::fs::create_dir_all(repository().join("tests/schema/golden"))
            .and_then(|()| std::fs::write(&path, text));
        assert!(written.is_ok(), "{}: {written:?}", path.display());
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(text.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(text.lines().count()));
    assert!(
        expected == text,
        "{} differs from line {}: `{}` was expected, `{}` found",
        path.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or_default(),
        text.lines().nth(line).unwrap_or_default()
    );
}
