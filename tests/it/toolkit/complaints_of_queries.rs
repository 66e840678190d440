//! The rest of the list of complaints: those about queries, about several packages in one
//! database, and about migrations that need a file system.

use anyhow::Result;
use serde_json::json;

use crate::stage::{Stage, step};
use crate::{harness, run};

#[test]
fn complaint_13_there_are_no_interactive_transactions() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        // What is read decides what is done, all in one transaction, which is then given up.
        let steps = json!([
            "begin",
            step("transaction-query", "select count(*) from note"),
            step("transaction-execute", "insert into note (text) values ('first')"),
            "savepoint",
            step("transaction-execute", "insert into note (text) values ('first')"),
            "rollback-to-savepoint",
            step("transaction-query", "select count(*) from note"),
            "rollback",
            step("query", "select count(*) from note"),
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "0", "1", "", "!23505", "", "1", "", "0"]);
        Ok(())
    })
}

#[test]
fn complaint_14_an_idle_connection_that_was_cut_fails_the_next_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        stage.serves("steady").await?;
        let cut = "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()";
        assert!(stage.database().count(cut).await? > 0, "nothing was connected");
        stage.serves("steady").await
    })
}

#[test]
fn complaint_15_errors_carry_the_values_of_the_query() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let user = json!({ "user": {
            "name": "n", "email": "s3cret@example.com", "emailVerified": false,
        } });
        let call = ["call", "auth.create-user", &user.to_string()];
        assert_eq!(project.run(&call)?.code, 0);
        let refused = project.run(&call)?;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("users_email"), "names the constraint: {refused:?}");
        assert!(!refused.stdout.contains("s3cret"), "{refused:?}");
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        Ok(())
    })
}

#[test]
fn complaint_16_statements_are_built_and_prepared_again_for_each_call() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let steps = json!([
            "begin",
            step("transaction-query", "select 40 + 2"),
            step("transaction-query", "select 40 + 2"),
            step("transaction-query", "select 40 + 2"),
            step(
                "transaction-query",
                "select count(*)::text || ' ' || sum(generic_plans + custom_plans)::text
                 from pg_prepared_statements where statement = 'select 40 + 2'"
            ),
            "rollback",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes[4], "1 3", "prepared once, run three times");
        Ok(())
    })
}

#[test]
fn complaint_17_there_is_no_cursor_for_large_results() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        let steps = json!([
            step("open-cursor", "select repeat('x', 1000) from generate_series(1, 100000)"),
            { "tag": "next", "val": 4096 },
            { "tag": "next", "val": 4096 },
            "drop-cursor",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        for piece in &outcomes[1..3] {
            assert!(!piece.is_empty() && piece.len() <= 8192, "{} bytes", piece.len());
        }
        Ok(())
    })
}

#[test]
fn complaint_18_packages_that_share_a_database_share_a_ledger() -> Result<()> {
    run(async {
        let manifest = "[components.billing]\npath = \"billing.wasm\"\nmigrations = \"billing\"\n";
        let project = harness().await?.toolkit_with(manifest).await?;
        project.migration("0002_own.sql", "create table own (id int primary key);")?;
        let folder = project.folder().join("billing");
        std::fs::create_dir(&folder)?;
        std::fs::write(folder.join("0001_bill.sql"), "create table bill (id int primary key);")?;
        project.done(&["migrate"])?;
        let ledger = "select string_agg(component || ' ' || version, ', ' order by component)
            from _avenire.migrations";
        let rows = project.database().rows(ledger, &[]).await?;
        assert_eq!(rows[0].get::<_, String>(0), "billing 1, main 2");
        // A later one with a low number of the one is not hidden by the high one of the other.
        std::fs::write(folder.join("0002_more.sql"), "create table more (id int primary key);")?;
        project.done(&["migrate"])?;
        assert_eq!(project.database().count("select count(*) from more").await?, 0);
        Ok(())
    })
}

#[test]
fn complaint_19_migrations_need_a_file_system() -> Result<()> {
    run(async {
        let harness = harness().await?;
        harness.components().await?;
        let manifest = "[components.settings]\npath = \"built.wasm\"\nmigrations = \"embedded\"\n";
        let project = harness.toolkit_with(manifest).await?;
        let built = avenire_tests::repository().join("target/components/settings.wasm");
        let source = project.folder().join("later");
        std::fs::create_dir(&source)?;
        std::fs::write(
            source.join("0001_inside.sql"),
            "create table inside (id int primary key);",
        )?;
        let component = std::fs::read(built)?;
        let with = avenire_app::with_migrations(&component, &source)?;
        std::fs::write(project.folder().join("built.wasm"), with)?;
        std::fs::remove_dir_all(&source)?;
        project.done(&["migrate"])?;
        assert_eq!(project.database().count("select count(*) from inside").await?, 0);
        let status = project.done(&["--json", "status"])?.json()?;
        assert!(status.to_string().contains("0001_inside"), "{status}");
        Ok(())
    })
}
