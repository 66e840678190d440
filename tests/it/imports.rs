//! What is refused as a component, and by which name: a component can import the
//! database interface as this host has it, and nothing else.

use std::fs::File;
use std::path::Path;

use anyhow::{Result, bail};
use avenire_app::engine::{Blame, Function, LoadError};
use avenire_app::{AppError, check_file};
use avenire_tests::repository;
use tempfile::TempDir;

use crate::{harness, run};

/// A function `answer` that returns 42.
const ANSWER: &str = r#"
    (core module $module (func (export "answer") (result i32) (i32.const 42)))
    (core instance $instance (instantiate $module))
    (func $answer (result u32) (canon lift (core func $instance "answer")))
    (instance $api (export "answer" (func $answer)))
    (export "test:tiny/api@0.1.0" (instance $api))
"#;

/// A component that would be fine without those imports.
fn component(imports: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {imports} {ANSWER})")).expect("a valid text component")
}

/// Why a file with those bytes is refused.
fn refusal(bytes: &[u8]) -> Result<LoadError> {
    let folder = TempDir::new()?;
    let file = folder.path().join("tried.wasm");
    std::fs::write(&file, bytes)?;
    refusal_of(&file)
}

fn refusal_of(file: &Path) -> Result<LoadError> {
    match check_file(file.to_owned(), None) {
        Err(AppError::Component { component, file: named, source }) => {
            assert_eq!((component.as_str(), named.as_path()), ("tried", file));
            Ok(source)
        }
        Err(other) => Err(other.into()),
        Ok(component) => bail!("accepted: {component:?}"),
    }
}

/// The names that a component with those imports is refused for.
fn forbidden(imports: &str) -> Result<Vec<String>> {
    match refusal(&component(imports))? {
        LoadError::ForbiddenImports { imports } => Ok(imports),
        other => bail!("refused for another reason: {other:?}"),
    }
}

/// What does not fit about a component with those imports.
fn incompatible(imports: &str) -> Result<String> {
    match refusal(&component(imports))? {
        LoadError::Incompatible { reason } => Ok(reason),
        other => bail!("refused for another reason: {other:?}"),
    }
}

#[test]
fn what_is_no_component_is_told_apart() -> Result<()> {
    let whole = component("");
    assert!(matches!(refusal(b"")?, LoadError::Empty));
    assert!(matches!(refusal(b"#!/bin/sh\n")?, LoadError::NotWasm));
    assert!(matches!(refusal(&whole[..3])?, LoadError::NotWasm));
    assert!(matches!(refusal(&whole[..6])?, LoadError::Malformed { .. }));
    assert!(matches!(refusal(&wat::parse_str("(module)")?)?, LoadError::CoreModule));
    assert!(matches!(refusal(&wat::parse_str("(component)")?)?, LoadError::NothingExported));
    Ok(())
}

#[test]
fn a_component_cut_off_anywhere_is_refused() -> Result<()> {
    // Numbers instead of names: names end the bytes with a section that can be missing.
    let whole = wat::parse_str(
        r#"(component
            (core module (func (export "answer") (result i32) (i32.const 42)))
            (core instance (instantiate 0))
            (alias core export 0 "answer" (core func))
            (func (result u32) (canon lift (core func 0)))
            (instance (export "answer" (func 0)))
            (export "test:tiny/api@0.1.0" (instance 0)))"#,
    )?;
    for length in 8..whole.len() {
        // Where a section ends, what is left is whole but exports nothing.
        let error = refusal(&whole[..length])?;
        let named = matches!(error, LoadError::Malformed { .. } | LoadError::NothingExported);
        assert!(named, "cut off at {length} bytes: {error:?}");
    }
    Ok(())
}

#[test]
fn a_file_that_can_not_be_read_is_the_callers_mistake() -> Result<()> {
    let folder = TempDir::new()?;
    let missing = folder.path().join("tried.wasm");
    for file in [missing.clone(), {
        std::fs::create_dir(&missing)?;
        missing
    }] {
        let error = check_file(file, None).expect_err("nothing to load");
        assert_eq!(error.blame(), Blame::Caller, "{error:?}");
        assert!(error.hint().is_some());
    }
    Ok(())
}

