//! Writing the ledger without running anything, databases that had a schema before, components,
//! and the choices a caller has.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use avenire_schema::{
    ApplyOptions, Drizzle, Extent, Mark, Marked, MigrationError, Migrations, Order, PlanError,
    SourceError, Target,
};
use avenire_schema_tests::Database;
use tempfile::TempDir;

use super::rollback::deleting;
use super::{DATA, LOCK, TABLE, applied, folder, plan_error, refused, soon, state_of, texts};
use crate::with;

async fn mark(folder: &TempDir, database: &Database, version: i64, mark: Mark) -> Result<Marked> {
    let migrations = Migrations::load(folder.path())?;
    Ok(migrations.mark(version, mark, database.endpoint(), soon()).await?)
}

#[test]
fn a_mark_changes_what_the_ledger_says_and_nothing_else() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE, DATA])?;
        assert_eq!(mark(&folder, &database, 1, Mark::Applied).await?, Marked::Changed);
        assert_eq!(mark(&folder, &database, 1, Mark::Applied).await?, Marked::Unchanged);
        assert_eq!(database.count("select count(to_regclass('counter'))").await?, 0);
        assert_eq!(mark(&folder, &database, 2, Mark::Applied).await?, Marked::Changed);
        assert_eq!(mark(&folder, &database, 1, Mark::NotApplied).await?, Marked::Changed);
        let rest = "select version::text from _avenire.migrations";
        assert_eq!(texts(&database, rest).await?, ["2"], "the others stay");
        assert_eq!(mark(&folder, &database, 2, Mark::NotApplied).await?, Marked::Changed);
        assert_eq!(mark(&folder, &database, 1, Mark::NotApplied).await?, Marked::Unchanged);
        assert_eq!(applied(&folder, &database).await?.len(), 2);
        let unknown = mark(&folder, &database, 9, Mark::Applied).await.unwrap_err();
        assert!(unknown.to_string().contains("no migration 9"), "{unknown}");
        std::fs::write(folder.path().join(DATA.0), "select 'edited'")?;
        let edited = mark(&folder, &database, 2, Mark::Applied).await.unwrap_err();
        assert!(edited.to_string().contains("changed"), "{edited}");
        Ok(())
    })
}

#[test]
fn nothing_is_marked_while_somebody_migrates() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let migrations = Migrations::load(folder(&[TABLE])?.path())?;
        let other = database.session().await?;
        other.rows(&format!("select pg_advisory_lock({LOCK})"), &[]).await?;
        let (endpoint, late) =
            (database.endpoint(), || Instant::now() + Duration::from_millis(200));
        let marked = migrations.mark(1, Mark::Applied, endpoint, late()).await;
        assert!(matches!(marked, Err(MigrationError::Busy)), "{marked:?}");
        let baselined = migrations.baseline(1, None, endpoint, late()).await;
        assert!(matches!(baselined, Err(MigrationError::Busy)), "{baselined:?}");
        assert!(state_of(&database).await?.is_empty());
        drop(other);
        assert_eq!(migrations.mark(1, Mark::Applied, endpoint, soon()).await?, Marked::Changed);
        Ok(())
    })
}

#[test]
fn a_mark_settles_what_was_interrupted() -> Result<()> {
    with(async |server| {
        for (marked, expected) in [(Mark::Applied, 0), (Mark::NotApplied, 1)] {
            let database = server.database().await?;
            let folder = folder(&[TABLE, DATA])?;
            applied(&folder, &database).await?;
            // As a program left it that did not record how far it got.
            let started = "update _avenire.migrations set applied_at = null where version = 2";
            database.run(started).await?;
            let failure = refused(&folder, database.endpoint()).await?;
            assert!(matches!(plan_error(&failure), PlanError::Interrupted { version: 2, .. }));
            mark(&folder, &database, 2, marked).await?;
            assert_eq!(applied(&folder, &database).await?.len(), expected);
        }
        Ok(())
    })
}

