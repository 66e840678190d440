//! What `generate` writes, and what it does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use avenire_definitions::{Definitions, parse_file};
use avenire_schema::catalog::{Scope, introspect};
use avenire_schema::diff::compare;
use avenire_schema::generate::{GenerateError, Generated, Numbering, Request, generate};
use avenire_schema::renames::Answers;
use avenire_schema::revision::Terms;
use avenire_schema::snapshot::{self, Snapshot};
use avenire_schema::{Extent, Migrations};
use avenire_schema_tests::{Database, Server};
use tempfile::TempDir;

use crate::with;

const CHAT: &str = "table chat { id: bigint, title: text, primary key chat_pkey (id) }";

fn deadline() -> Instant {
    Instant::now() + Duration::from_mins(2)
}

fn module(text: &str) -> Definitions {
    let text = format!("avenire_macros::schema! {{ {text} }}");
    Definitions { modules: vec![parse_file(&text, Path::new("schema.rs")).unwrap()] }
}

async fn attempt(
    server: &Server,
    folder: &TempDir,
    text: &str,
) -> Result<Generated, GenerateError> {
    let (definitions, scratch) = (module(text), server.endpoint().unwrap());
    let terms = Terms {
        scratch: &scratch,
        scope: &Scope::All,
        answers: &Answers::default(),
        accept: &[],
        ask: &|_| None,
    };
    let (folder, numbering) = (folder.path(), Numbering::Sequence);
    generate(&Request { definitions: &definitions, folder, name: Some("next"), numbering, terms })
        .await
}

async fn made(server: &Server, folder: &TempDir, text: &str) -> Generated {
    let generated = attempt(server, folder, text).await.unwrap();
    generated.write().unwrap();
    generated
}

/// The names of all files of a folder, also hidden ones, and of its snapshots.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            names.extend(self::names(&entry.path()).iter().map(|inner| format!("{name}/{inner}")));
        } else {
            names.insert(name);
        }
    }
    names
}

async fn apply(folder: &TempDir, database: &Database) {
    let migrations = Migrations::load(folder.path()).unwrap();
    migrations.apply(database.endpoint(), deadline(), &|_| {}).await.unwrap();
}

async fn undo(folder: &TempDir, database: &Database, files: usize) {
    let migrations = Migrations::load(folder.path()).unwrap();
    let accept = BTreeSet::from(["deletes-data".to_owned()]);
    let extent = Extent::Steps(files);
    migrations.rollback(extent, &accept, database.endpoint(), deadline(), &|_| {}).await.unwrap();
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_nothing_is_written_beside_it() {
    with(async |server| {
        let folder = tempfile::tempdir().unwrap();
        let generated = attempt(server, &folder, CHAT).await.unwrap();
        fs::create_dir(folder.path().join("snapshots")).unwrap();
        for taken in ["0001_next.down.sql", "0001_next.sql", "snapshots/0001_next.json"] {
            fs::write(folder.path().join(taken), "mine").unwrap();
            let refused = generated.write().unwrap_err();
            assert!(matches!(&refused, GenerateError::Exists { path } if path.ends_with(taken)));
            assert_eq!(names(folder.path()), BTreeSet::from([taken.to_owned()]));
            assert_eq!(fs::read_to_string(folder.path().join(taken)).unwrap(), "mine");
            fs::remove_file(folder.path().join(taken)).unwrap();
        }
        generated.write().unwrap();
        assert_eq!(names(folder.path()).len(), 3);
    });
}

#[test]
fn a_number_that_was_given_meanwhile_is_not_given_again() {
    with(async |server| {
        let folder = tempfile::tempdir().unwrap();
        let generated = attempt(server, &folder, CHAT).await.unwrap();
        // Another one is writing: whoever comes then waits, and looks only afterwards.
        let held = fs::File::open(folder.path()).unwrap();
        held.lock().unwrap();
        let writing = std::thread::spawn(move || generated.write());
        std::thread::sleep(Duration::from_millis(200));
        fs::write(folder.path().join("0001_other.sql"), "select 1;").unwrap();
        drop(held);
        let refused = writing.join().unwrap().unwrap_err();
        assert!(
            matches!(&refused, GenerateError::Exists { path } if path.ends_with("0001_other.sql"))
        );
        assert_eq!(names(folder.path()), BTreeSet::from(["0001_other.sql".to_owned()]));
    });
}

#[test]
fn what_a_killed_run_left_hidden_stands_in_nobodys_way() {
    with(async |server| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".0001_next.sql.new"), "half").unwrap();
        made(server, &folder, CHAT).await;
        let text = fs::read_to_string(folder.path().join("0001_next.sql")).unwrap();
        assert!(text.starts_with("create table chat ("), "{text}");
        assert!(attempt(server, &folder, CHAT).await.unwrap().is_empty());
    });
}

