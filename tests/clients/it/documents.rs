//! The OpenAPI document, as others read it.

use anyhow::Result;

use crate::npm;
use crate::stage::Stage;

#[test]
fn the_openapi_document_is_valid_and_its_schemas_compile() -> Result<()> {
    let folder = npm::folder()?;
    let document = Stage::new().openapi();
    std::fs::write(folder.path().join("openapi.json"), document.to_string())?;
    npm::copy("node/openapi.mjs", folder.path())?;
    npm::node(folder.path(), &["openapi.mjs"])?;
    Ok(())
}

#[test]
fn a_client_that_a_public_generator_makes_of_the_document_compiles() -> Result<()> {
    let folder = npm::folder()?;
    std::fs::write(folder.path().join("openapi.json"), Stage::new().openapi().to_string())?;
    let generator = "openapi-typescript/bin/cli.js";
    npm::run(folder.path(), generator, &["openapi.json", "--output", "other.ts"])?;
    npm::copy("node/other-use.ts", folder.path())?;
    npm::run(folder.path(), "typescript/bin/tsc", &["--strict", "--noEmit", "other-use.ts"])?;
    Ok(())
}

#[test]
fn the_same_slots_give_the_same_documents() {
    let (one, other) = (Stage::new(), Stage::new());
    assert_eq!(one.openapi().to_string(), other.openapi().to_string());
    assert_eq!(one.typescript(), other.typescript());
}
