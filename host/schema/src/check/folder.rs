//! A folder of migrations for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::catalog::{Catalog, Column, QName, Table};
use crate::snapshot::{self, Snapshot};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder of migrations that is removed in the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

impl Folder {
    pub(super) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("avenire-branches-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join(snapshot::FOLDER)).unwrap();
        Self(folder)
    }

    /// A migration with a snapshot of the given columns; gives the snapshot's digest.
    pub(super) fn add(&self, name: &str, parent: Option<&str>, columns: &[&str]) -> String {
        let sql = format!("select '{name}';\n");
        fs::write(self.0.join(format!("{name}.sql")), &sql).unwrap();
        let columns = columns
            .iter()
            .map(|name| Column { name: (*name).into(), ..Column::default() })
            .collect();
        let chat = Table { columns, ..Table::default() };
        let tables = [(QName::new("public", "chat"), chat)].into();
        let snapshot = Snapshot {
            format: snapshot::FORMAT,
            parent: parent.map(str::to_owned),
            files: [(format!("{name}.sql"), snapshot::sha256(&sql))].into(),
            postgres: 150_018,
            objects: BTreeMap::new(),
            catalog: Catalog { tables, ..Catalog::default() },
        };
        snapshot.write(&self.0.join(snapshot::FOLDER).join(format!("{name}.json"))).unwrap()
    }
}
