//! Tests of how the registry's tables come to be.

use avenire_delivery::registry::{Blame, Registry, RegistryError};
use avenire_postgres::Endpoint;
use tokio::task::JoinSet;

use super::{deploy, open, said, serving, soon, until, with};

/// Its forms, and how many tables there are.
const TABLES: &str = "
select (select count(*) from _avenire.registry) * 100
    + (select count(*) from pg_tables where schemaname = '_avenire')";

#[test]
fn ten_hosts_open_a_registry_at_once() {
    with(async |_, database| {
        let mut hosts = JoinSet::new();
        for _ in 0..10 {
            let endpoint = database.endpoint().clone();
            hosts.spawn(async move { Registry::open(&endpoint, soon()).await });
        }
        let opened = hosts.join_all().await;
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
        assert_eq!(database.count(TABLES).await.unwrap(), 107);
        // Once more changes nothing.
        deploy(&open(database).await, "chat", b"one").await;
        assert_eq!(serving(&open(database).await).await, Some(1));
    });
}

#[test]
fn a_registry_is_opened_while_migrations_make_the_same_schema() {
    with(async |_, database| {
        // As `avenire-db migrate` does it, slowly.
        let migrating = database.session().await.unwrap();
        let lock = "begin; select pg_advisory_xact_lock(x'6176656e6d696772'::bigint); \
                    create schema _avenire; create table _avenire.migrations (version bigint)";
        migrating.batch(lock).await.unwrap();
        let endpoint = database.endpoint().clone();
        let opening = tokio::spawn(async move { Registry::open(&endpoint, soon()).await });
        // It has asked for the locks and did not get them; other sessions here never commit.
        until(async || {
            let asked = "select count(*) from pg_stat_activity \
                         where datname = current_database() and query = 'commit'";
            database.count(asked).await.unwrap() > 0
        })
        .await;
        assert!(!opening.is_finished());
        migrating.batch("commit").await.unwrap();
        opening.await.unwrap().unwrap();
        assert_eq!(database.count(TABLES).await.unwrap(), 108);
    });
}

#[test]
fn a_user_who_may_not_create_the_schema_is_told_what_to_do() {
    with(async |_, database| {
        let name = format!("limited_{}", database.name());
        let user = format!("{name}\" x");
        let quoted = user.replace('"', "\"\"");
        database.run(&format!("create role \"{quoted}\" login password 'x'")).await.unwrap();
        let limited: Endpoint = database.endpoint().with_credentials(&user, Some("x"));
        let error = Registry::open(&limited, soon()).await.unwrap_err();
        assert!(matches!(&error, RegistryError::NotAllowed { user: told, .. } if *told == user));
        assert_eq!(error.blame(), Blame::Database);
        let hint = said(&error);
        assert!(hint.contains("may not create the schema _avenire"), "{hint}");
        // What it says is enough.
        let (_, sql) = hint.split_once("run once: ").unwrap();
        database.run(sql).await.unwrap();
        let registry = Registry::open(&limited, soon()).await.unwrap();
        deploy(&registry, "chat", b"one").await;
        // Another one may not read what is there, and is told the same.
        database.run(&format!("create role {name} login password 'x'")).await.unwrap();
        let other = database.endpoint().with_credentials(&name, Some("x"));
        let error = Registry::open(&other, soon()).await.unwrap_err();
        let hint = said(&error);
        assert!(hint.contains("may not read the registry"), "{hint}");
        database.run(hint.split_once("run once: ").unwrap().1).await.unwrap();
        let registry = Registry::open(&other, soon()).await.unwrap();
        deploy(&registry, "chat", b"two").await;
        assert_eq!(serving(&registry).await, Some(2));
    });
}

#[test]
fn a_registry_of_a_newer_program_is_used_only_if_it_says_so() {
    with(async |_, database| {
        open(database).await;
        database.run("update _avenire.registry set form = 9, oldest = 9").await.unwrap();
        let error = Registry::open(database.endpoint(), soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Newer { found: 9, known: 1 }), "{error:?}");
        assert!(said(&error).contains("update this program"));
        database.run("update _avenire.registry set oldest = 1").await.unwrap();
        deploy(&open(database).await, "chat", b"one").await;
    });
}

#[test]
fn a_registry_whose_tables_are_gone_is_told_apart_from_an_empty_one() {
    with(async |_, database| {
        let registry = open(database).await;
        database.run("drop schema _avenire cascade").await.unwrap();
        let error = registry.slots(soon()).await.unwrap_err();
        assert!(said(&error).contains("tables are gone"), "{}", said(&error));
        open(database).await;
        assert_eq!(serving(&registry).await, None);
    });
}
