//! Every Postgres type and every way of Diesel, tried inside a component that runs as
//! all components do.

use anyhow::Result;
use avenire_app::engine::{Blame, CallError};
use avenire_tests::{TestHost, TestProject, repository};
use serde_json::{Value, json};

use crate::{harness, run};

/// The limits are wide where the component tries more than a query function would. The
/// memory is the usual, since one of the claims is about it.
const MANIFEST: &str = r#"
[components.types]
path = "target/components/types.wasm"
grants = { scratch = "all" }
limits = { time = "120s", statements = 2000 }
"#;

/// A host of the component on what its `setup.sql` makes.
async fn host() -> Result<(TestProject, TestHost)> {
    let harness = harness().await?;
    harness.test_components().await?;
    let database = harness.empty_database().await?;
    let setup = repository().join("tests/guests/types/setup.sql");
    database.run(&std::fs::read_to_string(setup)?).await?;
    let project = harness.project_with(MANIFEST, database)?;
    let host = project.host().await?;
    Ok((project, host))
}

fn elements(list: &Value) -> &[Value] {
    list.as_array().expect("a list")
}

#[test]
fn values_of_every_type_survive_the_way_there_and_back() -> Result<()> {
    run(async {
        let (_project, host) = host().await?;
        let trips = host.ok("types.round-trips", json!({})).await?;
        for trip in elements(&trips) {
            let name = &trip["name"];
            assert_eq!(trip["text"], trip["expected"], "Postgres shows {name} otherwise");
            assert_eq!(trip["same"], true, "{name} is loaded as another value: {trip}");
        }
        let tried = |part: &str| {
            let names = elements(&trips).iter().filter_map(|trip| trip["name"].as_str());
            names.filter(|name| name.contains(part)).count()
        };
        // What the contract of the data layer names, so that none is dropped unnoticed.
        for part in [
            "NaN",
            "infinity",
            "50 digits",
            "timestamptz: first",
            "timestamptz: last",
            "nulls inside",
            "jsonb",
            "bytea",
            "uuid",
            "range",
            "enum",
            "composite",
            "inet",
            "interval",
            "money",
            "domain",
        ] {
            assert!(tried(part) > 0, "nothing about {part} was tried: {trips}");
        }
        Ok(())
    })
}

#[test]
fn everything_that_is_claimed_of_the_sdk_holds() -> Result<()> {
    run(async {
        let (project, host) = host().await?;
        let claims = host.ok("types.claims", json!({})).await?;
        for claim in elements(&claims) {
            assert_eq!(claim["broken"], json!(null), "it does not hold that {}", claim["name"]);
        }
        assert!(elements(&claims).len() >= 19, "claims were dropped: {claims}");
        assert_eq!(project.database().count("select count(*) from scratch").await?, 0);
        Ok(())
    })
}

#[test]
fn a_panic_of_a_component_with_the_sdk_is_told_in_its_words() -> Result<()> {
    run(async {
        let (_project, host) = host().await?;
        let error = host.error("types.panic", json!({"message": "größe"})).await?;
        assert!(
            matches!(&error, CallError::Panicked { message, .. } if message.contains("größe")),
            "{error:?}"
        );
        assert_eq!(error.blame(), Blame::Guest);
        Ok(())
    })
}
