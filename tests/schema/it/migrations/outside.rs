//! Files that run outside of a transaction: how far they get, and how they go on.

use anyhow::{Result, bail};
use avenire_postgres::Endpoint;
use avenire_schema::{ApplyOptions, Effect, MigrationError, Migrations, PlanError, Progress};

use super::texts;
use super::{
    DATA, TABLE, applied, apply_to, eventually, folder, plan_error, refused, soon, state_of,
};
use tempfile::TempDir;

use crate::with;
use avenire_schema_tests::Database;

const OUTSIDE: (&str, &str) = (
    "0002_index.sql",
    "-- avenire: no-transaction\ncreate index concurrently first on counter (n);\n\
     create index concurrently second on counter (n desc);\n",
);

#[test]
fn what_can_not_run_in_a_transaction_runs_when_its_file_says_so() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE, OUTSIDE])?;
        assert_eq!(applied(&folder, &database).await?, [TABLE.0, OUTSIDE.0]);
        let valid =
            "select count(*) from pg_index where indrelid = 'counter'::regclass and indisvalid";
        assert_eq!(database.count(valid).await?, 2);
        assert!(applied(&folder, &database).await?.is_empty());
        // Without the header Postgres says why not, and nothing remains.
        let text = "create index concurrently third on counter (n);";
        std::fs::write(folder.path().join("0003_third.sql"), text)?;
        let failure = refused(&folder, database.endpoint()).await?;
        assert_eq!(failure.error.sqlstate(), Some("25001"), "{failure:?}");
        Ok(())
    })
}

#[test]
fn outside_of_a_transaction_is_refused_through_a_pooler_before_anything_is_applied() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let pooled = Endpoint::parse(&format!("{}&pgbouncer=true", database.url()))?;
        let both = folder(&[TABLE, OUTSIDE])?;
        let failure = refused(&both, &pooled).await?;
        assert!(
            matches!(&failure.error, MigrationError::NeedsDirect { file } if file == OUTSIDE.0),
            "{failure:?}"
        );
        assert!(failure.error.hint().is_some_and(|hint| hint.contains("DIRECT_DATABASE_URL")));
        assert!(state_of(&database).await?.is_empty(), "also not the one before it");
        // All others work there.
        let report = apply_to(folder(&[TABLE, DATA])?.path(), &pooled).await??;
        assert!(report.applied.len() == 2 && report.advice.is_some(), "{report:?}");
        Ok(())
    })
}

const HEADER: &str = "-- avenire: no-transaction\n";

async fn indexes(database: &Database) -> Result<Vec<String>> {
    let sql = "select relname || ' ' || indisvalid from pg_index
        join pg_class on pg_class.oid = indexrelid
        where indrelid = 'counter'::regclass order by 1";
    texts(database, sql).await
}

#[test]
fn a_first_statement_that_fails_leaves_no_trace() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let wrong = format!("{HEADER}create index concurrently i on nowhere (n);");
        let same = folder(&[TABLE, ("0002_index.sql", &wrong)])?;
        let failure = refused(&same, database.endpoint()).await?;
        let MigrationError::Statement { effect, place, error, .. } = &failure.error else {
            bail!("another error: {failure:?}")
        };
        assert_eq!((*effect, place.line), (Effect::Statements(0), 2));
        assert_eq!(error.sqlstate(), Some("42P01"));
        assert_eq!(database.count("select count(*) from _avenire.migrations").await?, 1);
        std::fs::write(same.path().join("0002_index.sql"), wrong.replace("nowhere", "counter"))?;
        assert_eq!(applied(&same, &database).await?, ["0002_index.sql"]);
        Ok(())
    })
}

#[test]
fn after_a_failure_the_rest_may_be_mended_and_what_is_done_may_not() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let text = format!("{HEADER}update counter set n = n + 1;\nselect 1 / 0;\nselect 2;\n");
        let same = folder(&[TABLE, ("0002_half.sql", &text)])?;
        for _ in 0..2 {
            let failure = refused(&same, database.endpoint()).await?;
            let MigrationError::Statement { effect, place, .. } = &failure.error else {
                bail!("another error: {failure:?}")
            };
            assert_eq!((*effect, place.line), (Effect::Statements(1), 3));
            let hint = failure.error.hint().unwrap_or_default();
            assert!(hint.contains("goes on with this statement"), "{hint}");
        }
        let file = same.path().join("0002_half.sql");
        std::fs::write(&file, text.replace("n + 1", "n + 5"))?;
        let failure = refused(&same, database.endpoint()).await?;
        assert!(matches!(plan_error(&failure), PlanError::Changed { .. }), "{failure:?}");
        std::fs::write(&file, text.replace("1 / 0", "1"))?;
        assert_eq!(applied(&same, &database).await?, ["0002_half.sql"]);
        assert_eq!(database.count("select n::bigint from counter").await?, 1, "once");
        assert!(applied(&same, &database).await?.is_empty(), "the mended text is what is applied");
        Ok(())
    })
}

