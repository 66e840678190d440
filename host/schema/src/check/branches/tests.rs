//! Folders as merges leave them.

use std::fs;

use super::super::folder::Folder;
use super::*;

fn check(folder: &Folder) -> Branches {
    branches(&folder.0).unwrap()
}

fn rules(folder: &Folder) -> Vec<String> {
    check(folder).findings.into_iter().map(|one| one.rule).collect()
}

#[test]
fn one_line_of_history_is_fine() {
    let folder = Folder::new();
    let one = folder.add("0001_a", None, &["id"]);
    let two = folder.add("0002_b", Some(&one), &["id", "b"]);
    folder.add("0004_c", Some(&two), &["id", "b", "c"]);
    assert_eq!(check(&folder), Branches::default());
    fs::remove_dir_all(folder.0.join(snapshot::FOLDER)).unwrap();
    assert_eq!(check(&folder), Branches::default());
}

#[test]
fn branches_that_touch_different_things_go_together_after_a_rename() {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id"]);
    folder.add("0002_b", Some(&base), &["id", "b"]);
    let c = folder.add("0002_c", Some(&base), &["id", "c"]);
    folder.add("0003_d", Some(&c), &["id", "c", "d"]);
    let found = check(&folder);
    let [pair] = found.parallel.as_slice() else { panic!("{found:?}") };
    assert_eq!(pair.base.as_deref(), Some("0001_a.json"));
    assert_eq!(pair.second, ["0002_c.json", "0003_d.json"]);
    assert!(pair.collisions.is_empty());
    let pair_of = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let renames = [pair_of("0002_c.sql", "0004_c.sql"), pair_of("0003_d.sql", "0005_d.sql")];
    assert_eq!(pair.renames, renames);
    let [finding] = found.findings.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.rule, "parallel-branches");
    assert!(finding.help.as_ref().unwrap().contains("`git mv 0002_c.sql 0004_c.sql`"));
}

#[test]
fn branches_that_collide_are_told_with_what_they_collide_on() {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id", "title"]);
    folder.add("0002_b", Some(&base), &["id"]);
    folder.add("0003_c", Some(&base), &["id", "title", "x"]);
    assert_eq!(rules(&folder), ["parallel-branches"]);
    folder.add("0004_d", Some(&base), &["id", "x"]);
    let found = check(&folder);
    let on: Vec<(usize, String)> = found
        .parallel
        .iter()
        .flat_map(|pair| {
            pair.collisions.iter().map(|one| (pair.collisions.len(), one.on.to_string()))
        })
        .collect();
    let title = (1, "column title of table public.chat".to_owned());
    let x = (1, "column x of table public.chat".to_owned());
    assert_eq!(on, [title, x]);
    let words = &found.findings[1].message;
    assert!(words.contains("column title of table public.chat: removed by one"), "{words}");
}

#[test]
fn two_beginnings_are_branches_too() {
    let folder = Folder::new();
    folder.add("0001_a", None, &["id"]);
    folder.add("0002_b", None, &["id"]);
    assert_eq!(rules(&folder), ["colliding-branches"]);
    assert_eq!(check(&folder).parallel[0].base, None);
}

#[test]
fn twins_without_snapshots_are_renumbered() {
    let folder = Folder::new();
    for name in ["0001_a.sql", "0002_b.sql", "0002_c.sql", "0002_c.down.sql", "0003_d.sql"] {
        fs::write(folder.0.join(name), "select 1").unwrap();
    }
    let found = check(&folder);
    let [finding] = found.findings.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.rule, "twin-numbers");
    let help = finding.help.as_ref().unwrap();
    assert!(help.contains("`git mv 0002_c.down.sql 0004_c.down.sql`"), "{help}");
    assert!(help.contains("`git mv 0002_c.sql 0004_c.sql`"), "{help}");
}

#[test]
fn edited_and_missing_files_and_parents_are_told() {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id"]);
    folder.add("0002_b", Some(&base), &["id", "b"]);
    fs::write(folder.0.join("0001_a.sql"), "select 2;\n").unwrap();
    fs::remove_file(folder.0.join("0002_b.sql")).unwrap();
    assert_eq!(rules(&folder), ["edited-after-snapshot", "snapshot-without-file"]);
    let path = folder.0.join("snapshots/0001_a.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("150018", "150019")).unwrap();
    assert!(rules(&folder).contains(&"snapshot-without-parent".to_owned()));
    fs::write(&path, "{").unwrap();
    assert!(rules(&folder).contains(&"snapshot-damaged".to_owned()));
}

#[test]
fn three_branches_get_a_number_each() {
    let folder = Folder::new();
    let base = folder.add("0001_a", None, &["id"]);
    for (name, column) in [("0002_b", "b"), ("0002_c", "c"), ("0002_d", "d")] {
        folder.add(name, Some(&base), &["id", column]);
    }
    let found = check(&folder);
    let new: Vec<&str> =
        found.parallel.iter().flat_map(|pair| &pair.renames).map(|(_, to)| to.as_str()).collect();
    assert_eq!(new, ["0003_c.sql", "0004_d.sql", "0004_d.sql"]);
    assert_eq!(rules(&folder), ["parallel-branches"; 3]);
}
