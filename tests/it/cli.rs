//! The program as users run it: arguments, output, exit codes. Proves that each
//! kind of wrong input is told with what is wrong, where and what to do, and that
//! no message carries a secret or a backtrace.

use anyhow::Result;
use avenire_tests::{Finished, TestProject};
use serde_json::json;

use crate::{harness, run};

/// What no message may contain, whatever went wrong.
fn is_clean(finished: &Finished) {
    for secret in ["s3cret", "stack backtrace", "panicked at", "RUST_BACKTRACE"] {
        let text = format!("{}{}", finished.stdout, finished.stderr);
        assert!(!text.contains(secret), "{secret} in: {text}");
    }
}

/// Runs the program and checks the exit code and that each part is told.
fn check(project: &TestProject, arguments: &[&str], code: i32, parts: &[&str]) -> Result<Finished> {
    let finished = project.run(arguments)?;
    assert_eq!(finished.code, code, "{arguments:?}: {finished:?}");
    for part in parts {
        assert!(finished.stderr.contains(part), "{arguments:?}: no {part:?} in {finished:?}");
    }
    is_clean(&finished);
    Ok(finished)
}

#[test]
fn a_call_prints_its_result_as_json() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let arguments = json!({ "chatId": "chat-1", "reader": "user-1" }).to_string();
        let call = ["call", "chat.get-messages-by-chat-id", arguments.as_str()];
        let finished = check(&project, &call, 0, &[])?;
        let messages = finished.json()?;
        assert_eq!(messages[0]["id"], "message-1-1");
        assert_eq!(messages[0]["chatId"], "chat-1");
        assert!(messages[0]["parts"].is_array(), "parts are JSON, not a string: {messages}");
        let camel = ["--json", "call", "chat.getMessagesByChatId", arguments.as_str()];
        let wrapped = check(&project, &camel, 0, &[])?.json()?;
        assert_eq!(wrapped["result"], messages);
        Ok(())
    })
}

#[test]
fn every_function_can_be_called_on_the_sample_data() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let list = project.run(&["--json", "components", "list"])?.json()?;
        let components = list["components"].as_array().unwrap();
        assert_eq!(components.len(), 3, "{list}");
        for component in components {
            let name = component["component"].as_str().unwrap();
            for function in component["functions"].as_array().unwrap() {
                let function = format!("{name}.{}", function["name"].as_str().unwrap());
                // Without arguments each function that needs one says which.
                let finished = project.run(&["call", &function])?;
                let is_told = finished.stderr.contains("is missing; expected");
                assert!(
                    is_told && finished.code == 3 || finished.code == 0,
                    "{function}: {finished:?}"
                );
                is_clean(&finished);
            }
        }
        Ok(())
    })
}

#[test]
fn a_functions_own_failure_is_exit_code_1() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let call = ["call", "chat.get-chat-by-id", r#"{"chatId":"no-such-chat"}"#];
        check(&project, &call, 1, &["answered with a failure", "not-found"])?;
        let finished = project.run(&[&["--json"], call.as_slice()].concat())?;
        assert_eq!(finished.json()?["failure"]["tag"], "not-found");
        Ok(())
    })
}

#[test]
fn wrong_arguments_are_exit_code_3_and_told_with_their_path() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let function = "chat.get-chat-by-id";
        check(&project, &["call", function, "{"], 3, &["the arguments are not JSON", "hint: "])?;
        check(&project, &["call", function, "[]"], 3, &["not a JSON object"])?;
        check(&project, &["call", function, "{}"], 3, &["chatId: is missing"])?;
        let wrong = ["call", function, r#"{"chatId":7}"#];
        check(&project, &wrong, 3, &["chatId: expected string, found a number"])?;
        let typo = ["call", function, r#"{"chatId":"x","raeder":"y"}"#];
        check(&project, &typo, 3, &["unknown parameter `raeder`; the nearest is `reader`"])?;
        let name = ["call", "chat.get-chat-by-ids", "{}"];
        check(
            &project,
            &name,
            3,
            &["has no function get-chat-by-ids; the nearest is get-chat-by-id"],
        )?;
        check(&project, &["call", "chta.f", "{}"], 3, &["no component chta; the nearest is chat"])?;
        check(&project, &["call", "chat", "{}"], 3, &["`chat` does not name a function"])?;
        check(&project, &["call", function, "@missing.json"], 3, &["missing.json"])?;
        check(&project, &["calll"], 2, &["unrecognized subcommand", "call"])?;
        Ok(())
    })
}

