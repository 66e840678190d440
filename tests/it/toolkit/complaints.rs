//! What users of Drizzle Kit complain about, one test each, named after the complaint; the
//! numbers are those of the list in `ARCHITECTURE.md`. Those that are about queries, not about
//! migrations, show the same of the data layer.

use anyhow::Result;
use serde_json::json;

use super::CHAT;
use crate::{harness, run};

/// Adds a column to `chat` of [`CHAT`].
fn with_column(column: &str) -> String {
    CHAT.replace("title: text,", &format!("title: text,\n        {column},"))
}

#[test]
fn complaint_01_there_is_no_rollback() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.done(&["generate", "first"])?;
        project.done(&["migrate"])?;
        project.schema(&with_column("summary: text?"))?;
        project.done(&["generate", "summary"])?;
        project.done(&["migrate"])?;
        let columns = "select count(*) from information_schema.columns where table_name = 'chat'";
        assert_eq!(project.database().count(columns).await?, 4);
        project.refused(&["rollback"], 3, &["deletes-data", "--accept"])?;
        assert_eq!(project.database().count(columns).await?, 4, "refused is not half done");
        project.done(&["rollback", "--accept", "deletes-data"])?;
        assert_eq!(project.database().count(columns).await?, 3);
        let status = project.done(&["--json", "status"])?.json()?;
        assert_eq!(status["pending"], json!(["0002_summary.sql"]));
        Ok(())
    })
}

#[test]
fn complaint_02_pending_migrations_are_skipped_when_out_of_order() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_a.sql", "create table a (id int primary key);")?;
        project.migration("0003_c.sql", "create table c (id int primary key);")?;
        project.done(&["migrate"])?;
        project.migration("0002_b.sql", "create table b (id int primary key);")?;
        project.refused(&["migrate"], 3, &["0002_b.sql", "--allow-out-of-order"])?;
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        assert_eq!(project.database().count(tables).await?, 2);
        project.done(&["migrate", "--allow-out-of-order"])?;
        assert_eq!(project.database().count(tables).await?, 3);
        Ok(())
    })
}

#[test]
fn complaint_03_two_that_migrate_at_once_apply_twice() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_t.sql", "create table t (n int);")?;
        project.migration("0002_i.sql", "insert into t values (1); select pg_sleep(0.5);")?;
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| project.done(&["migrate"]))).collect();
            runs.into_iter().try_for_each(|run| run.join().unwrap().map(drop))
        })?;
        assert_eq!(project.database().count("select count(*) from t").await?, 1);
        let rows = "select count(*) from _avenire.migrations";
        assert_eq!(project.database().count(rows).await?, 2);
        Ok(())
    })
}

#[test]
fn complaint_04_everything_is_one_transaction_without_a_way_out() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(&format!("enum mood {{ \"sad\", \"happy\" }}\n{CHAT}"))?;
        project.done(&["generate", "first"])?;
        project.done(&["migrate"])?;
        // A value, a default that uses it, and an index that must not block: three ways to run.
        let changed = with_column("mood: mood = \"'content'\"")
            .replace("index (user_id),", "index (user_id),\n        index (title),");
        project.schema(&format!("enum mood {{ \"sad\", \"content\", \"happy\" }}\n{changed}"))?;
        project.done(&["generate", "moods"])?;
        let ups: Vec<String> =
            project.files()?.into_iter().filter(|name| !name.contains(".down.")).collect();
        assert_eq!(ups.len(), 4, "{ups:?}");
        let outside = ups.iter().filter(|name| {
            project.text(name).is_ok_and(|sql| sql.starts_with("-- avenire: no-transaction"))
        });
        assert_eq!(outside.count(), 2, "{ups:?}");
        project.done(&["migrate"])?;
        project.done(&["generate", "--check"])?;
        Ok(())
    })
}

#[test]
fn complaint_05_errors_are_hidden_and_the_exit_code_lies() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        let sql =
            "create table a (id int);\ncreate table b (\n    id int,\n    other nothing\n);\n";
        project.migration("0001_broken.sql", sql)?;
        let places = ["0001_broken.sql failed at line 4, column 11", "42704", "nothing"];
        let finished = project.refused(&["migrate"], 5, &places)?;
        assert!(finished.stderr.contains("hint:"), "{finished:?}");
        let json = project.run(&["--json", "migrate"])?.json()?;
        assert_eq!(json["error"]["database"]["code"], "42704");
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        assert_eq!(project.database().count(tables).await?, 0, "as it was");
        Ok(())
    })
}

