//! Components written by hand that break what a compiler would keep: results that
//! point nowhere, text that is none, code that runs before the first call.

use anyhow::Result;
use avenire_app::engine::{Blame, CallError};
use avenire_tests::TestHost;
use serde_json::json;

use crate::{harness, run};

/// A component with one function `attack` that returns a string, and a start
/// function, over a memory of at least so many pages of 64 KiB.
fn crafted(pages: u32, attack: &str, start: &str) -> String {
    format!(
        r#"(component
            (core module $module
                (memory (export "memory") {pages})
                (data (i32.const 16) "\ff\fe\fd")
                (func $start {start})
                (start $start)
                (func (export "attack") (result i32) {attack}))
            (core instance $instance (instantiate $module))
            (alias core export $instance "memory" (core memory $memory))
            (func $attack (result string)
                (canon lift (core func $instance "attack") (memory $memory)))
            (instance $api (export "attack" (func $attack)))
            (export "test:crafted/api@0.1.0" (instance $api)))"#
    )
}

/// Code that returns the string of so many bytes at that address, told at address 0.
fn string_at(address: u32, bytes: u32) -> String {
    format!(
        "(i32.store (i32.const 0) (i32.const {address})) \
         (i32.store (i32.const 4) (i32.const {bytes})) (i32.const 0)"
    )
}

/// Calls the function of such a component with little time and memory.
async fn attack(text: &str) -> Result<(TestHost, Result<serde_json::Value, CallError>)> {
    let harness = harness().await?;
    let manifest = r#"
        [components.crafted]
        path = "crafted.wasm"
        limits = { time = "2s", memory = "1MiB" }
    "#;
    let project = harness.project_with(manifest, harness.empty_database().await?)?;
    std::fs::write(project.folder().join("crafted.wasm"), wat::parse_str(text)?)?;
    let host = project.host().await?;
    let outcome = host.outcome("crafted.attack", json!({})).await?;
    Ok((host, outcome.map(|outcome| outcome.result.unwrap_or_else(|failure| failure))))
}

async fn attack_error(text: &str) -> Result<CallError> {
    let (_, answer) = attack(text).await?;
    let error = answer.expect_err("the attack succeeded");
    assert_eq!(error.blame(), Blame::Guest, "{error:?}");
    Ok(error)
}

#[test]
fn a_well_made_one_answers() -> Result<()> {
    run(async {
        let (_, answer) = attack(&crafted(1, &string_at(64, 2), "")).await?;
        assert_eq!(answer?, "\0\0");
        Ok(())
    })
}

#[test]
fn results_that_are_none_trap() -> Result<()> {
    run(async {
        let page = 64 << 10;
        for (name, code) in [
            ("text beyond the memory", string_at(page - 1, 2)),
            ("text that wraps around", string_at(u32::MAX, 2)),
            ("a length beyond every memory", string_at(0, u32::MAX)),
            ("text that is not UTF-8", string_at(16, 3)),
            ("a result beyond the memory", format!("(i32.const {page})")),
            ("a result that is not aligned", "(i32.const 1)".to_owned()),
        ] {
            let error = attack_error(&crafted(1, &code, "")).await?;
            assert!(matches!(error, CallError::Trapped { .. }), "{name}: {error:?}");
        }
        Ok(())
    })
}

#[test]
fn a_start_function_is_within_the_limits_of_the_call() -> Result<()> {
    run(async {
        let error = attack_error(&crafted(1, &string_at(0, 0), "(loop (br 0))")).await?;
        assert!(matches!(error, CallError::Deadline { .. }), "{error:?}");
        let error = attack_error(&crafted(1, &string_at(0, 0), "unreachable")).await?;
        assert!(matches!(error, CallError::Trapped { .. }), "{error:?}");
        let endless =
            "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
        let error = attack_error(&crafted(1, &string_at(0, 0), endless)).await?;
        assert!(matches!(error, CallError::Memory { limit: 0x10_0000, .. }), "{error:?}");
        Ok(())
    })
}

#[test]
fn a_memory_that_begins_beyond_the_limit_is_refused() -> Result<()> {
    run(async {
        let error = attack_error(&crafted(17, &string_at(0, 0), "")).await?;
        assert!(matches!(error, CallError::Memory { limit: 0x10_0000, .. }), "{error:?}");
        Ok(())
    })
}
