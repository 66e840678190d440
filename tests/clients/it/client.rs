//! The TypeScript client: it compiles under every strict option, refuses what is wrongly typed,
//! and speaks the documented protocol with a host that the test plays.

use std::path::Path;

use anyhow::Result;

use crate::npm;
use crate::stage::Stage;

const TSC: &str = "typescript/bin/tsc";

/// Options that a user's project may have, all at once.
const CONFIG: &str = r#"{ "compilerOptions": {
    "target": "ES2022", "module": "NodeNext", "moduleResolution": "NodeNext",
    "lib": ["ES2022", "DOM", "DOM.AsyncIterable"], "types": [], "outDir": "out",
    "strict": true, "noUncheckedIndexedAccess": true, "exactOptionalPropertyTypes": true,
    "noPropertyAccessFromIndexSignature": true, "noImplicitOverride": true,
    "noImplicitReturns": true, "noFallthroughCasesInSwitch": true, "noUnusedLocals": true,
    "noUnusedParameters": true, "isolatedModules": true, "verbatimModuleSyntax": true,
    "erasableSyntaxOnly": true, "useUnknownInCatchVariables": true
}, "include": ["*.ts"] }"#;

fn compile(folder: &Path) -> Result<()> {
    std::fs::write(folder.join("package.json"), r#"{ "type": "module" }"#)?;
    std::fs::write(folder.join("tsconfig.json"), CONFIG)?;
    std::fs::write(folder.join("client.ts"), Stage::new().typescript())?;
    npm::run(folder, TSC, &["--project", "tsconfig.json"])?;
    Ok(())
}

#[test]
fn the_client_is_strictly_typed_and_refuses_what_is_wrong() -> Result<()> {
    let folder = npm::folder()?;
    npm::copy("node/types.ts", folder.path())?;
    compile(folder.path())
}

#[test]
fn the_client_compiles_for_the_oldest_language_that_it_promises() -> Result<()> {
    let folder = npm::folder()?;
    std::fs::write(folder.path().join("client.ts"), Stage::new().typescript())?;
    let options =
        ["--strict", "--noEmit", "--target", "ES2020", "--lib", "ES2020,DOM", "client.ts"];
    npm::run(folder.path(), TSC, &options)?;
    Ok(())
}

#[test]
fn a_client_without_slots_compiles_too() -> Result<()> {
    let folder = npm::folder()?;
    std::fs::write(folder.path().join("client.ts"), avenire_contract::typescript(&[]))?;
    let options = ["--strict", "--noEmit", "--target", "ES2022", "--noUnusedLocals", "client.ts"];
    npm::run(folder.path(), TSC, &options)?;
    Ok(())
}

/// Each script is a suite of its own in Node; all use one client, which is compiled once.
fn suite(script: &str) -> Result<()> {
    let folder = npm::once("client", &Stage::new().typescript(), compile)?;
    npm::copy("node/host.mjs", &folder)?;
    npm::copy(&format!("node/{script}"), &folder)?;
    let report = npm::node(&folder, &["--test", script])?;
    anyhow::ensure!(report.contains("# fail 0") && !report.contains("# tests 0"), "{report}");
    Ok(())
}

#[test]
fn values_of_every_type_travel_there_and_back() -> Result<()> {
    suite("values.test.mjs")
}

#[test]
fn failures_have_their_classes_and_types() -> Result<()> {
    suite("failures.test.mjs")
}

#[test]
fn calls_are_repeated_only_when_that_is_safe() -> Result<()> {
    suite("retries.test.mjs")
}

#[test]
fn streams_give_elements_as_they_come_and_fail_midway() -> Result<()> {
    suite("streams.test.mjs")
}

#[test]
fn requests_are_as_documented_and_batches_keep_their_order() -> Result<()> {
    suite("requests.test.mjs")
}