#[test]
fn an_older_ledger_is_read_as_it_is_and_upgraded_when_that_is_needed() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE])?;
        applied(&folder, &database).await?;
        let older = "alter table _avenire.migrations drop column statements_done,
            drop column under_way, drop column begun, drop column applied_before";
        database.run(older).await?;
        assert!(applied(&folder, &database).await?.is_empty());
        std::fs::write(folder.path().join(DATA.0), DATA.1)?;
        assert_eq!(applied(&folder, &database).await?, [DATA.0]);
        let columns = "select count(*) from information_schema.columns
            where table_schema = '_avenire' and table_name = 'migrations'";
        assert_eq!(database.count(columns).await?, 7, "nothing needed more");
        let outside = ("0003_outside.sql", "-- avenire: no-transaction\nvacuum counter;");
        std::fs::write(folder.path().join(outside.0), outside.1)?;
        assert_eq!(applied(&folder, &database).await?, [outside.0]);
        assert_eq!(database.count(columns).await?, 11);
        Ok(())
    })
}

#[test]
fn a_baseline_adopts_a_database_and_contradicts_no_ledger() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        database.run(TABLE.1).await?;
        let third = ("0003_third.sql", "update counter set n = n + 100;");
        let folder = folder(&[TABLE, DATA, third])?;
        let migrations = Migrations::load(folder.path())?;
        let first = migrations.baseline(2, None, database.endpoint(), soon()).await?;
        assert_eq!((first.marked.len(), first.already), (2, 0));
        let again = migrations.baseline(2, None, database.endpoint(), soon()).await?;
        assert_eq!((again.marked.len(), again.already), (0, 2));
        assert_eq!(applied(&folder, &database).await?, [third.0]);
        assert_eq!(database.count("select n::bigint from counter").await?, 100);
        let before = state_of(&database).await?;
        let less = migrations.baseline(2, None, database.endpoint(), soon()).await.unwrap_err();
        assert!(matches!(less, MigrationError::NotEmpty { version: 3, .. }), "{less}");
        let unknown = migrations.baseline(7, None, database.endpoint(), soon()).await.unwrap_err();
        assert!(matches!(unknown, MigrationError::Plan(PlanError::NoSuchVersion { version: 7 })));
        assert_eq!(state_of(&database).await?, before);
        // As a program left it that was interrupted.
        database.run("update _avenire.migrations set applied_at = null where version = 2").await?;
        let before = state_of(&database).await?;
        let half = migrations.baseline(3, None, database.endpoint(), soon()).await.unwrap_err();
        assert!(matches!(half, MigrationError::NotEmpty { version: 2, .. }), "{half}");
        assert_eq!(state_of(&database).await?, before);
        std::fs::write(folder.path().join(TABLE.0), "select 'edited'")?;
        let migrations = Migrations::load(folder.path())?;
        let edited = migrations.baseline(3, None, database.endpoint(), soon()).await.unwrap_err();
        assert!(matches!(edited, MigrationError::Plan(PlanError::Changed { .. })), "{edited}");
        assert_eq!(state_of(&database).await?, before);
        Ok(())
    })
}

/// A folder of Drizzle's with two migrations, in both of its layouts.
fn drizzle_folders() -> Result<[TempDir; 2]> {
    let journalled = folder(&[("0000_a.sql", "select 'a';\r\n"), ("0001_b.sql", "select 'b';")])?;
    std::fs::create_dir(journalled.path().join("meta"))?;
    let journal = r#"{"version":"7","dialect":"postgresql","entries":[
        {"idx":0,"version":"7","when":1767268800000,"tag":"0000_a","breakpoints":true},
        {"idx":1,"version":"7","when":1767268801000,"tag":"0001_b","breakpoints":true}]}"#;
    std::fs::write(journalled.path().join("meta/_journal.json"), journal)?;
    let folders = TempDir::new()?;
    for (name, text) in
        [("20260101120000_a", "select 'a';\r\n"), ("20260101120001_b", "select 'b';")]
    {
        std::fs::create_dir(folders.path().join(name))?;
        std::fs::write(folders.path().join(name).join("migration.sql"), text)?;
    }
    Ok([journalled, folders])
}

/// As Drizzle makes it.
const DRIZZLE: &str = "create schema drizzle; create table drizzle.__drizzle_migrations
    (id serial primary key, hash text not null, created_at bigint);";

