//! From a database to schema modules, and back.

use std::path::Path;
use std::time::{Duration, Instant};

use avenire_definitions::{Definitions, ddl, parse_file};
use avenire_schema::Migrations;
use avenire_schema::catalog::{Catalog, Introspected, Scope, introspect};
use avenire_schema::diff::compare;
use avenire_schema::pull::{Proof, Pulled, adopt, pull};
use avenire_schema::scratch::{Statement, run_definitions};
use avenire_schema_tests::{Server, golden};

use crate::{with, with_18, with_both};

const RICH: &str = include_str!("../fixtures/rich.sql");
const ODD: &str = include_str!("../fixtures/odd.sql");
const RARE: &str = include_str!("../fixtures/rare.sql");

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
fn a_key_that_sets_what_is_not_null_is_pulled_as_it_is() {
    with(async |server| {
        let sql = "create table a (id bigint primary key); \
                   create table b (c bigint not null references a on delete set null, \
                   d bigint not null default 1 references a on delete set default, \
                   e bigint not null references a on delete cascade on update set default)";
        let pulled = round_trip(server, sql).await;
        let texts: String = pulled.files.iter().map(|file| &*file.text).collect();
        for (column, is_sql) in [("c", true), ("d", false), ("e", true)] {
            let clause = format!("foreign key b_{column}_fkey ({column})");
            assert_eq!(!texts.contains(&clause), is_sql, "{texts}");
        }
    });
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
fn clauses_that_are_rare_survive() {
    with_both(async |server| {
        let pulled = round_trip(server, RARE).await;
        assert_eq!(left_out(&pulled), [""; 0]);
    });
}

#[test]
fn generated_columns_are_stored_or_not_as_they_were() {
    with_18(async |server| {
        let generated = "create table doubled (
            n integer,
            kept integer generated always as (n * 2) stored,
            made integer generated always as (n * 2) virtual
        )";
        round_trip(server, generated).await;
    });
}

#[test]
fn what_modules_have_no_words_for_is_told() {
    with(async |server| {
        let sql = "
            create table events (at date default now(), n integer, constraint positive check (n > 0))
                partition by range (at);
            create index events_at_idx on events (at);
            create table late partition of events for values from ('2026-01-01') to (maxvalue);
            alter table late alter column n set default 1;
            comment on constraint positive on late is 'of the partition';
            comment on index late_at_idx is 'of the partition';
            create index late_n_idx on late (n);
            update pg_index set indisvalid = false where indexrelid = 'late_n_idx'::regclass;";
        let told = left_out(&pull(&read(server, sql).await));
        assert_eq!(
            told,
            [
                "comment on an inherited constraint: positive of public.late",
                "comment on an inherited index: late_at_idx of public.late",
                "that an index is not valid: late_n_idx of public.late",
                "what an inherited column has of its own: n of public.late",
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

/// More tables than one transaction has locks for on a server as it comes.
fn large() -> String {
    let table = |n: usize| {
        format!(
            "create table t{n} (id bigint generated always as identity primary key, \
             code text unique, parent bigint references t{} (id)); create index on t{n} (parent);",
            n / 2
        )
    };
    (1..=400).fold("create table t0 (id bigint primary key);".to_owned(), |sql, n| sql + &table(n))
}

#[test]
fn a_large_database_becomes_a_baseline_of_several_files_that_a_usual_server_takes() {
    with(async |server| {
        let database = server.database().await.unwrap();
        for piece in large().split_inclusive(';').collect::<Vec<_>>().chunks(200) {
            database.run(&piece.concat()).await.unwrap();
        }
        let session = database.session().await.unwrap();
        let adoption =
            adopt(&session, &server.endpoint().unwrap(), &Scope::All, Proof::Both).await.unwrap();
        let difference = adoption.difference.as_ref().unwrap();
        assert!(difference.is_empty(), "{difference}");
        let folder = tempfile::tempdir().unwrap();
        let (modules, files) = (folder.path().join("src"), folder.path().join("migrations"));
        adoption.write(&modules, Some(&files), false).unwrap();
        let migrations = Migrations::load(&files).unwrap();
        let names: Vec<&str> = migrations.available().iter().map(|one| one.file.as_str()).collect();
        assert_eq!(names, ["0001_baseline.sql", "0002_baseline_part_2.sql"]);
        let empty = server.database().await.unwrap();
        let deadline = Instant::now() + Duration::from_mins(5);
        migrations.apply(empty.endpoint(), deadline, &|_| {}).await.unwrap();
        let made = introspect(&empty.session().await.unwrap(), &Scope::All).await.unwrap();
        let found = introspect(&session, &Scope::All).await.unwrap();
        let difference = compare(&made.catalog, &found.catalog);
        assert!(difference.is_empty(), "{difference}");
    });
}