#[test]
fn an_index_that_could_not_be_built_does_not_stay_behind() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let text = format!("{HEADER}select 1;\ncreate unique index concurrently u on counter (n);");
        let same = folder(&[
            TABLE,
            ("0002_twice.sql", "insert into counter values (0);"),
            ("0003_unique.sql", &text),
        ])?;
        let failure = refused(&same, database.endpoint()).await?;
        assert_eq!(failure.error.sqlstate(), Some("23505"), "{failure:?}");
        assert!(indexes(&database).await?.is_empty(), "no invalid index");
        database.run("delete from counter where ctid = '(0,1)'").await?;
        assert_eq!(applied(&same, &database).await?, ["0003_unique.sql"]);
        assert_eq!(indexes(&database).await?, ["u true"]);
        Ok(())
    })
}

#[test]
fn an_index_of_that_name_that_was_there_before_is_not_touched() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        // Two equal rows, and an index on them that somebody failed to build.
        database.run("insert into counter values (0)").await?;
        let failed = "create unique index concurrently u on counter (n)";
        assert!(database.run(failed).await.is_err());
        assert_eq!(indexes(&database).await?, ["u false"]);
        let text = format!("{HEADER}create index concurrently u on counter (n);");
        let same = folder(&[TABLE, ("0002_index.sql", &text)])?;
        let failure = refused(&same, database.endpoint()).await?;
        assert_eq!(failure.error.sqlstate(), Some("42P07"), "{failure:?}");
        assert_eq!(indexes(&database).await?, ["u false"]);
        Ok(())
    })
}

#[test]
fn a_partition_is_detached_once_whenever_it_is_interrupted() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let text = format!("{HEADER}alter table p detach partition c concurrently;");
        let make = "create table p (n int) partition by list (n);
            create table c partition of p for values in (1); create table counter (n int);";
        let same = folder(&[("0001_table.sql", make), ("0002_detach.sql", &text)])?;
        // A transaction that has read the table holds up the second half.
        applied(&folder(&[("0001_table.sql", make)])?, &database).await?;
        let reader = database.session().await?;
        reader.batch("begin; select * from p").await?;
        let (path, endpoint) = (same.path().to_owned(), database.endpoint().clone());
        let host = tokio::spawn(async move { apply_to(&path, &endpoint).await });
        let pending = "select count(*) from pg_inherits where inhdetachpending";
        eventually("the first half is done", async || Ok(database.count(pending).await? == 1))
            .await?;
        host.abort();
        let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and query like 'alter table p detach%'";
        database.count(end).await?;
        reader.batch("commit").await?;
        assert_eq!(applied(&same, &database).await?, ["0002_detach.sql"]);
        assert_eq!(database.count("select count(*) from pg_inherits").await?, 0);
        assert_eq!(database.count("select count(to_regclass('c'))").await?, 1);
        Ok(())
    })
}

#[test]
fn a_table_that_is_in_use_holds_up_a_statement_outside_too() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        let user = database.session().await?;
        user.batch("begin; select * from counter").await?;
        let text = format!(
            "{HEADER}update counter set n = n + 1;\nset lock_timeout = 50;\n\
             alter table counter add x int;\n"
        );
        let same = folder(&[TABLE, ("0002_column.sql", &text)])?;
        let (told, mut waited) = tokio::sync::mpsc::unbounded_channel();
        let (path, endpoint) = (same.path().to_owned(), database.endpoint().clone());
        let host = tokio::spawn(async move {
            let told = move |step| drop(told.send(step));
            anyhow::Ok(Migrations::load(&path)?.apply(&endpoint, soon(), &told).await?)
        });
        eventually("it waits for the table", async || {
            Ok(matches!(waited.try_recv(), Ok(Progress::WaitingForLocks { .. })))
        })
        .await?;
        user.batch("commit").await?;
        assert_eq!(host.await??.applied.len(), 1);
        assert_eq!(database.count("select n::bigint from counter").await?, 1, "once");
        Ok(())
    })
}

#[test]
fn each_statement_is_told_with_its_number_and_place() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let steps = std::sync::Mutex::new(Vec::new());
        let told = |step| {
            if let Progress::Statement { file, number, of, place } = step {
                steps.lock().unwrap().push((file, number, of, place.line));
            }
        };
        let both = folder(&[TABLE, OUTSIDE])?;
        Migrations::load(both.path())?.apply(database.endpoint(), soon(), &told).await?;
        let expected =
            [(TABLE.0, 1, 2, 1), (TABLE.0, 2, 2, 2), (OUTSIDE.0, 1, 2, 2), (OUTSIDE.0, 2, 2, 3)];
        let expected = expected.map(|(file, number, of, line)| (file.to_owned(), number, of, line));
        assert_eq!(*steps.lock().unwrap(), expected);
        Ok(())
    })
}