#[test]
fn complaint_06_push_destroys_data() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.done(&["push", "--force-remote"])?;
        let rows = "insert into users values ('u', 'n'); insert into chat values ('c', 'u', 't')";
        project.database().run(rows).await?;
        let count = "select count(*) from chat where title = 't'";
        // A column that must not be null, on a table with rows: refused by Postgres, no truncate.
        project.schema(&with_column("topic: text"))?;
        project.refused(&["push", "--force-remote"], 5, &["23502"])?;
        assert_eq!(project.database().count(count).await?, 1);
        // A column with data that is gone from the modules: refused until the hazard is named.
        project.schema(&CHAT.replace("        title: text,\n", ""))?;
        project.refused(&["push", "--force-remote"], 3, &["deletes-data", "title"])?;
        assert_eq!(project.database().count(count).await?, 1);
        // A table likewise.
        project.schema("table users { id: text, name: text, primary key (id) }")?;
        project.refused(&["push", "--force-remote"], 3, &["deletes-data"])?;
        assert_eq!(project.database().count(count).await?, 1);
        project.done(&["push", "--force-remote", "--accept", "deletes-data"])?;
        let tables = "select count(*) from pg_tables where tablename = 'chat'";
        assert_eq!(project.database().count(tables).await?, 0);
        assert_eq!(project.database().count("select count(*) from users").await?, 1);
        Ok(())
    })
}

#[test]
fn complaint_07_questions_can_only_be_answered_at_a_terminal() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.done(&["generate", "first"])?;
        project.done(&["migrate"])?;
        let rows = "insert into users values ('u', 'n'); insert into chat values ('c', 'u', 't')";
        project.database().run(rows).await?;
        project.schema(&CHAT.replace("title: text", "name: text"))?;
        let before = project.files()?;
        let parts = ["--rename column:chat.title=name", "--create column:chat.name"];
        project.refused(&["generate", "name"], 3, &parts)?;
        assert_eq!(project.files()?, before, "nothing is written");
        project.done(&["generate", "name", "--rename", "column:chat.title=name"])?;
        project.done(&["migrate"])?;
        let kept = "select count(*) from chat where name = 't'";
        assert_eq!(project.database().count(kept).await?, 1);
        // The same by a file.
        project.schema(&CHAT.replace("title: text", "label: text"))?;
        std::fs::write(
            project.folder().join("answers.toml"),
            "rename = [\"column:chat.name=label\"]\n",
        )?;
        project.done(&["generate", "label", "--answers", "answers.toml"])?;
        Ok(())
    })
}

#[test]
fn complaint_08_pull_does_not_round_trip() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project
            .database()
            .run(
                "create table \"Odd Name\" (
                    id int generated by default as identity (start with 7) primary key,
                    price numeric(10, 2) not null default 0.5 * 2,
                    \"select\" text check (length(\"select\") > 1),
                    constraint \"my fk\" foreign key (id) references \"Odd Name\" (id) deferrable initially deferred
                );
                create unique index odd on \"Odd Name\" (lower(\"select\") desc nulls last) where price > 0;",
            )
            .await?;
        project.done(&["pull"])?;
        project.done(&["generate", "--check"])?;
        project.done(&["baseline"])?;
        project.done(&["verify"])?;
        project.done(&["push", "--dry-run"])?;
        let pushed = project.done(&["--json", "push", "--dry-run"])?.json()?;
        assert_eq!(pushed["steps"], json!([]));
        Ok(())
    })
}

