//! Components that test themselves before they serve: in one transaction, which can only read, and
//! of which nothing stays.

use anyhow::{Context as _, Result};
use avenire_app::engine::CallError;
use avenire_app::{AppError, role_name};
use avenire_tests::{TestHost, TestProject, repository};
use serde_json::json;

use crate::{harness, run};

/// The slot `tested`, whose component's own test does what the rows of `script` say.
const MANIFEST: &str = "[components.tested]\npath = \"target/components/tested.wasm\"\n\
    contract = \"test:tested/queries@0.1.0\"\n\
    grants = { script = \"all\", note = \"all\" }\nlimits = { time = \"2s\" }";

const TABLES: &str = "create table script (number int generated always as identity, text text);\
    create table note (id int primary key)";

async fn project() -> Result<TestProject> {
    let harness = harness().await?;
    harness.test_components().await?;
    let database = harness.empty_database().await?;
    database.run(TABLES).await?;
    harness.project_with(MANIFEST, database)
}

/// Another component by its digest, which does the same.
fn bytes(mark: u8) -> Result<Vec<u8>> {
    let mut bytes = std::fs::read(repository().join("target/components/tested.wasm"))?;
    bytes.extend([0, 3, 2, b'n', mark]);
    Ok(bytes)
}

async fn script(project: &TestProject, steps: &[&str]) -> Result<()> {
    project.database().run("truncate script restart identity").await?;
    for step in steps {
        let step = step.replace('\'', "''");
        project.database().run(&format!("insert into script (text) values ('{step}')")).await?;
    }
    Ok(())
}

/// Why a swap is refused when the component's own test takes these steps.
async fn refusal(host: &TestHost, project: &TestProject, steps: &[&str]) -> Result<AppError> {
    script(project, steps).await?;
    let refused = host.swap("tested", bytes(b'x')?, 2).await.err();
    assert_eq!(host.slot("tested")?.generation(), 1, "what serves was changed by {steps:?}");
    refused.with_context(|| format!("{steps:?} were accepted"))
}

fn problems(error: AppError) -> Vec<String> {
    match error {
        AppError::SelfTest { problems, .. } => problems,
        other => panic!("{}", other.with_causes()),
    }
}

#[test]
fn a_component_whose_own_test_passes_serves() -> Result<()> {
    run(async {
        let project = project().await?;
        let host = project.host().await?;
        script(&project, &["select count(*) from note", "cursor", "batch", "nested"]).await?;
        host.swap("tested", bytes(b'a')?, 2).await?;
        assert_eq!(host.ok("tested.answer", json!({})).await?, json!("alive"));
        // Its test is the host's to call.
        let error = host.error("tested.run", json!({})).await?;
        assert!(matches!(error, CallError::UnknownFunction { .. }), "{error:?}");
        Ok(())
    })
}

#[test]
fn all_that_a_test_finds_is_told_and_what_it_wrote_was_refused() -> Result<()> {
    run(async {
        let project = project().await?;
        let host = project.host().await?;
        let steps = [
            "insert into note values (1)",
            "select 1",
            "select nothing from note",
            "create table other (id int)",
            "commit",
            "set transaction read write",
            "select 1 / 0",
        ];
        let found = problems(refusal(&host, &project, &steps).await?);
        let told = ["(SQLSTATE 25006)", "(SQLSTATE 42703)", "(SQLSTATE 25006)", "not allowed"];
        let told = told.into_iter().chain(["not allowed", "(SQLSTATE 22012)"]);
        assert_eq!(found.len(), 6, "{found:?}");
        for (problem, told) in found.iter().zip(told) {
            assert!(problem.contains(told), "{told} is not in {problem}");
        }
        assert_eq!(project.database().count("select count(*) from note").await?, 0);
        Ok(())
    })
}

#[test]
fn a_statement_that_fails_outside_of_a_check_fails_those_after_it() -> Result<()> {
    run(async {
        let project = project().await?;
        let host = project.host().await?;
        let steps = ["plain select 1 / 0", "plain select 1"];
        let found = problems(refusal(&host, &project, &steps).await?);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| one.contains("aborted")), "{found:?}");
        Ok(())
    })
}

#[test]
fn a_test_that_panics_or_does_not_end_is_refused_with_the_reason() -> Result<()> {
    run(async {
        let project = project().await?;
        let host = project.host().await?;
        let error = refusal(&host, &project, &["panic"]).await?;
        let AppError::SelfTestFailed { source: CallError::Panicked { message, .. }, .. } = &error
        else {
            panic!("{error:?}")
        };
        assert!(message.contains("so be it"), "{message}");
        let error = refusal(&host, &project, &["loop"]).await?;
        let AppError::SelfTestFailed { source: CallError::Deadline { function, .. }, .. } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(function, "self-test");
        // What a component says of itself is bounded.
        let found = problems(refusal(&host, &project, &["problems"]).await?);
        assert_eq!(found.len(), 50);
        assert!(found.iter().all(|one| one.chars().count() <= 500));
        Ok(())
    })
}

#[test]
fn a_host_does_not_start_with_a_component_that_finds_itself_unfit() -> Result<()> {
    run(async {
        let project = project().await?;
        script(&project, &["select * from nowhere"]).await?;
        let error = project.host().await.err().context("it started")?;
        let problem = &problems(error.downcast::<AppError>()?)[0];
        assert!(problem.contains("nowhere") && problem.contains("42P01"), "{problem}");
        Ok(())
    })
}

#[test]
fn a_check_runs_the_test_of_a_component_and_changes_nothing() -> Result<()> {
    run(async {
        let project = project().await?;
        let role = role_name(project.database().name(), "tested");
        let roles = format!("select count(*) from pg_roles where rolname = '{role}'");
        let before = project.run(&["components", "check", "tested"])?;
        assert_eq!(before.code, 0, "{before:?}");
        assert!(before.stdout.contains("its role does not exist yet"), "{before:?}");
        assert_eq!(project.database().count(&roles).await?, 0);
        drop(project.host().await?);
        script(&project, &["select 1 / 0"]).await?;
        let refused = project.run(&["components", "check"])?;
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("division by zero"), "{refused:?}");
        let offline = project.run(&["components", "check", "--offline"])?;
        assert_eq!(offline.code, 0, "{offline:?}");
        assert!(offline.stdout.contains("was not looked at"), "{offline:?}");
        Ok(())
    })
}