#[test]
fn an_invalid_index_is_not_taken_for_one_that_exists() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        database.run("insert into counter values (0)").await?;
        assert!(database.run("create unique index concurrently u on counter (n)").await.is_err());
        let text = format!("{HEADER}create index concurrently if not exists u on counter (n);");
        let same = folder(&[TABLE, ("0002_index.sql", &text)])?;
        let failure = refused(&same, database.endpoint()).await?;
        assert!(
            matches!(&failure.error, MigrationError::InvalidIndex { index, .. } if index == "public.u"),
            "{failure:?}"
        );
        database.run("drop index concurrently u").await?;
        assert_eq!(applied(&same, &database).await?, ["0002_index.sql"]);
        assert_eq!(indexes(&database).await?, ["u true"]);
        Ok(())
    })
}

#[test]
fn a_role_and_a_search_path_that_a_file_sets_do_not_keep_it_from_its_ledger() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let text = format!(
            "{HEADER}set search_path = nowhere;\nset role pg_monitor;\nselect current_user;\n\
             analyze;\nvacuum;\nselect 1 / (current_user <> 'pg_monitor')::int;\n"
        );
        let same = folder(&[TABLE, ("0002_role.sql", &text)])?;
        // It is still that role in the end, also when it goes on.
        for _ in 0..2 {
            let failure = refused(&same, database.endpoint()).await?;
            assert_eq!(failure.error.sqlstate(), Some("22012"), "{failure:?}");
        }
        std::fs::write(same.path().join("0002_role.sql"), text.replace("<>", "="))?;
        assert_eq!(applied(&same, &database).await?, ["0002_role.sql"]);
        Ok(())
    })
}

/// Ends a host while its statement waits for an old transaction, which then ends.
async fn ended_in_the_middle(
    database: &Database,
    files: &TempDir,
    statement: &str,
    middle: &str,
) -> Result<()> {
    let old = database.session().await?;
    old.batch("begin isolation level repeatable read; select * from counter").await?;
    let (path, endpoint) = (files.path().to_owned(), database.endpoint().clone());
    let host = tokio::spawn(async move { apply_to(&path, &endpoint).await });
    eventually("it is in the middle", async || Ok(database.count(middle).await? > 0)).await?;
    host.abort();
    let end = format!(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and query like '{statement}%'"
    );
    assert_eq!(database.count(&end).await?, 1);
    eventually("its session is gone", async || Ok(database.count(&end).await? == 0)).await?;
    assert!(database.count(middle).await? > 0, "it left something behind");
    Ok(old.batch("commit").await?)
}

const INVALID: &str = "select count(*) from pg_index where not indisvalid";

#[test]
fn an_index_whose_building_was_interrupted_is_built_again() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        let statement = "create index concurrently i on counter (n)";
        let text = format!("{HEADER}{statement};\nupdate counter set n = n + 1;\n");
        let same = folder(&[TABLE, ("0002_index.sql", &text)])?;
        ended_in_the_middle(&database, &same, statement, INVALID).await?;
        let preview = Migrations::load(same.path())?
            .preview(ApplyOptions::default(), database.endpoint(), soon())
            .await?;
        assert_eq!(preview.files[0].file, "0002_index.sql");
        assert_eq!(applied(&same, &database).await?, ["0002_index.sql"]);
        assert_eq!(indexes(&database).await?, ["i true"]);
        assert_eq!(database.count("select n::bigint from counter").await?, 1);
        Ok(())
    })
}

#[test]
fn an_index_whose_dropping_was_interrupted_is_dropped() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        database.run("create index i on counter (n)").await?;
        let statement = "drop index concurrently i";
        let same = folder(&[TABLE, ("0002_index.sql", &format!("{HEADER}{statement};"))])?;
        ended_in_the_middle(&database, &same, statement, INVALID).await?;
        assert_eq!(applied(&same, &database).await?, ["0002_index.sql"]);
        assert!(indexes(&database).await?.is_empty());
        Ok(())
    })
}

#[test]
fn an_interrupted_reindexing_leaves_no_second_index() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE])?, &database).await?;
        database.run("create index i on counter (n)").await?;
        for (number, statement) in
            [(2, "reindex index concurrently i"), (3, "reindex table concurrently counter")]
        {
            let file = format!("000{number}_reindex.sql");
            let same = folder(&[TABLE, ("0002_reindex.sql", &format!("{HEADER}{statement};"))])?;
            std::fs::rename(same.path().join("0002_reindex.sql"), same.path().join(&file))?;
            if number == 3 {
                let first = format!("{HEADER}reindex index concurrently i;");
                std::fs::write(same.path().join("0002_reindex.sql"), first)?;
            }
            ended_in_the_middle(&database, &same, statement, INVALID).await?;
            assert_eq!(applied(&same, &database).await?, [file]);
            assert_eq!(indexes(&database).await?, ["i true"]);
        }
        Ok(())
    })
}