#[test]
fn complaint_09_functions_triggers_extensions_domains_and_comments_are_lost() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project
            .database()
            .run(
                "create domain email as text check (value ~ '@');
                create table t (id int primary key, mail email, at timestamptz) ;
                comment on table t is 'things'; comment on column t.mail is 'where to';
                create function touch() returns trigger language plpgsql as
                    $$ begin new.at := now(); return new; end $$;
                create trigger touch before update on t for each row execute function touch();
                create table p (d date) partition by range (d);
                create table p1 partition of p for values from ('2026-01-01') to ('2027-01-01');",
            )
            .await?;
        project.done(&["pull"])?;
        project.done(&["baseline"])?;
        project.done(&["generate", "--check"])?;
        project.done(&["verify"])?;
        let baseline = project.text("0001_baseline.sql")?;
        for part in ["domain email", "comment on", "function", "trigger", "partition"] {
            assert!(baseline.to_lowercase().contains(part), "no {part} in {baseline}");
        }
        Ok(())
    })
}

#[test]
fn complaint_10_branches_collide() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.done(&["generate", "first"])?;
        // Two branches from here, each with its own migration, merged into one folder.
        project.schema(&with_column("summary: text?"))?;
        project.done(&["generate", "summary"])?;
        let aside = project.folder().join("aside");
        std::fs::create_dir(&aside)?;
        let branch = ["0002_summary.sql", "0002_summary.down.sql", "snapshots/0002_summary.json"];
        for name in branch {
            let to = aside.join(name.replace('/', "-"));
            std::fs::rename(project.folder().join("own").join(name), to)?;
        }
        project.schema(&with_column("topic: text?"))?;
        project.done(&["generate", "topic"])?;
        for name in branch {
            let from = aside.join(name.replace('/', "-"));
            std::fs::rename(from, project.folder().join("own").join(name))?;
        }
        let parts = ["0002_summary", "0002_topic", "parallel-branches"];
        project.refused(&["check"], 1, &parts)?;
        project.refused(&["migrate"], 3, &["0002_summary.sql", "0002_topic.sql"])?;
        // They touch different columns, so they can be put in a row; the modules have both.
        project.done(&["check", "--renumber", "0002_topic"])?;
        assert!(project.files()?.contains(&"0003_topic.sql".to_owned()), "{:?}", project.files());
        project.schema(&with_column("summary: text?,\n        topic: text?"))?;
        project.done(&["generate", "--check"])?;
        project.done(&["check"])?;
        project.done(&["migrate"])?;
        Ok(())
    })
}

#[test]
fn complaint_11_there_is_no_status_plan_mark_or_checksum() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.migration("0001_a.sql", "create table a (id int primary key);")?;
        project.migration("0002_b.sql", "create table b (id int primary key);")?;
        let plan = project.done(&["--json", "migrate", "--dry-run"])?.json()?;
        assert_eq!(plan["pending"].as_array().map(Vec::len), Some(2), "{plan}");
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        assert_eq!(project.database().count(tables).await?, 0);
        project.done(&["migrate", "--to", "1"])?;
        project.database().run("create table b (id int primary key)").await?;
        project.done(&["mark", "2", "--applied"])?;
        project.done(&["verify"])?;
        let status = project.done(&["--json", "status"])?.json()?;
        assert_eq!(status["pending"], json!([]));
        project.migration("0001_a.sql", "create table a (id bigint primary key);")?;
        project.refused(&["migrate"], 3, &["0001_a.sql", "changed"])?;
        project.refused(&["status"], 1, &["0001_a.sql", "changed"])?;
        Ok(())
    })
}

#[test]
fn complaint_12_there_is_no_help_against_downtime() -> Result<()> {
    run(async {
        let project = harness().await?.toolkit().await?;
        project.schema(CHAT)?;
        project.done(&["generate", "first"])?;
        project.migration("0002_lock.sql", "create index on chat (title);")?;
        let parts = ["0002_lock.sql:1", "concurrently"];
        project.refused(&["check", "--strict"], 1, &parts)?;
        std::fs::remove_file(project.folder().join("own/0002_lock.sql"))?;
        let unique = CHAT.replace("index (user_id),", "index (user_id),\n        index (title),");
        project.schema(&unique)?;
        project.done(&["generate", "index"])?;
        let sql = project.text("0002_index.sql")?;
        assert!(sql.contains("create index concurrently"), "{sql}");
        project.done(&["check", "--strict"])?;
        // Broken generation is an error, not a success.
        project.schema("table broken {")?;
        project.refused(&["generate", "more"], 3, &["src/app.rs:"])?;
        Ok(())
    })
}