#[test]
fn drizzles_own_ledger_is_understood_in_both_layouts() -> Result<()> {
    with(async |server| {
        for theirs in drizzle_folders()? {
            let database = server.database().await?;
            let drizzle = Drizzle::load(theirs.path())?;
            let folder = folder(&[TABLE])?;
            let migrations = Migrations::load(folder.path())?;
            let none = drizzle.status(database.endpoint(), soon()).await?;
            assert_eq!((none.applied.len(), none.pending.len()), (0, 2), "no ledger at all");
            let insert = |text: &str, when: i64| {
                format!(
                    "insert into drizzle.__drizzle_migrations (hash, created_at) values
                    (encode(sha256(convert_to(E'{text}', 'UTF8')), 'hex'), {when});"
                )
            };
            database.run(DRIZZLE).await?;
            database.run(&insert("select \\'a\\';\\r\\n", 1_767_268_800_000)).await?;
            let pending = migrations.baseline(1, Some(&drizzle), database.endpoint(), soon()).await;
            let error = pending.unwrap_err();
            assert!(
                matches!(&error, MigrationError::DrizzlePending { files }
                if files.len() == 1 && files[0].contains("1_b")),
                "{error}"
            );
            assert!(state_of(&database).await?.iter().all(|one| !one.contains("_avenire")));
            database.run(&insert("select \\'b\\';", 1_767_268_801_000)).await?;
            let status = drizzle.status(database.endpoint(), soon()).await?;
            assert_eq!((status.applied.len(), status.changed.len()), (2, 0), "{status:?}");
            let without = migrations.baseline(1, None, database.endpoint(), soon()).await?;
            assert!(without.advice.is_some_and(|advice| advice.contains("Drizzle")));
            let with = migrations.baseline(1, Some(&drizzle), database.endpoint(), soon()).await?;
            assert_eq!((with.already, with.advice), (1, None));
        }
        let nothing = TempDir::new()?;
        let refused = Drizzle::load(nothing.path());
        assert!(matches!(refused, Err(SourceError::NotDrizzle { .. })));
        Ok(())
    })
}

#[test]
fn components_have_sequences_of_their_own() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let chat = folder(&[("0001_chat.sql", "create table chat ();")])?;
        let shop = folder(&[("0001_shop.sql", "create table shop (like chat);")])?;
        let chat_files = Migrations::load_for("chat", chat.path())?;
        let shop_files = Migrations::load_for("shop", shop.path())?;
        let (order, endpoint) = (Order::Strict, database.endpoint());
        let both = [&chat_files, &shop_files];
        let wrong = [&shop_files, &chat_files];
        let failure =
            Migrations::apply_all(&wrong, order, endpoint, soon(), &|_| {}).await.unwrap_err();
        assert!(failure.applied.is_empty(), "in the order given: {failure:?}");
        let reports = Migrations::apply_all(&both, order, endpoint, soon(), &|_| {}).await?;
        assert!(reports.iter().all(|report| report.applied.len() == 1), "{reports:?}");
        let rows = texts(
            &database,
            "select component || ' ' || version
            from _avenire.migrations order by 1",
        )
        .await?;
        assert_eq!(rows, ["chat 1", "shop 1"]);
        // What can not be done of one is refused before anything is done of the others.
        std::fs::write(chat.path().join("0002_more.sql"), "create table more ();")?;
        std::fs::write(shop.path().join("0001_shop.sql"), "select 'edited';")?;
        let (more, edited) = (
            Migrations::load_for("chat", chat.path())?,
            Migrations::load_for("shop", shop.path())?,
        );
        let all = [&more, &edited];
        let failure =
            Migrations::apply_all(&all, order, endpoint, soon(), &|_| {}).await.unwrap_err();
        assert!(matches!(plan_error(&failure), PlanError::Changed { .. }), "{failure:?}");
        assert_eq!(database.count("select count(to_regclass('more'))").await?, 0);
        let twins = [&chat_files, &chat_files];
        let failure =
            Migrations::apply_all(&twins, order, endpoint, soon(), &|_| {}).await.unwrap_err();
        assert!(matches!(failure.error, MigrationError::TwinComponents { .. }), "{failure:?}");
        let bad = Migrations::load_for("Chat'", chat.path());
        assert!(matches!(bad, Err(SourceError::BadComponent { .. })));
        Ok(())
    })
}

/// What may be in the row of another component with the same number.
const STATES: [&str; 4] = [
    "applied_at = now()",
    "applied_at = null, begun = '', statements_done = 0",
    "applied_at = null, begun = '', statements_done = 1, under_way = true",
    "applied_at = null, begun = '', statements_done = 0, applied_before = now()",
];

/// A file and the one that undoes it; the last of each comes to its end.
const UPS: [&str; 3] =
    ["select 1 / 0;", "create table shop (); select 1 / 0;", "create table shop (); select 1;"];
