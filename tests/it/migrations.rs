//! How the command refuses a folder of migrations. What the runner itself does is tested beside the
//! schema toolkit.

use anyhow::Result;

use crate::{harness, run};

const TABLE: (&str, &str) = ("0001_table.sql", "create table counter (n int not null);\n");

#[test]
fn an_unusable_file_is_refused_by_name_before_anything_is_applied() -> Result<()> {
    run(async {
        let cases: [(&str, &[u8], &str); 9] = [
            ("0001_twin.sql", b"select 1", "0001_table.sql and 0001_twin.sql have the same number"),
            ("2_short.sql", b"select 1", "2_short.sql is not named like a migration"),
            ("0002_a b.sql", b"select 1", "0002_a b.sql is not named like a migration"),
            ("0002_a.SQL", b"select 1", "0002_a.SQL is not named like a migration"),
            ("0002_empty.sql", b"", "0002_empty.sql has no statement"),
            ("0002_comment.sql", b"-- later\n;\n", "0002_comment.sql has no statement"),
            (
                "0002_latin.sql",
                b"select 1;\nselect '\xe4'",
                "0002_latin.sql is not UTF-8 text (line 2)",
            ),
            ("0002_commit.sql", b"select 1;\ncommit;", "0002_commit.sql has `commit` (line 2)"),
            (
                "0002_open.sql",
                b"select 1;\nselect 'a;",
                "0002_open.sql has a quote that is never closed (line 2)",
            ),
        ];
        let harness = harness().await?;
        let project = harness.project_with("", harness.empty_database().await?)?;
        let migrations = project.folder().join("migrations");
        std::fs::remove_file(&migrations)?;
        for (name, bytes, told) in cases {
            std::fs::create_dir(&migrations)?;
            std::fs::write(migrations.join(TABLE.0), TABLE.1)?;
            std::fs::write(migrations.join(name), bytes)?;
            let finished = project.run(&["migrate"])?;
            assert_eq!(finished.code, 3, "{name}: {finished:?}");
            assert!(finished.stderr.contains(told), "{told}: {finished:?}");
            assert!(finished.stderr.contains("hint: "), "{finished:?}");
            std::fs::remove_dir_all(&migrations)?;
        }
        let tables = "select count(*) from pg_tables where schemaname in ('public', '_avenire')";
        assert_eq!(project.database().count(tables).await?, 0, "nothing was applied");
        Ok(())
    })
}
