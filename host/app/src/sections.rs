//! What a component carries beside its code, in custom sections: descriptions of the tables it
//! uses, and migrations of its own.
//!
//! Sections come from the component's author and are not trusted: sizes are checked, and what
//! does not parse is refused.

use std::path::Path;

use avenire_schema::Migrations;
use serde::{Deserialize, Serialize};
use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::{Parser, Payload};

use crate::error::AppError;

/// Where a component's migrations are: a JSON array of [`Entry`].
const MIGRATIONS: &str = "avenire:migrations";

/// The largest section that is read, in bytes.
const MAXIMUM: usize = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sql: String,
}

/// A component with the migrations of a folder inside, for hosts without that folder. Migrations
/// that it carried before are replaced; down files go along.
pub fn with_migrations(component: &[u8], folder: &Path) -> Result<Vec<u8>, AppError> {
    // What could not be applied is refused now and not where it arrives.
    Migrations::load(folder).map_err(AppError::MigrationFiles)?;
    let unreadable = |source| AppError::Read { file: folder.to_owned(), source };
    let mut entries = Vec::new();
    for file in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let is_sql = path.extension() == Some("sql".as_ref()) && !name.starts_with('.');
        if is_sql && path.is_file() {
            let read = std::fs::read_to_string(&path);
            let sql = read.map_err(|source| AppError::Read { file: path.clone(), source })?;
            entries.push(Entry { name: name.to_owned(), sql });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let data = serde_json::to_vec(&entries).unwrap_or_default();
    let section = CustomSection { name: MIGRATIONS.into(), data: data.into() };
    let mut bytes = without(component, MIGRATIONS)?;
    bytes.push(section.id());
    section.encode(&mut bytes);
    Ok(bytes)
}

/// The migrations that a component carries, recorded under `name`.
pub(crate) fn migrations(component: &[u8], name: &str) -> Result<Option<Migrations>, AppError> {
    let Some(data) = sections(component, MIGRATIONS)?.into_iter().next() else { return Ok(None) };
    let entries: Vec<Entry> = serde_json::from_slice(data).map_err(|_| broken(MIGRATIONS))?;
    let files = entries.into_iter().map(|entry| (entry.name, entry.sql)).collect();
    Migrations::from_texts(name, files).map(Some).map_err(AppError::MigrationFiles)
}

/// The contents of all sections of that name, also of the modules within.
pub(crate) fn sections<'a>(component: &'a [u8], name: &str) -> Result<Vec<&'a [u8]>, AppError> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::CustomSection(section) = payload.map_err(|_| broken(name))?
            && section.name() == name
        {
            if section.data().len() > MAXIMUM {
                return Err(broken(name));
            }
            found.push(section.data());
        }
    }
    Ok(found)
}

/// The component without its own sections of that name.
fn without(component: &[u8], name: &str) -> Result<Vec<u8>, AppError> {
    let mut bytes = component.to_vec();
    let mut cut = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|_| broken(name))? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 1 && section.name() == name => {
                // The range is that of name and contents; id and size stand before it.
                let length = section.range().len();
                let header = 1 + leb128_length(length);
                cut.push(section.range().start.saturating_sub(header)..section.range().end);
            }
            _ => {}
        }
    }
    for range in cut.into_iter().rev() {
        bytes.drain(range);
    }
    Ok(bytes)
}

/// How many bytes the size takes, written as short as possible, which is how we write it.
fn leb128_length(size: usize) -> usize {
    let bits = usize::BITS - size.leading_zeros();
    usize::try_from(bits.div_ceil(7).max(1)).unwrap_or(5)
}

fn broken(section: &str) -> AppError {
    AppError::Section { section: section.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component: magic number, version, layer.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn migrations_travel_in_a_component_and_are_replaced_not_added() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("0001_a.sql"), "select 1;").unwrap();
        let once = with_migrations(EMPTY, folder.path()).unwrap();
        std::fs::write(folder.path().join("0002_b.sql"), "select 2;").unwrap();
        let twice = with_migrations(&once, folder.path()).unwrap();
        assert_eq!(sections(&twice, MIGRATIONS).unwrap().len(), 1);
        let read = migrations(&twice, "chat").unwrap().unwrap();
        let files: Vec<&str> = read.available().iter().map(|one| one.file.as_str()).collect();
        assert_eq!(files, ["0001_a.sql", "0002_b.sql"]);
        assert!(migrations(EMPTY, "chat").unwrap().is_none());
    }

    #[test]
    fn a_section_that_is_no_list_of_files_is_refused() {
        let section = CustomSection { name: MIGRATIONS.into(), data: b"{}"[..].into() };
        let mut bytes = EMPTY.to_vec();
        bytes.push(section.id());
        section.encode(&mut bytes);
        assert!(migrations(&bytes, "chat").is_err());
        assert!(migrations(b"no component", "chat").is_err());
    }
}