const DOWNS: [&str; 3] =
    ["select 1 / 0;", "drop table shop; select 1 / 0;", "drop table shop; select 1;"];

#[test]
fn whatever_a_component_does_the_rows_of_another_stay_as_they_are() -> Result<()> {
    with(async |server| {
        for state in STATES {
            let database = server.database().await?;
            let chat = folder(&[("0001_chat.sql", "-- avenire: no-transaction\nselect 1;")])?;
            let chat = Migrations::load_for("chat", chat.path())?;
            chat.apply(database.endpoint(), soon(), &|_| {}).await?;
            database.run(&format!("update _avenire.migrations set {state}")).await?;
            let row = "select m::text from _avenire.migrations m where component = 'chat'";
            let before = texts(&database, row).await?;
            let shop = |up: &str, down: &str| -> Result<Migrations> {
                let files =
                    [("0001_shop.sql", up), ("0001_shop.down.sql", down)].map(|(name, text)| {
                        (name.to_owned(), format!("-- avenire: no-transaction\n{text}"))
                    });
                Ok(Migrations::from_texts("shop", files.to_vec())?)
            };
            for up in UPS {
                let done = shop(up, DOWNS[2])?.apply(database.endpoint(), soon(), &|_| {}).await;
                assert_eq!(done.is_ok(), up == UPS[2], "{done:?}");
                assert_eq!(texts(&database, row).await?, before, "{state}: {up}");
            }
            for down in DOWNS {
                let shop = shop(UPS[2], down)?;
                let (accept, endpoint) = (deleting(), database.endpoint());
                let done =
                    shop.rollback(Extent::Steps(1), &accept, endpoint, soon(), &|_| {}).await;
                assert_eq!(done.is_ok(), down == DOWNS[2], "{done:?}");
                assert_eq!(texts(&database, row).await?, before, "{state}: {down}");
            }
            let shop = shop(UPS[2], DOWNS[2])?;
            for mark in [Mark::Applied, Mark::NotApplied] {
                shop.mark(1, mark, database.endpoint(), soon()).await?;
                assert_eq!(texts(&database, row).await?, before, "{state}: {mark:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn another_projects_database_is_told_from_a_changed_file() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        applied(&folder(&[TABLE, DATA])?, &database).await?;
        let before = state_of(&database).await?;
        let other = folder(&[("0001_shop.sql", "create table shop ();")])?;
        let failure = refused(&other, database.endpoint()).await?;
        let PlanError::Foreign { rows: 2, newest: 2, name } = plan_error(&failure) else {
            bail!("another error: {failure:?}")
        };
        assert_eq!(name, "data");
        assert_eq!(state_of(&database).await?, before);
        Ok(())
    })
}

#[test]
fn the_caller_chooses_how_far_and_in_which_order() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let third = ("0003_third.sql", "update counter set n = n + 100;");
        let folder = folder(&[TABLE, third])?;
        let to = |version| ApplyOptions { to: Target::Version(version), ..ApplyOptions::default() };
        let migrations = Migrations::load(folder.path())?;
        let preview = migrations.preview(to(1), database.endpoint(), soon()).await?;
        assert_eq!(preview.files.len(), 1);
        assert_eq!(preview.files[0].statements[0].summary, "create table counter");
        assert_eq!(preview.files[0].statements[1].place.line, 2);
        assert!(state_of(&database).await?.is_empty(), "a preview changes nothing");
        let report = migrations.apply_with(to(1), database.endpoint(), soon(), &|_| {}).await?;
        assert_eq!(report.applied.len(), 1);
        assert_eq!(applied(&folder, &database).await?, [third.0]);
        std::fs::write(folder.path().join(DATA.0), DATA.1)?;
        let failure = refused(&folder, database.endpoint()).await?;
        let hint = failure.error.hint().unwrap_or_default();
        assert!(hint.contains("--allow-out-of-order"), "{hint}");
        let any = ApplyOptions { order: Order::Any, ..ApplyOptions::default() };
        let migrations = Migrations::load(folder.path())?;
        let report = migrations.apply_with(any, database.endpoint(), soon(), &|_| {}).await?;
        assert_eq!(report.applied.len(), 1);
        assert_eq!(database.count("select n::bigint from counter").await?, 101);
        Ok(())
    })
}
