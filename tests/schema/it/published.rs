//! Schemas that others have published: each is applied to an empty database, read, adopted, and led
//! to again from what was written of it.

use std::path::Path;

use avenire_definitions::{Definitions, Module};
use avenire_postgres::Endpoint;
use avenire_schema::Transaction;
use avenire_schema::catalog::{Introspected, Scope, introspect};
use avenire_schema::check;
use avenire_schema::diff::compare;
use avenire_schema::generate::{self, Numbering, Request};
use avenire_schema::modules;
use avenire_schema::plan;
use avenire_schema::pull::{self, Adoption};
use avenire_schema::renames::Answers;
use avenire_schema::revision::Terms;
use avenire_schema_tests::{Database, Published, Server, published};

use crate::{with, with_18};

/// What the modules of each do not say, by kind and how many.
const LEFT_OUT: &[(&str, &[(&str, usize)])] =
    &[("pgmq", &[("default privileges", 1), ("grants on a schema", 1), ("grants on a table", 3)])];

async fn applied(server: &Server, one: &Published) -> Database {
    let database = server.database().await.unwrap();
    let session = database.session().await.unwrap();
    for script in &one.scripts {
        if let Err(error) = session.batch(&script.sql).await {
            panic!("{} {}, {}: {error:?}", one.name, one.version, script.name);
        }
    }
    let tables = "select count(*) from pg_class where relkind in ('r', 'p') and \
                  relnamespace::regnamespace::text !~ '^(pg_|information_schema)'";
    assert!(database.count(tables).await.unwrap() > 0, "{} has no tables", one.name);
    database
}

async fn read(database: &Database) -> Introspected {
    introspect(&database.session().await.unwrap(), &Scope::All).await.unwrap()
}

/// What makes the schema in an empty database makes the same one.
async fn baseline_leads_there(server: &Server, found: &Introspected) -> Result<(), String> {
    let sql: String = plan::baseline(found).files().into_iter().map(|file| file.up).collect();
    let database = server.database().await.unwrap();
    database.run(&sql).await.map_err(|error| format!("the baseline: {error:?}"))?;
    equal("the baseline", &read(&database).await, found)
}

fn equal(what: &str, made: &Introspected, found: &Introspected) -> Result<(), String> {
    let difference = compare(&found.catalog, &made.catalog);
    if difference.is_empty() { Ok(()) } else { Err(format!("{what}: {difference}")) }
}

async fn adopted(server: &Server, database: &Database) -> Result<Adoption, String> {
    let session = database.session().await.unwrap();
    let server = server.endpoint().unwrap();
    let adoption = pull::adopt(&session, &server, &Scope::All, pull::Proof::Both).await;
    adoption.map_err(|error| match error {
        pull::PullError::Unlike(difference) => format!("adopt: {difference}"),
        error => format!("adopt: {error:?}"),
    })
}

/// Modules as files say them, without the folder and the places.
fn bare(modules: &[Module], folder: &Path) -> Vec<Module> {
    let mut modules = modules.to_vec();
    for module in &mut modules {
        if let Ok(within) = module.file.strip_prefix(folder) {
            module.file = within.to_owned();
        }
    }
    modules.sort_by(|a, b| a.file.cmp(&b.file));
    modules
}

/// What was written is read back as it was, and nothing is left to generate.
async fn is_settled(server: &Server, adoption: &Adoption) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let (source, migrations) = (folder.path().join("src"), folder.path().join("migrations"));
    std::fs::create_dir_all(&migrations).unwrap();
    adoption.write(&source, Some(&migrations), false).unwrap();
    let read = modules::load(&source).map_err(|error| format!("load: {error:?}"))?;
    if bare(&read.modules, &source) != bare(&adoption.pulled.modules, &source) {
        return Err("the files say something else than the modules".into());
    }
    let left = generated(&read, &migrations, &server.endpoint().unwrap()).await?;
    if left.is_empty() { Ok(()) } else { Err(format!("generate: {left}")) }
}

async fn generated(
    definitions: &Definitions,
    folder: &Path,
    server: &Endpoint,
) -> Result<String, String> {
    let terms = Terms {
        scratch: server,
        scope: &Scope::All,
        answers: &Answers::default(),
        accept: &[],
        ask: &|_| None,
    };
    let numbering = Numbering::Sequence;
    let request = Request { definitions, folder, name: None, numbering, terms };
    let generated = generate::generate(&request).await;
    let generated = generated.map_err(|error| format!("generate: {error:?}"))?;
    Ok(generated.files.into_iter().map(|(_, text)| text).collect())
}

/// How many of each kind.
fn left_out(adoption: &Adoption) -> Vec<(&str, usize)> {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for one in adoption.left_out() {
        match kinds.last_mut() {
            Some((kind, count)) if *kind == one.kind => *count += 1,
            _ => kinds.push((&one.kind, 1)),
        }
    }
    kinds
}

/// What goes wrong with one on its way to files and back.
async fn round_trip(server: &Server, one: &Published) -> Result<(), String> {
    let database = applied(server, one).await;
    let found = read(&database).await;
    baseline_leads_there(server, &found).await?;
    let adoption = adopted(server, &database).await?;
    let difference = adoption.difference.as_ref().unwrap();
    if !difference.is_empty() {
        return Err(format!("the modules: {difference}"));
    }
    let expected = LEFT_OUT.iter().find(|(name, _)| *name == one.name);
    let expected = expected.map_or(&[][..], |(_, kinds)| *kinds);
    if left_out(&adoption) != expected {
        return Err(format!("left out: {:?}", adoption.left_out()));
    }
    is_settled(server, &adoption).await
}

async fn all_round_trips(server: &Server) {
    let database = server.database().await.unwrap();
    let version = "select current_setting('server_version_num')::bigint / 10000";
    let major = i32::try_from(database.count(version).await.unwrap()).unwrap();
    let all = published().unwrap();
    assert!(all.len() >= 9, "{} are found", all.len());
    let mut wrong = Vec::new();
    for one in all.iter().filter(|one| one.before.is_none_or(|before| major < before)) {
        if let Err(what) = round_trip(server, one).await {
            wrong.push(format!("{} {}: {what}", one.name, one.version));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_published_schema_becomes_modules_and_a_baseline_that_make_it_again() {
    with(all_round_trips);
}

#[test]
fn every_published_schema_does_so_on_postgres_18() {
    with_18(all_round_trips);
}

#[test]
fn the_check_understands_what_others_have_published() {
    let mut scripts = 0;
    let mut not_understood = Vec::new();
    for one in published().unwrap() {
        for script in &one.scripts {
            scripts += 1;
            let found = check::sql(&script.name, &script.sql, Transaction::One);
            let blind = found.iter().filter(|finding| finding.rule == "not-understood");
            not_understood.extend(blind.map(|finding| format!("{}: {finding}", one.name)));
        }
    }
    assert!(scripts > 250, "{scripts} scripts");
    assert_eq!(not_understood, [""; 0]);
}