#[test]
fn a_file_too_large_is_refused_unread() -> Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("tried.wasm");
    File::create(&file)?.set_len((64 << 20) + 1)?;
    let error = refusal_of(&file)?;
    assert!(
        matches!(error, LoadError::TooLarge { bytes, maximum } if bytes == maximum + 1),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn every_import_outside_of_the_database_interface_is_named() -> Result<()> {
    let environment = r#"(import "wasi:cli/environment@0.2.6" (instance
        (export "get-arguments" (func (result (list string))))))"#;
    let error = refusal(&component(environment))?;
    let text = error.to_string();
    assert!(text.contains("wasi:cli/environment@0.2.6"), "{text}");
    assert!(error.hint().is_some_and(|hint| hint.contains("wasm32-unknown-unknown")), "{error:?}");

    let sockets = r#"(import "acme:net/sockets" (instance (export "open" (func))))"#;
    assert_eq!(
        forbidden(&format!("{environment}{sockets}"))?,
        ["wasi:cli/environment@0.2.6", "acme:net/sockets"]
    );
    assert_eq!(forbidden(r#"(import "get-secret" (func (result string)))"#)?, ["get-secret"]);
    assert_eq!(forbidden(r#"(import "plugin" (core module))"#)?, ["plugin"]);
    // A resource is a type that comes with functions.
    let resource =
        r#"(import "acme:files/types" (instance (export "file" (type (sub resource)))))"#;
    assert_eq!(forbidden(resource)?, ["acme:files/types"]);
    // A name that only begins like the database interface is not it.
    let twin = r#"(import "avenire:database-admin/sql@0.1.0" (instance (export "drop" (func))))"#;
    assert_eq!(forbidden(twin)?, ["avenire:database-admin/sql@0.1.0"]);
    Ok(())
}

#[test]
fn a_database_interface_that_this_host_does_not_have_is_named() -> Result<()> {
    let cases = [
        ("avenire:database/admin@0.1.0", "drop-everything", "(func)"),
        ("avenire:database/sql@0.1.0", "drop-everything", "(func)"),
        ("avenire:database/sql@0.1.0", "execute", r#"(func (param "sql" string) (result u64))"#),
        ("avenire:database/diagnostics@0.1.0", "panicked", r#"(func (param "message" u32))"#),
    ];
    for (interface, function, ty) in cases {
        let import = format!(r#"(import "{interface}" (instance (export "{function}" {ty})))"#);
        let reason = incompatible(&import)?;
        assert!(reason.contains(interface) && reason.contains(function), "{interface}: {reason}");
    }
    Ok(())
}

#[test]
fn a_component_of_another_track_is_told_which_one_this_host_offers() -> Result<()> {
    for version in ["0.2.0", "0.0.9", "1.0.0", "0.1.0-rc.1"] {
        let sql = format!("avenire:database/sql@{version}");
        let import = format!(r#"(import "{sql}" (instance (export "execute" (func))))"#);
        match refusal(&component(&import))? {
            LoadError::OtherTrack { imports, offered } => {
                assert_eq!((imports, offered), (vec![sql], "avenire:database@0.1.0"));
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    Ok(())
}

#[test]
fn the_database_interface_and_plain_types_may_be_imported() -> Result<()> {
    let cases = [
        "",
        r#"(import "avenire:database/diagnostics@0.1.0" (instance
            (export "panicked" (func (param "message" string)))))"#,
        // Built against a later version of the track, using nothing of it.
        r#"(import "avenire:database/diagnostics@0.1.7" (instance
            (export "panicked" (func (param "message" string)))))"#,
        r#"(import "acme:shop/types@1.2.3" (instance
            (type $price (record (field "cents" u64))) (export "price" (type (eq $price)))))"#,
    ];
    let folder = TempDir::new()?;
    let file = folder.path().join("tried.wasm");
    for imports in cases {
        std::fs::write(&file, component(imports))?;
        let component = check_file(file.clone(), Some("test:tiny/api@0.1.0"))?;
        let names: Vec<&str> = component.functions().map(Function::name).collect();
        assert_eq!(names, ["answer"], "{imports}");
    }
    Ok(())
}

#[test]
fn code_beyond_what_an_instance_may_have_is_refused() -> Result<()> {
    let with_module = |fields: &str| {
        let module = format!("(core module $big {fields}) (core instance (instantiate $big))");
        refusal(&component(&module))
    };
    // 65536 pages of 64 KiB; a page more than the 1 GiB a manifest can ask for.
    for fields in
        ["(memory 65536)", "(memory 16385)", "(memory 1) (memory 1)", "(table 10000000 funcref)"]
    {
        let error = with_module(fields)?;
        let named = matches!(error, LoadError::Malformed { .. } | LoadError::Incompatible { .. });
        assert!(named, "{fields}: {error:?}");
    }
    Ok(())
}

#[test]
fn two_functions_of_one_name_are_refused() -> Result<()> {
    let twin = r#"(export "test:tiny/twin@0.1.0" (instance $api))"#;
    let bytes = wat::parse_str(format!("(component {ANSWER} {twin})"))?;
    let LoadError::Incompatible { reason } = refusal(&bytes)? else { bail!("another reason") };
    for word in ["answer", "test:tiny/api@0.1.0", "test:tiny/twin@0.1.0"] {
        assert!(reason.contains(word), "{reason}");
    }
    Ok(())
}

#[test]
fn a_component_without_its_contract_is_refused_with_what_it_exports() -> Result<()> {
    run(async {
        harness().await?.test_components().await?;
        let file = repository().join("target/components/hostile.wasm");
        check_file(file.clone(), Some("test:hostile/attacks@0.1.0"))?;
        let error = check_file(file, Some("avenire:chat/queries@0.1.0")).expect_err("no contract");
        assert_eq!(error.blame(), Blame::Guest);
        let AppError::Component {
            source: LoadError::MissingContract { contract, exports }, ..
        } = error
        else {
            bail!("another error: {error:?}")
        };
        assert_eq!(contract, "avenire:chat/queries@0.1.0");
        assert!(exports.contains(&"test:hostile/attacks@0.1.0".to_owned()), "{exports:?}");
        Ok(())
    })
}
