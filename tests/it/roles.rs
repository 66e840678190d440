//! What a component may do to data is its role's grants, whatever SQL it sends.

use anyhow::{Context as _, Result, bail};
use avenire_app::{AppError, role_name};
use avenire_tests::{TestHost, TestProject, repository};
use serde_json::{Value, json};

use crate::stage::short_error;
use crate::{harness, run};

/// A project whose slots have the grants of the repository's own manifest, but all
/// serve the hostile component, with a migrated database and sample data.
async fn infiltrated() -> Result<(TestProject, TestHost)> {
    let manifest = std::fs::read_to_string(repository().join("avenire.toml"))?;
    let lines = manifest.lines().filter_map(|line| {
        if line.starts_with("contract = ") || line.starts_with("package = ") {
            return None;
        }
        let own = line.starts_with("path = \"target/components/");
        Some(if own { "path = \"target/components/hostile.wasm\"" } else { line })
    });
    project(&lines.collect::<Vec<_>>().join("\n")).await
}

async fn project(manifest: &str) -> Result<(TestProject, TestHost)> {
    let harness = harness().await?;
    harness.test_components().await?;
    let project = harness.project_with(manifest, harness.database().await?)?;
    let host = project.host().await?;
    Ok((project, host))
}

/// How a statement is refused, in short.
async fn refused(host: &TestHost, slot: &str, sql: &str) -> Result<String> {
    let outcome = host.outcome(&format!("{slot}.run-sql"), json!({"sql": sql})).await??;
    match outcome.result {
        Err(failure) => Ok(short_error(&failure)),
        Ok(rows) => bail!("{slot} may {sql}: {rows}"),
    }
}

/// The first cell of a statement's first row.
async fn cell(host: &TestHost, slot: &str, sql: &str) -> Result<Value> {
    let rows = host.ok(&format!("{slot}.run-sql"), json!({"sql": sql})).await?;
    rows.pointer("/0/0").cloned().context("a row")
}

#[test]
fn a_component_sees_its_own_tables_only() -> Result<()> {
    run(async {
        let (_project, host) = infiltrated().await?;
        let all = [
            "users",
            "accounts",
            "email_verifications",
            "passkeys",
            "chat",
            "message",
            "user_settings",
        ];
        let own: [(&str, &[&str]); 3] = [
            ("auth", &["users", "accounts", "email_verifications", "passkeys"]),
            ("chat", &["chat", "message"]),
            ("settings", &["user_settings"]),
        ];
        for (slot, own) in own {
            for table in all {
                let sql = format!("select count(*) from {table}");
                if own.contains(&table) {
                    cell(&host, slot, &sql).await?;
                } else {
                    assert_eq!(refused(&host, slot, &sql).await?, "42501", "{slot} {table}");
                }
            }
        }
        // Auth makes a user's settings, and can do nothing else with them.
        for sql in [
            "insert into user_settings (user_id, model) values ('user-1', 'x')",
            "update user_settings set model = 'x'",
            "delete from user_settings",
        ] {
            assert_eq!(refused(&host, "auth", sql).await?, "42501", "{sql}");
        }
        assert_eq!(refused(&host, "settings", "delete from user_settings").await?, "42501");
        Ok(())
    })
}

#[test]
fn each_component_logs_in_as_its_own_role() -> Result<()> {
    run(async {
        let (project, host) = infiltrated().await?;
        for slot in ["auth", "chat", "settings"] {
            let role = role_name(project.database().name(), slot);
            let names = "select session_user || ' ' || current_user";
            assert_eq!(cell(&host, slot, names).await?, format!("{role} {role}"));
        }
        Ok(())
    })
}

