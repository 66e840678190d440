//! Scratch databases, and definitions in any order.

use std::time::Duration;

use avenire_postgres::{Endpoint, Session};
use avenire_schema::catalog::{Scope, introspect};
use avenire_schema::scratch::{
    DefinitionsError, Scratch, ScratchError, Statement, run_definitions,
};
use avenire_schema_tests::{Database, Server};

use crate::{with, with_both};

async fn exists(database: &Database, name: &str) -> bool {
    let sql = format!("select count(*) from pg_database where datname = '{name}'");
    database.count(&sql).await.unwrap() == 1
}

/// Waits for what happens in the background.
async fn until_gone(database: &Database, name: &str) {
    for _ in 0..600 {
        if !exists(database, name).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is still there");
}

fn statement(sql: &str) -> Statement {
    Statement { sql: sql.into(), what: "something".into(), place: "chat.rs:1:1".into() }
}

async fn scratch(server: &Server) -> Scratch {
    Scratch::create(&server.endpoint().unwrap(), "test").await.unwrap()
}

#[test]
fn a_scratch_database_is_empty_and_goes_away() {
    with_both(async |server| {
        let observer = server.database().await.unwrap();
        let scratch = scratch(server).await;
        let name = scratch.name().to_owned();
        assert!(exists(&observer, &name).await);
        let session = scratch.session().await.unwrap();
        session.batch("create table t (a integer)").await.unwrap();
        let found = introspect(&session, &Scope::All).await.unwrap();
        assert_eq!(found.catalog.tables.len(), 1);
        // Also with somebody connected.
        scratch.drop().await.unwrap();
        assert!(!exists(&observer, &name).await);
    });
}

#[test]
fn a_scratch_database_that_is_forgotten_goes_away_by_itself() {
    with(async |server| {
        let observer = server.database().await.unwrap();
        let name = scratch(server).await.name().to_owned();
        until_gone(&observer, &name).await;
    });
}

#[test]
fn what_a_killed_process_left_is_dropped_and_what_is_in_use_is_not() {
    with(async |server| {
        let observer = server.database().await.unwrap();
        let used = scratch(server).await;
        // As a killed process leaves it: without a connection that holds its lock.
        observer.run("create database avenire_scratch_7fffffff").await.unwrap();
        // Not one of ours.
        observer.run("drop database if exists avenire_scratch_mine").await.unwrap();
        observer.run("create database avenire_scratch_mine").await.unwrap();
        let next = scratch(server).await;
        until_gone(&observer, "avenire_scratch_7fffffff").await;
        assert!(exists(&observer, used.name()).await);
        assert!(exists(&observer, next.name()).await);
        assert!(exists(&observer, "avenire_scratch_mine").await);
        used.drop().await.unwrap();
        next.drop().await.unwrap();
    });
}

#[test]
fn many_at_once_do_not_drop_each_others() {
    with(async |server| {
        let made: Vec<_> = (0..6)
            .map(|_| {
                let endpoint = server.endpoint().unwrap();
                tokio::spawn(async move { Scratch::create(&endpoint, "many").await.unwrap() })
            })
            .collect();
        for one in made {
            let one = one.await.unwrap();
            one.session().await.unwrap().batch("create table t (a integer)").await.unwrap();
            one.drop().await.unwrap();
        }
    });
}

#[test]
fn a_user_who_may_not_make_databases_is_told() {
    with(async |server| {
        let database = server.database().await.unwrap();
        let role = format!("{}_poor", database.name());
        database.run(&format!("create role {role} login")).await.unwrap();
        let endpoint: Endpoint = database.endpoint().with_credentials(&role, None);
        let error = Scratch::create(&endpoint, "test").await.unwrap_err();
        assert!(matches!(error, ScratchError::MayNot { .. }), "{error}");
        assert!(error.hint().unwrap().contains("createdb"));
        database.run(&format!("drop role {role}")).await.unwrap();
    });
}

async fn tables(session: &Session) -> Vec<String> {
    let found = introspect(session, &Scope::All).await.unwrap();
    found.catalog.tables.keys().map(ToString::to_string).collect()
}

#[test]
fn definitions_run_in_whatever_order_they_come() {
    with_both(async |server| {
        let database = server.database().await.unwrap();
        let session = database.session().await.unwrap();
        let statements = [
            "create view app.v as select b.id, app.f(b.a) as f from b",
            "alter table b add foreign key (a) references a (id)",
            "create index on b (other)",
            "create table b (id integer primary key, a integer, mood app.mood)",
            "alter table b add column other text -- what is more",
            "create function app.f(x integer) returns integer language sql as 'select 1 from missing'",
            "create type app.mood as enum ('ok');",
            "alter table a add primary key (id)",
            "create table a (id integer)",
            "create schema app",
        ]
        .map(statement);
        run_definitions(&session, &statements).await.unwrap();
        assert_eq!(tables(&session).await, ["public.a", "public.b"]);
        let found = introspect(&session, &Scope::All).await.unwrap().catalog;
        assert_eq!(found.views.len(), 1);
    });
}

#[test]
fn what_stays_missing_is_the_error() {
    with(async |server| {
        let database = server.database().await.unwrap();
        let session = database.session().await.unwrap();
        let mut statements = vec![
            statement("create table a (id integer)"),
            statement("alter table a add foreign key (id) references nowhere (id)"),
            statement("create index on elsewhere (id)"),
        ];
        statements[1].place = "chat.rs:12:5".into();
        statements[1].what = "foreign key a_id_fkey".into();
        let error = run_definitions(&session, &statements).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "chat.rs:12:5: foreign key a_id_fkey is refused: relation \"nowhere\" does not exist \
             (SQLSTATE 42P01)"
        );
        // An error that waiting does not mend comes at once.
        let wrong = [statement("create tabel a ()")];
        let error = run_definitions(&session, &wrong).await.unwrap_err();
        assert!(matches!(error, DefinitionsError::Refused { .. }));
        assert_eq!(error.sqlstate(), Some("42601"));
        // The session is as it was.
        let changed = "select count(*) from pg_settings where source = 'session'";
        assert_eq!(session.rows(changed, &[]).await.unwrap()[0].get::<_, i64>(0), 0);
    });
}
