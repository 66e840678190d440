//! From a database to schema modules, and back.

use std::path::Path;

use avenire_definitions::{Definitions, ddl, parse_file};
use avenire_schema::catalog::{Catalog, Introspected, Scope, introspect};
use avenire_schema::diff::compare;
use avenire_schema::pull::{Pulled, pull};
use avenire_schema::scratch::{Statement, run_definitions};
use avenire_schema_tests::{Server, golden};

use crate::{with, with_both};

const RICH: &str = include_str!("../fixtures/rich.sql");
const ODD: &str = include_str!("../fixtures/odd.sql");

async fn read(server: &Server, sql: &str) -> Introspected {
    let database = server.database().await.unwrap();
    database.run(sql).await.unwrap();
    introspect(&database.session().await.unwrap(), &Scope::All).await.unwrap()
}

/// What the source files say, from their text.
fn definitions(pulled: &Pulled) -> Definitions {
    let files = pulled.files.iter().filter(|file| file.path != Path::new("lib.rs"));
    let modules = files.map(|file| parse_file(&file.text, &file.path).unwrap()).collect();
    Definitions { modules }
}

/// The catalog that definitions lead to in an empty database.
async fn made(server: &Server, definitions: &Definitions) -> Catalog {
    let statements: Vec<Statement> = ddl(definitions)
        .into_iter()
        .map(|ddl| Statement { place: ddl.place(), sql: ddl.sql, what: ddl.what })
        .collect();
    let database = server.database().await.unwrap();
    let session = database.session().await.unwrap();
    run_definitions(&session, &statements).await.unwrap();
    introspect(&session, &Scope::All).await.unwrap().catalog
}

/// The same catalog with what modules do not say made alike: whether constraints are valid.
fn alike(mut catalog: Catalog) -> Catalog {
    for table in catalog.tables.values_mut() {
        table.constraints.values_mut().for_each(|constraint| constraint.validated = true);
    }
    for domain in catalog.domains.values_mut() {
        domain.checks.values_mut().for_each(|check| check.validated = true);
    }
    catalog
}

async fn round_trip(server: &Server, sql: &str) -> Pulled {
    let found = read(server, sql).await;
    let pulled = pull(&found);
    let definitions = definitions(&pulled);
    assert_eq!(definitions.modules, pulled.modules, "what is printed is read back");
    assert_eq!(definitions.check(), []);
    let made = made(server, &definitions).await;
    let difference = compare(&made, &alike(found.catalog));
    assert!(difference.is_empty(), "{difference}");
    pulled
}

fn left_out(pulled: &Pulled) -> Vec<String> {
    pulled.left_out.iter().map(|one| format!("{}: {}", one.kind, one.name)).collect()
}

#[test]
fn everything_the_model_knows_survives_the_way_to_code_and_back() {
    with_both(async |server| {
        let pulled = round_trip(server, RICH).await;
        assert_eq!(
            left_out(&pulled),
            [
                "grants on a table: public.users",
                "operator: public.===(integer,integer)",
                "replica identity: public.users",
                "text search configuration: app.plain",
                "that a constraint is not valid: email_short of app.email",
                "that a constraint is not valid: posts_second_fkey of app.posts",
                "that a constraint is not valid: users_notes_check of public.users",
            ]
        );
    });
}

#[test]
fn names_that_are_no_rust_survive() {
    with_both(async |server| {
        round_trip(server, ODD).await;
    });
}

#[test]
fn the_modules_read_like_written_ones() {
    with(async |server| {
        for (sql, file) in [(RICH, "rich.rs.txt"), (ODD, "odd.rs.txt")] {
            let pulled = pull(&read(server, sql).await);
            let mut text = String::new();
            for file in &pulled.files {
                text.push_str(&format!("// {}\n{}\n", file.path.display(), file.text));
            }
            golden(file, &text);
        }
    });
}

#[test]
fn pulling_twice_gives_the_same_files() {
    with(async |server| {
        let first = pull(&read(server, RICH).await);
        let second = pull(&read(server, RICH).await);
        assert_eq!(first.files, second.files);
    });
}
