//! The toolkit from an empty folder to a rollback, and what its commands print.

use anyhow::Result;
use serde_json::json;

use super::CHAT;
use crate::{harness, run};

#[test]
fn the_schema_of_this_repository_is_what_its_migrations_produce() -> Result<()> {
    run(async {
        let harness = harness().await?;
        let manifest = std::fs::read_to_string(avenire_tests::repository().join("avenire.toml"))?;
        let scratch = format!("[database]\nscratch-url = \"{}\"\n", harness.cluster().url());
        let manifest = manifest.replace("[database]\n", &scratch);
        let project = harness.project_with(&manifest, harness.database().await?)?;
        let folder = project.folder().join("guest-queries");
        std::os::unix::fs::symlink(avenire_tests::repository().join("guest-queries"), folder)?;
        for command in [&["generate", "--check"][..], &["verify"], &["check", "--strict"]] {
            let finished = project.run(command)?;
            assert_eq!(finished.code, 0, "{command:?}: {finished:?}");
        }
        Ok(())
    })
}

#[test]
fn from_nothing_to_a_migrated_database_and_back() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.refused(&["generate", "--check"], 1, &["missing", "avenire-db generate"])?;
        assert!(project.files()?.is_empty(), "a check writes nothing");
        let generated = project.done(&["--json", "generate", "first"])?.json()?;
        let files =
            ["own/0001_first.sql", "own/0001_first.down.sql", "own/snapshots/0001_first.json"];
        assert_eq!(generated["files"], json!(files));
        project.done(&["generate", "--check"])?;
        let again = project.done(&["--json", "generate"])?.json()?;
        assert_eq!(again["files"], json!([]), "an immediate second one is empty");
        project.done(&["migrate"])?;
        project.done(&["verify"])?;
        let migrated = project.done(&["--json", "migrate"])?.json()?;
        assert_eq!(migrated["applied"], json!([]));
        project.database().run("alter table chat add column extra int").await?;
        project.refused(&["verify"], 1, &["chat", "extra"])?;
        project.database().run("alter table chat drop column extra").await?;
        project.done(&["rollback", "--to", "0", "--accept", "deletes-data"])?;
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        assert_eq!(project.database().count(tables).await?, 0);
        Ok(())
    })
}

#[test]
fn an_empty_migration_is_for_hand_written_sql() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.done(&["generate", "--empty", "fill"])?;
        assert_eq!(project.files()?, ["0001_fill.sql"]);
        project.refused(&["migrate"], 3, &["0001_fill.sql", "no statement"])?;
        project.migration("0001_fill.sql", "create table t (id int primary key);")?;
        project.done(&["migrate"])?;
        Ok(())
    })
}

#[test]
fn a_change_of_type_that_rewrites_is_refused_unless_accepted() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema("table t { id: int, n: int, primary key (id) }")?;
        project.done(&["generate", "first"])?;
        project.schema("table t { id: int, n: bigint, primary key (id) }")?;
        project.refused(&["generate", "wider"], 3, &["rewrites-table", "--accept"])?;
        assert_eq!(project.files()?.len(), 2);
        project.done(&["generate", "wider", "--accept", "rewrites-table"])?;
        let sql = project.text("0002_wider.sql")?;
        assert!(sql.contains("-- hazard: rewrites-table"), "{sql}");
        Ok(())
    })
}

#[test]
fn a_database_that_was_there_before_is_adopted() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.done(&["generate", "first"])?;
        // The database is not what the migrations would make: adopting it would be a lie.
        project.refused(&["baseline"], 1, &["chat"])?;
        project.database().run(&project.text("0001_first.sql")?).await?;
        project.done(&["baseline"])?;
        project.done(&["verify"])?;
        let migrated = project.done(&["--json", "migrate"])?.json()?;
        assert_eq!(migrated["applied"], json!([]));
        Ok(())
    })
}
