//! The integration tests: everything that needs Postgres, a component or the
//! program as a whole. One binary, so that it links once and shares one cluster.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "clippy allows them in tests, but not in the functions that tests share"
)]

mod attacks;
mod auth;
mod chat;
mod cli;
mod containment;
mod contracts;
mod crafted;
mod damage;
mod database;
mod embedded;
mod explain;
mod fleet;
mod ground;
mod http;
mod imports;
mod json;
mod leftovers;
mod limits;
mod migrations;
mod patience;
mod postgres;
mod pristine;
mod roles;
mod self_test;
mod settings;
mod stage;
mod swap;
mod tidy;
mod toolkit;
mod transactions;
mod types;
mod wit;

use std::sync::OnceLock;

use avenire_tests::Harness;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// Runs an asynchronous test on the runtime that all tests share: the cluster's
/// and the pools' tasks outlive a single test.
fn run<T>(test: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).block_on(test)
}

/// The cluster and the program under test.
async fn harness() -> anyhow::Result<&'static Harness> {
    static HARNESS: OnceCell<Harness> = OnceCell::const_new();
    HARNESS.get_or_try_init(|| Harness::start(env!("CARGO_BIN_EXE_avenire-db-tested"))).await
}
