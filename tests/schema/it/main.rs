//! Tests of the schema toolkit against a real Postgres.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that fails panics")]

mod compared;
mod definitions;
mod exchanged;
mod generate;
mod golden;
mod hazards;
mod introspect;
mod migrations;
mod plan;
mod published;
mod pull;
mod pulled;
mod random;
mod renames;
mod scratch;

use avenire_schema_tests::Server;

/// The guard program, which cargo has built beside the tests.
const GUARD: &str = env!("CARGO_BIN_EXE_avenire-schema-tests-guard");

/// Runs a test on a server of its own process. Each test has its own runtime.
fn with<T>(test: impl AsyncFnOnce(&Server) -> T) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start(GUARD).await.unwrap();
        test(&server).await
    })
}

/// Runs a test on Postgres 18.
fn with_18<T>(test: impl AsyncFnOnce(&Server) -> T) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start_18(GUARD).await.unwrap();
        test(&server).await
    })
}

/// Runs a test on the machine's Postgres, and on Postgres 18.
#[expect(clippy::needless_pass_by_value, reason = "so that calls look like those of `with`")]
fn with_both(test: impl AsyncFn(&Server)) {
    with(&test);
    with_18(&test);
}

#[test]
fn a_database_is_empty_and_private() {
    with(async |server| {
        let database = server.database().await.unwrap();
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        assert_eq!(database.count(tables).await.unwrap(), 0);
        assert_eq!(database.rows("select 1", &[]).await.unwrap()[0].get::<_, i32>(0), 1);
    });
}
