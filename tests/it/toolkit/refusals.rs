//! Bad input: each kind is refused with the exact place and the remedy, and leaves the database
//! and the folder as they were.

use anyhow::Result;
use avenire_tests::ToolkitProject;

use super::CHAT;
use crate::{harness, run};

/// Fails unless the database has no table.
async fn is_empty(project: &ToolkitProject) -> Result<()> {
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(project.database().count(tables).await?, 0, "the database is not as it was");
    Ok(())
}

#[test]
fn a_syntax_error_is_told_with_line_and_column() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_typo.sql", "create table a (id int);\n\nselect 1 +;\n")?;
        project.refused(
            &["migrate"],
            5,
            &["0001_typo.sql failed at line 3, column 11", "42601"],
        )?;
        is_empty(&project).await
    })
}

#[test]
fn a_migration_that_fails_half_way_changes_nothing() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        let sql = "create table a (id int primary key);\ninsert into a values (1), (1);\n";
        project.migration("0001_half.sql", sql)?;
        project.refused(&["migrate"], 5, &["0001_half.sql failed at line 2", "23505", "a_pkey"])?;
        is_empty(&project).await
    })
}

#[test]
fn an_edited_migration_is_refused() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_a.sql", "create table a (id int primary key);")?;
        project.done(&["migrate"])?;
        project.migration("0001_a.sql", "create table a (id int8 primary key);")?;
        project.migration("0002_b.sql", "create table b (id int primary key);")?;
        project.refused(&["migrate"], 3, &["0001_a.sql", "changed", "restore"])?;
        assert_eq!(
            project
                .database()
                .count("select count(*) from pg_tables where tablename = 'b'")
                .await?,
            0
        );
        Ok(())
    })
}

#[test]
fn twins_with_one_number_are_refused() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_a.sql", "create table a (id int);")?;
        project.migration("0001_b.sql", "create table b (id int);")?;
        project.refused(&["migrate"], 3, &["0001_a.sql", "0001_b.sql", "number"])?;
        is_empty(&project).await
    })
}

#[test]
fn a_foreign_key_to_nowhere_is_told_with_its_place() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(&CHAT.replace("references users (id)", "references people (id)"))?;
        // The module's first lines are its doc comment and the macro's.
        project.refused(&["generate", "first"], 3, &["src/app.rs:15:", "people"])?;
        project.schema(&CHAT.replace("references users (id)", "references users (nowhere)"))?;
        project.refused(&["generate", "first"], 3, &["src/app.rs:15:", "nowhere"])?;
        assert!(project.files()?.is_empty());
        Ok(())
    })
}

#[test]
fn an_expression_that_postgres_refuses_is_told_with_its_place() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema("table t { id: int, primary key (id), check ok \"id >\", }")?;
        project.refused(&["generate", "first"], 3, &["src/app.rs:", "42601"])?;
        assert!(project.files()?.is_empty());
        Ok(())
    })
}

#[test]
fn a_database_of_another_project_is_refused() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_theirs.sql", "create table theirs (id int primary key);")?;
        project.done(&["migrate"])?;
        std::fs::remove_file(project.folder().join("own/0001_theirs.sql"))?;
        project.migration("0001_ours.sql", "create table ours (id int primary key);")?;
        project.migration("0002_more.sql", "create table more (id int primary key);")?;
        project.refused(&["migrate"], 3, &["another project"])?;
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        assert_eq!(project.database().count(tables).await?, 1);
        Ok(())
    })
}

#[test]
fn a_pooler_url_is_refused_where_a_direct_one_is_needed() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration(
            "0001_index.sql",
            "-- avenire: no-transaction\ncreate index concurrently i on t (id);\n",
        )?;
        project.database().run("create table t (id int)").await?;
        let url = format!("{}&pgbouncer=true", project.database().url());
        let finished = project.run_with(&["migrate"], &[("DATABASE_URL", &url)])?;
        assert_ne!(finished.code, 0, "{finished:?}");
        assert!(finished.stderr.contains("DIRECT_DATABASE_URL"), "{finished:?}");
        let indexes = "select count(*) from pg_indexes where indexname = 'i'";
        assert_eq!(project.database().count(indexes).await?, 0);
        Ok(())
    })
}

#[test]
fn unknown_hazards_and_answers_are_refused() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.refused(&["generate", "a", "--accept", "everything"], 3, &["everything"])?;
        project.refused(
            &["generate", "a", "--rename", "chat"],
            3,
            &["`chat` does not begin with a kind"],
        )?;
        project.refused(&["generate", "a", "--rename", "table:chta=talk"], 3, &["chta"])?;
        project.refused(&["generate", "a b"], 3, &["a b"])?;
        assert!(project.files()?.is_empty());
        Ok(())
    })
}