#[test]
fn looking_writes_nothing_and_tells_whether_there_is_something_to_do() {
    with(async |server| {
        let folder = tempfile::tempdir().unwrap();
        assert!(!attempt(server, &folder, CHAT).await.unwrap().is_empty());
        assert!(names(folder.path()).is_empty());
        made(server, &folder, CHAT).await;
        let written = names(folder.path());
        let again = attempt(server, &folder, CHAT).await.unwrap();
        assert!(again.is_empty() && again.snapshot.is_none());
        assert_eq!(names(folder.path()), written);
    });
}

#[test]
fn each_snapshot_names_the_one_before_it_and_the_files_between_them() {
    with(async |server| {
        let folder = tempfile::tempdir().unwrap();
        made(server, &folder, CHAT).await;
        let (first, digest) = snapshot::newest(folder.path()).unwrap().unwrap();
        assert_eq!(first.parent, None);
        let more = "table chat {
            id: bigint, title: text, primary key chat_pkey (id), index chat_title_idx (title)
        } table note { id: bigint }";
        let generated = made(server, &folder, more).await;
        let (second, _) = snapshot::newest(folder.path()).unwrap().unwrap();
        assert_eq!(second.parent.as_deref(), Some(digest.as_str()));
        for (path, text) in &generated.files {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(".down.sql") {
                assert_eq!(second.files.get(&name), Some(&snapshot::sha256(text)), "{name}");
            }
        }
        let last = second.files.keys().next_back().unwrap().replace(".sql", ".json");
        let path = folder.path().join(snapshot::FOLDER).join(last);
        assert_eq!(Snapshot::read(&path).unwrap().0, second);
    });
}

#[test]
fn what_may_not_share_a_transaction_becomes_files_that_are_applied_in_order() {
    with(async |server| {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.database().await.unwrap());
        let before = "enum mood { sad }
            table chat { id: bigint, title: text?, mood: mood, primary key chat_pkey (id) }";
        made(server, &folder, before).await;
        apply(&folder, &database).await;
        database.run("insert into chat values (1, 'a', 'sad')").await.unwrap();
        let after = "enum mood { sad, happy }
            table chat {
                id: bigint, title: text, mood: mood = \"'happy'\",
                primary key chat_pkey (id), unique chat_title_key (title),
            }";
        let generated = made(server, &folder, after).await;
        let names: Vec<String> = generated
            .files
            .iter()
            .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
            .filter(|name| !name.ends_with(".down.sql"))
            .collect();
        let expected = [
            "0002_next_values.sql",
            "0003_next.sql",
            "0004_next_indexes.sql",
            "0005_next_validate.sql",
            "0006_next_finish.sql",
        ];
        assert_eq!(names, expected);
        apply(&folder, &database).await;
        let sql = "select count(*) from chat where title = 'a' and mood = 'sad'";
        assert_eq!(database.count(sql).await.unwrap(), 1);
        undo(&folder, &database, 5).await;
        let session = database.session().await.unwrap();
        let back = introspect(&session, &Scope::All).await.unwrap();
        let (first, _) = Snapshot::read(&folder.path().join("snapshots/0001_next.json")).unwrap();
        let difference = compare(&back.catalog, &first.catalog);
        assert!(difference.is_empty(), "{difference}");
        assert_eq!(database.count(sql).await.unwrap(), 1);
    });
}

