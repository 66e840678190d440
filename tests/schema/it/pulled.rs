//! What is pulled compiles, without a warning. One build of three crates, in a folder that is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use avenire_schema::catalog::{Scope, introspect};
use avenire_schema::pull::{Pulled, pull};
use avenire_schema_tests::{Server, published, repository};

use crate::with;

const RICH: &str = include_str!("../fixtures/rich.sql");
const ODD: &str = include_str!("../fixtures/odd.sql");

/// Two hundred tables in twenty domains, each domain with a type of its own.
fn many() -> String {
    let table = |n: usize| {
        let (domain, first) = (n / 10, n.is_multiple_of(10));
        let start = if first {
            format!("create type state_{domain} as enum ('new', 'in-progress', 'done');")
        } else {
            String::new()
        };
        let name =
            if first { format!("domain{domain}") } else { format!("domain{domain}_part{n}") };
        format!(
            "{start}
            create table {name} (
                id bigint generated always as identity primary key,
                owner_id bigint not null references domain{domain} (id) on delete cascade,
                state state_{domain} not null default 'new',
                states state_{domain}[],
                title varchar(200) not null,
                amount numeric(12, 2) not null check (amount >= 0),
                data jsonb not null default '{{}}',
                tags text[] not null default '{{}}',
                key uuid not null default gen_random_uuid() unique,
                seen_at timestamptz,
                at timestamp not null default now(),
                day date,
                address inet,
                bytes bytea
            );
            create index on {name} (owner_id, at desc) where seen_at is null;"
        )
    };
    (0..200).map(table).collect()
}

async fn pulled(server: &Server, scripts: &[&str]) -> Pulled {
    let database = server.database().await.unwrap();
    let session = database.session().await.unwrap();
    for script in scripts {
        session.batch(script).await.unwrap();
    }
    pull(&introspect(&session, &Scope::All).await.unwrap())
}

/// Only what is new is written, so that only that is compiled.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn package(folder: &Path, name: &str, pulled: &Pulled) {
    let sources = folder.join(name).join("src");
    let stale = fs::read_dir(&sources).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in stale {
        if !pulled.files.iter().any(|file| path.ends_with(&file.path)) {
            fs::remove_file(path).unwrap();
        }
    }
    let root = repository();
    let workspace: toml::Table =
        fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let diesel = &workspace["workspace"]["dependencies"]["diesel"];
    let sdk = root.join("guest-queries/sdk");
    let manifest = format!(
        "[package]\nname = \"pulled-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\navenire-macros = {{ path = \"{}\" }}\navenire-values = {{ path = \"{}\" }}\n\
         diesel = {diesel}\n",
        sdk.join("macros").display(),
        sdk.join("values").display(),
    );
    write(&folder.join(name).join("Cargo.toml"), &manifest);
    for file in &pulled.files {
        write(&sources.join(&file.path), &file.text);
    }
}

/// What the compiler says.
fn checked(folder: &Path, members: &[&str]) -> String {
    let list: Vec<String> = members.iter().map(|name| format!("{name:?}")).collect();
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", list.join(", "));
    write(&folder.join("Cargo.toml"), &manifest);
    // The versions that the repository has, which are there already.
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let done = Command::new("cargo")
        .args(["check", "--offline", "--workspace", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder.join("target"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    said
}

fn folder() -> PathBuf {
    repository().join("target/tmp/pulled")
}

#[test]
fn what_is_pulled_compiles_without_a_warning() {
    with(async |server| {
        let folder = folder();
        package(&folder, "rich", &pulled(server, &[RICH]).await);
        package(&folder, "odd", &pulled(server, &[ODD]).await);
        let all = published().unwrap();
        let large = all.iter().find(|one| one.name == "lemmy_db_schema").unwrap();
        let scripts: Vec<&str> = large.scripts.iter().map(|script| &*script.sql).collect();
        package(&folder, "large", &pulled(server, &scripts).await);
        package(&folder, "many", &pulled(server, &[&many()]).await);
        let said = checked(&folder, &["rich", "odd", "large", "many"]);
        assert!(!said.contains("warning"), "{said}");
    });
}
