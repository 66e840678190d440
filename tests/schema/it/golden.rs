//! Migrations to be read: each folder of `golden` has schema modules before and after, and the files
//! that lead from the ones to the others. `UPDATE_GOLDEN=1` writes the files anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use avenire_definitions::Definitions;
use avenire_schema::Migrations;
use avenire_schema::catalog::Scope;
use avenire_schema::generate::{GenerateError, Generated, Numbering, Request, generate};
use avenire_schema::plan::HazardKind;
use avenire_schema::renames::Answers;
use avenire_schema::revision::{RevisionError, Terms};
use avenire_schema_tests::{Server, repository};

use crate::with;

/// What is written when the files are to be written anew.
const UPDATE: &str = "UPDATE_GOLDEN";

fn module(path: &Path) -> Definitions {
    let text = fs::read_to_string(path).unwrap();
    let module = avenire_definitions::parse_file(&text, path);
    Definitions { modules: vec![module.unwrap_or_else(|error| panic!("{error:?}"))] }
}

/// Everything that may be accepted is.
async fn made(server: &Server, folder: &Path, path: &Path, answers: &Answers) -> Generated {
    let (definitions, scratch) = (module(path), server.endpoint().unwrap());
    let terms = Terms {
        scratch: &scratch,
        scope: &Scope::All,
        answers,
        accept: &HazardKind::ALL,
        ask: &|_| None,
    };
    let request = Request {
        definitions: &definitions,
        folder,
        name: Some("change"),
        numbering: Numbering::Sequence,
        terms,
    };
    match generate(&request).await {
        Ok(generated) => generated,
        Err(GenerateError::Revision(RevisionError::Definitions(faults))) => panic!("{faults:#?}"),
        Err(error) => panic!("{}: {error:#?}", path.display()),
    }
}

/// The files that lead from one to the other, by name. The strict check has nothing to say of them
/// but what they announce themselves.
async fn files(server: &Server, case: &Path) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let answers = match fs::read_to_string(case.join("answers.toml")) {
        Ok(text) => Answers::from_toml(&text).unwrap(),
        Err(_) => Answers::default(),
    };
    let before = case.join("before.rs");
    made(server, folder.path(), &before, &Answers::default()).await.write().unwrap();
    let generated = made(server, folder.path(), &case.join("after.rs"), &answers).await;
    generated.write().unwrap();
    let migrations = Migrations::load(folder.path()).unwrap();
    let blamed = avenire_schema::check::files(migrations.available());
    assert!(blamed.is_empty(), "{}: {blamed:#?}", case.display());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    generated.files.iter().map(|(path, text)| (name(path), text.clone())).collect()
}

fn expected(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn update(folder: &Path, found: &BTreeMap<String, String>) {
    drop(fs::remove_dir_all(folder));
    fs::create_dir_all(folder).unwrap();
    for (name, text) in found {
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn generated_files_are_what_somebody_read_and_have_no_findings() {
    with(async |server| {
        let golden = repository().join("tests/schema/golden");
        let mut cases: Vec<PathBuf> =
            fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.retain(|path| path.is_dir());
        cases.sort();
        assert!(cases.len() >= 12, "{cases:?}");
        let mut other = Vec::new();
        for case in cases {
            let found = files(server, &case).await;
            let folder = case.join("expected");
            if std::env::var_os(UPDATE).is_some() {
                update(&folder, &found);
            }
            if found != expected(&folder) {
                other.push(format!("{}: {found:#?}", case.display()));
            }
        }
        assert!(other.is_empty(), "write them anew with {UPDATE}=1\n{}", other.join("\n"));
    });
}