/// The tables that a publication has, in text.
const PUBLISHED: &str = "select count(*) from pg_publication_tables where pubname = 'feed'";

fn feed(tables: &str) -> String {
    format!(
        "{CHAT} table note {{ id: bigint }}
         object feed depends on (chat, note) {{
             create \"create publication feed for table {tables}\",
             drop \"drop publication feed\",
         }}"
    )
}

#[test]
fn an_object_that_no_catalog_shows_is_made_changed_dropped_and_brought_back() {
    with(async |server| {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.database().await.unwrap());
        made(server, &folder, &feed("chat")).await;
        apply(&folder, &database).await;
        assert_eq!(database.count(PUBLISHED).await.unwrap(), 1);
        assert!(attempt(server, &folder, &feed("chat")).await.unwrap().is_empty());

        let changed = made(server, &folder, &feed("chat, note")).await;
        assert_eq!(
            changed.files[0].1,
            "drop publication feed;\ncreate publication feed for table chat, note;\n"
        );
        apply(&folder, &database).await;
        assert_eq!(database.count(PUBLISHED).await.unwrap(), 2);

        made(server, &folder, &format!("{CHAT} table note {{ id: bigint }}")).await;
        apply(&folder, &database).await;
        assert_eq!(database.count(PUBLISHED).await.unwrap(), 0);

        undo(&folder, &database, 1).await;
        assert_eq!(database.count(PUBLISHED).await.unwrap(), 2);
        undo(&folder, &database, 1).await;
        assert_eq!(database.count(PUBLISHED).await.unwrap(), 1);
    });
}

#[test]
fn an_object_goes_before_the_table_that_it_is_about() {
    with(async |server| {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.database().await.unwrap());
        made(server, &folder, &feed("note")).await;
        made(server, &folder, CHAT).await;
        apply(&folder, &database).await;
        let there = "select count(*) from pg_publication";
        assert_eq!(database.count(there).await.unwrap(), 0);
        assert!(attempt(server, &folder, CHAT).await.unwrap().is_empty());
    });
}

#[test]
fn an_object_is_dropped_while_what_it_is_about_is_still_there() {
    with(async |server| {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.database().await.unwrap());
        let granted = format!(
            "{CHAT} table note {{ id: bigint }}
             object seen depends on (note) {{
                 create \"grant select on note to public\",
                 drop \"revoke select on note from public\",
             }}"
        );
        made(server, &folder, &granted).await;
        apply(&folder, &database).await;
        // The revocation can only run before the table is dropped.
        let dropped = made(server, &folder, CHAT).await;
        let ups: Vec<&str> = dropped.files.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(ups.first(), Some(&"revoke select on note from public;\n"), "{ups:?}");
        apply(&folder, &database).await;
        let left = "select count(*) from pg_class where relname = 'note'";
        assert_eq!(database.count(left).await.unwrap(), 0);
        undo(&folder, &database, 2).await;
        let seen = "select count(*) from information_schema.role_table_grants \
                    where grantee = 'PUBLIC' and table_name = 'note'";
        assert_eq!(database.count(seen).await.unwrap(), 1);
    });
}

#[test]
fn an_object_that_can_not_be_dropped_as_it_says_is_refused_before_anything_is_written() {
    with(async |server| {
        let folder = tempfile::tempdir().unwrap();
        let one = |create: &str| {
            format!("object seen {{ create \"{create}\", drop \"drop publication elsewhere\" }}")
        };
        let error = attempt(server, &folder, &one("create publication here")).await.unwrap_err();
        assert_eq!(error.to_string(), "the planned migration does not run");
        assert_eq!(names(folder.path()), BTreeSet::new());
    });
}
