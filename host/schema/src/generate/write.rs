//! Puts generated files in place.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Generated;
use super::error::GenerateError;

/// Writes all files under temporary names first, then renames them: what counts for the runner,
/// the up files, last, and of these the first one last, so that a kill in between leaves either
/// nothing that is applied, or numbers that are refused as having a gap filled later.
pub(super) fn all(generated: &Generated) -> Result<(), GenerateError> {
    let wanted: Vec<(&Path, &str)> = generated
        .snapshot
        .iter()
        .chain(generated.files.iter().rev())
        .map(|(path, text)| (path.as_path(), text.as_str()))
        .collect();
    let folder = wanted.last().and_then(|(path, _)| path.parent()).unwrap_or(Path::new("."));
    let failed = |source| GenerateError::Write { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    // Held to the end: another one that generates at the same time waits, and then finds the
    // number taken.
    let held = fs::File::open(folder).map_err(failed)?;
    held.lock().map_err(failed)?;
    taken(folder, &wanted)?;
    for (path, _) in &wanted {
        if path.exists() {
            return Err(GenerateError::Exists { path: path.to_path_buf() });
        }
    }
    let mut written: Vec<(PathBuf, &Path)> = Vec::new();
    for (path, text) in wanted {
        match write(path, text) {
            Ok(temporary) => written.push((temporary, path)),
            Err(source) => {
                clean(&written);
                return Err(GenerateError::Write { path: path.to_owned(), source });
            }
        }
    }
    for (temporary, path) in &written {
        if let Err(source) = fs::rename(temporary, path) {
            clean(&written);
            return Err(GenerateError::Write { path: path.to_path_buf(), source });
        }
    }
    Ok(())
}

/// Refuses numbers that were given meanwhile.
fn taken(folder: &Path, wanted: &[(&Path, &str)]) -> Result<(), GenerateError> {
    let number = |path: &Path| -> Option<u64> {
        path.file_name()?.to_str()?.split('_').next()?.parse().ok()
    };
    let unreadable = |source| GenerateError::Write { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let found = number(&path);
        if found.is_some() && wanted.iter().any(|(other, _)| number(other) == found) {
            return Err(GenerateError::Exists { path });
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> std::io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Hidden, so that the runner does not read it.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.new"));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(temporary)
}

/// What can not be removed is hidden and harmless.
fn clean(written: &[(PathBuf, &Path)]) {
    for (temporary, _) in written {
        let _ = fs::remove_file(temporary);
    }
}
