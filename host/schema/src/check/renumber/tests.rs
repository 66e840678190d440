//! Branches put in a row, whatever happens on the way.

use std::collections::BTreeSet;

use super::super::branches::{Branches, branches};
use super::super::folder::Folder;
use super::*;
use crate::snapshot::{FOLDER, Snapshot};

/// Two branches that go together: one with a migration, one with two and a down file.
fn two() -> Folder {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id"]);
    folder.add("0002_b", Some(&base), &["id", "b"]);
    let c = folder.add("0002_c", Some(&base), &["id", "c"]);
    folder.add("0003_d", Some(&c), &["id", "c", "d"]);
    fs::write(folder.0.join("0003_d.down.sql"), "select 1;\n").unwrap();
    folder
}

/// Names and texts of all files.
fn all(folder: &Folder) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for place in [folder.0.clone(), folder.0.join(FOLDER)] {
        for entry in fs::read_dir(place).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                all.insert((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    all
}

fn names(folder: &Folder) -> Vec<String> {
    all(folder).into_iter().map(|(name, _)| name).collect()
}

fn columns(folder: &Folder, snapshot: &str) -> Vec<String> {
    let (snapshot, _) = Snapshot::read(&folder.0.join(FOLDER).join(snapshot)).unwrap();
    let table = snapshot.catalog.tables.into_values().next().unwrap();
    table.columns.into_iter().map(|column| column.name).collect()
}

const IN_A_ROW: [&str; 9] = [
    "0001_a.json",
    "0001_a.sql",
    "0002_b.json",
    "0002_b.sql",
    "0004_c.json",
    "0004_c.sql",
    "0005_d.down.sql",
    "0005_d.json",
    "0005_d.sql",
];

#[test]
fn the_second_branch_goes_on_from_the_first() {
    let folder = two();
    let sql = fs::read_to_string(folder.0.join("0003_d.sql")).unwrap();
    let done = renumber(&folder.0, None).unwrap();
    assert_eq!(done.files.len(), 3);
    assert_eq!(done.snapshots().collect::<Vec<_>>(), ["0004_c.json", "0005_d.json"]);
    assert_eq!(names(&folder), IN_A_ROW);
    assert_eq!(fs::read_to_string(folder.0.join("0005_d.sql")).unwrap(), sql);
    assert_eq!(columns(&folder, "0004_c.json"), ["id", "b", "c"]);
    assert_eq!(columns(&folder, "0005_d.json"), ["id", "b", "c", "d"]);
    assert_eq!(branches(&folder.0).unwrap(), Branches::default());
    assert_eq!(renumber(&folder.0, None).unwrap(), Renumbered::default());
}

#[test]
fn the_branch_that_is_named_moves() {
    for name in ["0002_b", "0002_b.sql", "0002_b.json"] {
        let folder = two();
        renumber(&folder.0, Some(name)).unwrap();
        assert_eq!(branches(&folder.0).unwrap(), Branches::default());
        assert!(names(&folder).contains(&"0004_b.sql".to_owned()), "{name}");
        assert_eq!(columns(&folder, "0004_b.json"), ["id", "c", "d", "b"]);
        assert_eq!(columns(&folder, "0003_d.json"), ["id", "c", "d"]);
    }
    let folder = two();
    let refused = renumber(&folder.0, Some("0009_x")).unwrap_err();
    assert!(matches!(refused, RenumberError::NotThere(_)), "{refused}");
}

#[test]
fn three_branches_become_one_row() {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id"]);
    for (name, column) in [("0002_b", "b"), ("0002_c", "c"), ("0002_d", "d")] {
        folder.add(name, Some(&base), &["id", column]);
    }
    renumber(&folder.0, None).unwrap();
    assert_eq!(branches(&folder.0).unwrap(), Branches::default());
    let last = snapshot::newest(&folder.0).unwrap().unwrap().0;
    assert_eq!(last.catalog.tables.into_values().next().unwrap().columns.len(), 4);
}

#[test]
fn later_numbers_stay() {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id"]);
    folder.add("0002_b", Some(&base), &["id", "b"]);
    folder.add("0005_c", Some(&base), &["id", "c"]);
    let before = names(&folder);
    assert_eq!(renumber(&folder.0, None).unwrap().files, []);
    assert_eq!(names(&folder), before);
    assert_eq!(branches(&folder.0).unwrap(), Branches::default());
}

#[test]
fn what_collides_or_is_unclear_is_left_as_it_is() {
    let colliding = Folder::new();
    let base = colliding.add("0001_a", None, &["id", "title"]);
    colliding.add("0002_b", Some(&base), &["id"]);
    colliding.add("0002_c", Some(&base), &[]);
    let between = two();
    fs::write(between.0.join("0003_x.sql"), "select 1").unwrap();
    let edited = two();
    fs::write(edited.0.join("0002_b.sql"), "select 2").unwrap();
    for (folder, words) in [
        (colliding, "0002_b.json and 0002_c.json collide: column title of table public.chat"),
        (between, "0003_x.sql has no snapshot"),
        (edited, "edited after"),
    ] {
        let before = all(&folder);
        let refused = renumber(&folder.0, None).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        assert!(refused.hint().is_some());
        assert_eq!(all(&folder), before);
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = two();
    let round = plan(&folder.0, None).unwrap();
    fs::write(folder.0.join("0005_d.sql"), "mine").unwrap();
    let refused = refuse_existing(&folder.0, &round).unwrap_err();
    assert!(matches!(refused, RenumberError::Exists { .. }), "{refused}");
    assert!(matches!(carry_out(&folder.0, &round), Err(RenumberError::Exists { .. })));
    assert_eq!(fs::read_to_string(folder.0.join("0005_d.sql")).unwrap(), "mine");
}

#[test]
fn an_interrupted_run_is_finished_by_the_next() {
    let whole = two();
    renumber(&whole.0, None).unwrap();
    // Killed after each rename, and after the first snapshot.
    for renamed in 0..=4 {
        let folder = two();
        let round = plan(&folder.0, None).unwrap();
        write(&folder.0.join(JOURNAL), &serde_json::to_string(&round).unwrap()).unwrap();
        for (from, to) in round.files.iter().rev().take(renamed) {
            fs::rename(folder.0.join(from), folder.0.join(to)).unwrap();
        }
        if renamed == 4 {
            let (name, text) = round.snapshots.iter().next().unwrap();
            fs::write(folder.0.join(FOLDER).join(name), text).unwrap();
        }
        let done = renumber(&folder.0, None).unwrap();
        assert_eq!(done.files, round.files);
        assert_eq!(all(&folder), all(&whole), "{renamed}");
    }
}