#[test]
fn no_statement_leaves_the_role() -> Result<()> {
    run(async {
        let (project, host) = infiltrated().await?;
        let role = role_name(project.database().name(), "chat");
        let auth = role_name(project.database().name(), "auth");
        let cases = [
            ("reset role", "denied"),
            ("reset all", "denied"),
            ("set role postgres", "denied"),
            ("/* */ SET\tROLE none", "denied"),
            ("set session authorization default", "denied"),
            ("set local role postgres", "denied"),
            ("begin", "denied"),
            ("discard all", "denied"),
            ("select 1; set role postgres", "42601"),
            ("select set_config('role', 'postgres', false)", "denied"),
            (&format!("select set_config('role', '{auth}', false)"), "denied"),
            ("select set_config('session_authorization', 'postgres', false)", "denied"),
            ("do $$ begin set role postgres; end $$", "denied"),
            ("do $$ begin execute 'set session authorization postgres'; end $$", "denied"),
            (&format!("alter role {role} superuser"), "denied"),
            (&format!("alter role {role} createrole"), "denied"),
            // Its own password and settings would outlive the call.
            (&format!("alter role {role} password 'x'"), "denied"),
            (&format!("alter user {role} set statement_timeout = 0"), "denied"),
            (&format!("grant {auth} to {role}"), "denied"),
            (&format!("grant {role} to {auth}"), "denied"),
            ("grant all on accounts to public", "denied"),
            ("revoke all on chat from current_user", "denied"),
            ("drop owned by current_user", "denied"),
            (&format!("reassign owned by {auth} to {role}"), "denied"),
            ("alter default privileges grant all on tables to public", "denied"),
            (&format!("alter role {auth} password 'x'"), "denied"),
            ("create role mine", "42501"),
            ("create database mine", "42501"),
            ("create schema mine", "42501"),
            ("create table mine (a int)", "42501"),
            ("create temp table mine (a int)", "denied"),
            ("create function mine() returns int language sql as 'select 1'", "denied"),
            ("create function pg_temp.mine() returns int language sql as 'select 1'", "denied"),
            ("create extension dblink", "42501"),
            ("alter table chat add column a int", "42501"),
            ("alter table accounts owner to current_user", "42501"),
            ("drop table message", "42501"),
            ("truncate message", "42501"),
            ("copy chat to program 'id'", "denied"),
            ("do $$ begin execute 'copy (select 1) to program ''id'''; end $$", "denied"),
            ("do $$ begin execute 'copy accounts to ''/dev/null'''; end $$", "denied"),
            ("select pg_read_file('/etc/passwd')", "42501"),
            ("select pg_ls_dir('.')", "42501"),
            ("select lo_import('/etc/passwd')", "42501"),
            ("select * from pg_authid", "42501"),
            ("select pg_reload_conf()", "42501"),
            ("alter system set log_statement = 'all'", "denied"),
            ("load '$libdir/plpgsql'", "denied"),
        ];
        for (sql, how) in cases {
            assert_eq!(refused(&host, "chat", sql).await?, how, "{sql}");
        }
        assert_eq!(cell(&host, "chat", "select current_user").await?, role.as_str());
        assert_eq!(refused(&host, "chat", "select count(*) from accounts").await?, "42501");
        Ok(())
    })
}

#[test]
fn a_grant_may_be_limited_to_columns() -> Result<()> {
    run(async {
        let manifest = r#"
            [components.narrow]
            path = "target/components/hostile.wasm"
            grants = { users = ["select(id, name)", "update(name)"] }
        "#;
        let (_project, host) = project(manifest).await?;
        cell(&host, "narrow", "select id || name from users limit 1").await?;
        host.ok(
            "narrow.execute-sql",
            json!({"sql": "update users set name = name where id = 'user-1'"}),
        )
        .await?;
        for sql in [
            "select email from users",
            "select * from users",
            "select id from users where email like 'a%'",
            "update users set email = 'a@b'",
            "insert into users (name, email) values ('a', 'a@b')",
            "delete from users",
        ] {
            assert_eq!(refused(&host, "narrow", sql).await?, "42501", "{sql}");
        }
        Ok(())
    })
}

