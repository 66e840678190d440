//! Tests of the registry in the database.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod canary;
mod damage;
mod deploy;
mod feed;
mod fleet;
mod open;
mod rollback;

use std::time::{Duration, Instant};

use avenire_delivery::registry::{Deployment, Registry, RegistryError, Rollback};
use avenire_delivery_tests::{Database, Server};

/// The guard program, which cargo has built beside the tests.
pub(crate) const GUARD: &str = env!("CARGO_BIN_EXE_avenire-delivery-tests-guard");

/// How long anything may take before a test gives up.
pub(crate) const TIME: Duration = Duration::from_mins(1);

/// Runs a test on a database of its own.
pub(crate) fn with<T>(test: impl AsyncFnOnce(&Server, &Database) -> T) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start(GUARD).await.unwrap();
        let database = server.database().await.unwrap();
        test(&server, &database).await
    })
}

pub(crate) fn soon() -> Instant {
    Instant::now() + TIME
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let end = soon();
    while !is_so().await {
        assert!(Instant::now() < end, "it did not come to be so");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn open(database: &Database) -> Registry {
    Registry::open(database.endpoint(), soon()).await.unwrap()
}

/// A deployment of these bytes by `anna`.
fn of<'a>(component: &'a str, bytes: &'a [u8]) -> Deployment<'a> {
    Deployment {
        component,
        bytes,
        contract: None,
        signature: None,
        source: "anna's desk",
        by: "anna",
        expected: None,
        canary: None,
    }
}

/// Deploys these bytes; the generation.
async fn deploy(registry: &Registry, component: &str, bytes: &[u8]) -> i64 {
    registry.deploy(&of(component, bytes), soon()).await.unwrap().generation
}

fn back(component: &str) -> Rollback<'_> {
    Rollback { component, by: "ben", ..Rollback::default() }
}

/// What serves, with nothing else in the registry.
async fn serving(registry: &Registry) -> Option<i64> {
    let slots = registry.slots(soon()).await.unwrap();
    assert!(slots.problems.is_empty(), "{:?}", slots.problems);
    assert!(slots.slots.len() <= 1);
    slots.slots.first()?.serving.as_ref().map(|generation| generation.number)
}

/// What an error says, with its hint.
fn said(error: &RegistryError) -> String {
    format!("{error}: {}", error.hint())
}