#[test]
fn a_wrong_manifest_is_told_with_its_place() -> Result<()> {
    run(async {
        let harness = harness().await?;
        let project = harness.project_with(
            "[components.chat]\npath = \"x.wasm\"\nlimit = 1\n",
            harness.empty_database().await?,
        )?;
        let parts = ["avenire.toml:3:1", "unknown field `limit`", "did you mean `limits`?"];
        check(&project, &["doctor"], 3, &parts)?;
        let nowhere = ["--project", "/", "doctor"];
        check(&project, &nowhere, 3, &["there is no avenire.toml in /", "hint: "])?;
        Ok(())
    })
}

#[test]
fn a_wrong_component_file_is_exit_code_4_and_every_one_is_told() -> Result<()> {
    run(async {
        let harness = harness().await?;
        let project = harness.project_with("", harness.empty_database().await?)?;
        std::fs::write(project.folder().join("empty.wasm"), b"")?;
        std::fs::write(project.folder().join("text.wasm"), b"hello")?;
        std::fs::write(project.folder().join("core.wasm"), b"\0asm\x01\0\0\0")?;
        let files = ["components", "check", "empty.wasm", "text.wasm", "core.wasm"];
        let parts = ["is empty (0 bytes)", "is not WebAssembly", "core WebAssembly module"];
        check(&project, &files, 4, &parts)?;
        check(
            &project,
            &["components", "check", "none.wasm"],
            3,
            &["could not read the component"],
        )?;
        Ok(())
    })
}

#[test]
fn a_wrong_or_dead_database_is_told_without_its_password() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let call = ["call", "settings.get-settings", r#"{"userId":"user-1"}"#];
        let with = |url: &str| -> Result<Finished> {
            let finished = project.run_with(&call, &[("DATABASE_URL", url)])?;
            is_clean(&finished);
            Ok(finished)
        };
        let dead = with("postgres://me:s3cret@127.0.0.1:1/app")?;
        assert_eq!(dead.code, 5, "{dead:?}");
        assert!(dead.stderr.contains("127.0.0.1:1"), "{dead:?}");
        let typo = with("postgres://me:s3cret@127.0.0.1/app?sslmod=require")?;
        assert_eq!(typo.code, 3, "{typo:?}");
        assert!(typo.stderr.contains("sslmode"), "the nearest key: {typo:?}");
        let scheme = with("postgrs://me:s3cret@127.0.0.1/app")?;
        assert_eq!(scheme.code, 3, "{scheme:?}");
        let missing =
            project.database().url().replace(project.database().name(), "no_such_database");
        let missing = with(&missing)?;
        assert_eq!(missing.code, 5, "{missing:?}");
        assert!(missing.stderr.contains("no_such_database"), "{missing:?}");
        Ok(())
    })
}

#[test]
fn migrate_applies_once_and_says_so() -> Result<()> {
    run(async {
        let harness = harness().await?;
        let manifest = std::fs::read_to_string(avenire_tests::repository().join("avenire.toml"))?;
        let project = harness.project_with(&manifest, harness.empty_database().await?)?;
        let first = project.run(&["--json", "migrate"])?.json()?;
        assert_eq!(first["applied"].as_array().unwrap().len(), 3, "{first}");
        let second = project.run(&["migrate"])?;
        assert!(second.stdout.contains("nothing to do: 3 migrations are applied"), "{second:?}");
        assert_eq!(project.run(&["seed"])?.code, 0);
        assert_eq!(project.run(&["seed"])?.code, 0, "seeding again is no error");
        assert_eq!(project.database().count("select count(*) from users").await?, 3);
        Ok(())
    })
}

#[test]
fn doctor_finds_nothing_on_a_sound_project_and_names_what_is_broken() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let sound = project.run(&["doctor"])?;
        assert_eq!(sound.code, 0, "{sound:?}");
        assert!(!sound.stdout.contains("broken"), "{sound:?}");
        assert!(sound.stdout.contains("login of auth: as avenire_"), "{sound:?}");
        project.database().run("drop table passkeys").await?;
        let broken = project.run(&["doctor"])?;
        assert_eq!(broken.code, 1, "{broken:?}");
        assert!(broken.stdout.contains("public.passkeys, which does not exist"), "{broken:?}");
        Ok(())
    })
}