#[test]
fn a_grant_that_leaves_the_manifest_is_taken_back() -> Result<()> {
    run(async {
        let manifest = |grants: &str| {
            format!(
                "[components.changing]\npath = \"target/components/hostile.wasm\"\ngrants = {grants}\n"
            )
        };
        let (project, host) = project(&manifest(r#"{ users = ["select"], chat = "all" }"#)).await?;
        cell(&host, "changing", "select count(email) from users").await?;
        drop(host);
        let changed = manifest(r#"{ users = ["select(id)"] }"#);
        std::fs::write(project.folder().join("avenire.toml"), changed)?;
        let host = project.host().await?;
        cell(&host, "changing", "select count(id) from users").await?;
        assert_eq!(refused(&host, "changing", "select count(email) from users").await?, "42501");
        assert_eq!(refused(&host, "changing", "select count(*) from chat").await?, "42501");
        Ok(())
    })
}

#[test]
fn a_grant_on_a_table_that_does_not_exist_is_an_error_at_the_start() -> Result<()> {
    run(async {
        let manifest = "[components.lost]\npath = \"target/components/hostile.wasm\"\ngrants = { atlantis = \"all\" }\n";
        let Err(error) = project(manifest).await else { bail!("it started") };
        let text = error.to_string();
        assert!(text.contains("lost") && text.contains("public.atlantis"), "{text}");
        Ok(())
    })
}

#[test]
fn a_swap_adds_grants_that_are_lacking_and_takes_none_from_others() -> Result<()> {
    run(async {
        let manifest = "[components.shared]\npath = \"target/components/hostile.wasm\"\n\
                        grants = { chat = [\"select\"] }\n";
        let (project, host) = project(manifest).await?;
        let role = role_name(project.database().name(), "shared");
        // As a host with another manifest would leave it that started later.
        let other = format!(
            "revoke all on chat from {role}; grant select on users to {role}; \
             comment on role {role} is 'avenire-db other'"
        );
        project.database().run(&other).await?;
        assert_eq!(refused(&host, "shared", "select count(*) from chat").await?, "42501");
        let mut next = std::fs::read(repository().join("target/components/hostile.wasm"))?;
        next.extend([0, 3, 2, b'n', b'a']);
        host.swap("shared", next, 2).await?;
        cell(&host, "shared", "select count(*) from chat").await?;
        cell(&host, "shared", "select count(*) from users").await?;
        // A host that starts makes it exact.
        let host = project.host().await?;
        assert_eq!(refused(&host, "shared", "select count(*) from users").await?, "42501");
        Ok(())
    })
}

#[test]
fn what_a_user_of_ones_own_lacks_is_named_all_at_once() -> Result<()> {
    run(async {
        let harness = harness().await?;
        harness.test_components().await?;
        let database = harness.database().await?;
        let role = format!("own_{}", database.name());
        database.run(&format!("create role {role} login; grant select on chat to {role}")).await?;
        let url = database.url().replacen("postgres@", &format!("{role}@"), 1);
        let url = if url.contains(&role) { url } else { format!("{url}&user={role}") };
        let manifest = format!(
            "[components.own]\npath = \"target/components/hostile.wasm\"\nurl = \"{url}\"\n\
             grants = {{ chat = [\"select\", \"update(title, nothing)\"], users = [\"delete\"] }}\n"
        );
        let project = harness.project_with(&manifest, database)?;
        let Some(error) = project.host().await.err() else { bail!("it started") };
        match error.downcast::<AppError>()? {
            AppError::MissingGrants { component, user, lacked } => {
                assert_eq!((component.as_str(), user), ("own", role));
                let expected =
                    ["update(title) on chat", "update(nothing) on chat", "delete on users"];
                assert_eq!(lacked, expected);
            }
            other => bail!("{}", other.with_causes()),
        }
        Ok(())
    })
}
