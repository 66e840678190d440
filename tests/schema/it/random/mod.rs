//! Random schemas, random edits of them, and what must hold of every migration between two.
//!
//! The seeds are the same in every run. `AVENIRE_RANDOM_CASES` says how many there are for each
//! version of Postgres (3 without), `AVENIRE_RANDOM_SEED` with which one to begin. A failure names
//! its seed and leaves the schemas and migrations of the case in a folder that it names too.

mod answers;
mod case;
mod dice;
mod edit;
mod make;
mod render;
mod render_code;
mod rows;
mod sketch;
mod types;
mod valid;

use avenire_schema_tests::Server;

use crate::{with, with_18};

/// How many cases there are when nobody says.
const CASES: u64 = 3;

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

async fn all(server: &Server) {
    let first = number("AVENIRE_RANDOM_SEED", 0);
    let count = number("AVENIRE_RANDOM_CASES", CASES);
    let mut sums = case::Sums::default();
    let mut failed = Vec::new();
    for seed in first..first + count {
        if let Err(error) = case::run(server, seed, &mut sums).await {
            failed.push(format!("seed {seed}: {error:#}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count} failed\n{}", failed.len(), failed.join("\n\n"));
    // A generator that makes nothing that is worth testing is no test.
    assert!(sums.steps > count && sums.rows > i64::try_from(count).unwrap(), "{sums:?}");
}

#[test]
fn random_edits_lead_where_they_should_and_back() {
    with(all);
}

#[test]
fn random_edits_lead_where_they_should_and_back_on_postgres_18() {
    with_18(all);
}
