//! Undoing migrations: what is undone, in which order, and what is refused beforehand.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use avenire_postgres::Endpoint;
use avenire_schema::{
    Done, Effect, Extent, MigrationError, Migrations, PlanError, Progress, RollbackFailure,
    Transaction,
};
use avenire_schema_tests::Database;
use tempfile::TempDir;

use super::{DATA, LOCK, PATIENCE, TABLE, applied, folder, plan_error, refused, soon, state_of};
use crate::with;

const UNDO_TABLE: (&str, &str) =
    ("0001_table.down.sql", "-- hazard: deletes-data: all numbers\ndrop table counter;\n");
const UNDO_DATA: (&str, &str) = ("0002_data.down.sql", "update counter set n = n - 1;\n");

/// Accepts that data is deleted.
pub(super) fn deleting() -> BTreeSet<String> {
    BTreeSet::from(["deletes-data".to_owned()])
}

async fn undo(
    folder: &TempDir,
    database: &Database,
    extent: Extent,
) -> Result<Result<Vec<String>, RollbackFailure>> {
    let migrations = Migrations::load(folder.path())?;
    let nothing = BTreeSet::new();
    let undone = migrations.rollback(extent, &nothing, database.endpoint(), soon(), &|_| {}).await;
    Ok(undone.map(|undone| undone.into_iter().map(|done| done.file).collect()))
}

/// How it is refused; the database must be as before.
async fn refuses(folder: &TempDir, database: &Database, extent: Extent) -> Result<MigrationError> {
    let before = state_of(database).await?;
    let Err(failure) = undo(folder, database, extent).await? else { bail!("it was undone") };
    assert!(failure.undone.is_empty() && failure.error.hint().is_some(), "{failure:?}");
    assert_eq!(state_of(database).await?, before);
    Ok(failure.error)
}

#[test]
fn the_newest_migrations_are_undone_and_can_be_applied_again() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let third = ("0003_third.sql", "create table third ();");
        let undo_third = ("0003_third.down.sql", "drop table if exists third;");
        let folder = folder(&[TABLE, DATA, third, UNDO_DATA, undo_third])?;
        applied(&folder, &database).await?;
        let migrations = Migrations::load(folder.path())?;
        let (nothing, accept) = (BTreeSet::new(), deleting());
        let refused =
            migrations.rollback(Extent::Steps(2), &nothing, database.endpoint(), soon(), &|_| {});
        let error = refused.await.unwrap_err().error;
        assert!(matches!(error, MigrationError::Hazards { .. }), "no comment says so: {error}");
        let undone = migrations
            .rollback(Extent::To(1), &accept, database.endpoint(), soon(), &|_| {})
            .await?;
        let files: Vec<&str> = undone.iter().map(|done| done.file.as_str()).collect();
        assert_eq!(files, [undo_third.0, UNDO_DATA.0]);
        assert_eq!(database.count("select n::bigint from counter").await?, 0);
        assert_eq!(database.count("select count(*) from _avenire.migrations").await?, 1);
        assert_eq!(applied(&folder, &database).await?, [DATA.0, third.0]);
        Ok(())
    })
}

#[test]
fn what_can_not_be_undone_is_refused_by_name_before_anything_is() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE, DATA, UNDO_DATA])?;
        applied(&folder, &database).await?;
        let error = refuses(&folder, &database, Extent::To(0)).await?;
        assert!(
            matches!(&error, MigrationError::NoDown { file, down }
            if file == TABLE.0 && down == UNDO_TABLE.0),
            "{error}"
        );
        std::fs::write(folder.path().join(UNDO_TABLE.0), UNDO_TABLE.1)?;
        let error = refuses(&folder, &database, Extent::To(0)).await?;
        let MigrationError::Hazards { hazards } = &error else { bail!("another error: {error}") };
        assert_eq!(hazards.len(), 1);
        assert_eq!((hazards[0].0.as_str(), hazards[0].1.line), (UNDO_TABLE.0, 2));
        assert!(error.to_string().contains("all numbers"), "{error}");
        let error = refuses(&folder, &database, Extent::Steps(3)).await?;
        assert!(matches!(error, MigrationError::TooMany { asked: 3, applied: 2 }), "{error}");
        let error = refuses(&folder, &database, Extent::To(7)).await?;
        assert!(matches!(error, MigrationError::Plan(PlanError::NoSuchVersion { version: 7 })));
        std::fs::write(folder.path().join(DATA.0), "select 'edited'")?;
        let error = refuses(&folder, &database, Extent::Steps(1)).await?;
        assert!(matches!(error, MigrationError::Plan(PlanError::Changed { .. })), "{error}");
        Ok(())
    })
}

#[test]
fn an_undoing_that_fails_undoes_nothing_of_its_migration() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let broken = ("0002_data.down.sql", "update counter set n = n - 1;\nselect 1 / 0;\n");
        let folder = folder(&[TABLE, DATA, broken])?;
        applied(&folder, &database).await?;
        let error = refuses(&folder, &database, Extent::Steps(1)).await?;
        let MigrationError::Statement { file, place, effect, .. } = &error else {
            bail!("another error: {error}")
        };
        assert_eq!((file.as_str(), place.line, *effect), (broken.0, 2, Effect::None));
        assert_eq!(database.count("select n::bigint from counter").await?, 1);
        Ok(())
    })
}

#[test]
fn an_undoing_outside_of_a_transaction_goes_on_and_nothing_is_applied_before_it_has() -> Result<()>
{
    with(async |server| {
        let database = server.database().await?;
        let text = "-- avenire: no-transaction\nupdate counter set n = n - 1;\nselect 1 / 0;\n";
        let folder = folder(&[TABLE, DATA, ("0002_data.down.sql", text)])?;
        applied(&folder, &database).await?;
        let Err(failure) = undo(&folder, &database, Extent::Steps(1)).await? else {
            bail!("it was undone")
        };
        assert!(
            matches!(
                failure.error,
                MigrationError::Statement { effect: Effect::Statements(1), .. }
            ),
            "{failure:?}"
        );
        let meanwhile = refused(&folder, database.endpoint()).await?;
        assert!(matches!(plan_error(&meanwhile), PlanError::Undoing { version: 2, .. }));
        std::fs::write(folder.path().join("0002_data.down.sql"), text.replace("1 / 0", "1"))?;
        assert_eq!(undo(&folder, &database, Extent::Steps(1)).await??, ["0002_data.down.sql"]);
        assert_eq!(database.count("select n::bigint from counter").await?, 0, "once");
        // One whose first statement fails is as it was: applied.
        applied(&folder, &database).await?;
        let wrong = "-- avenire: no-transaction\nselect 1 / 0;";
        std::fs::write(folder.path().join("0002_data.down.sql"), wrong)?;
        assert!(undo(&folder, &database, Extent::Steps(1)).await?.is_err());
        assert!(applied(&folder, &database).await?.is_empty());
        Ok(())
    })
}

#[test]
fn two_that_undo_one_migration_at_the_same_time_undo_one() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let slow = ("0002_data.down.sql", "select pg_sleep(0.2); update counter set n = n - 1;");
        let more = ("0003_more.sql", "update counter set n = n + 10;");
        let undo_more =
            ("0003_more.down.sql", "select pg_sleep(0.2); update counter set n = n - 10;");
        let folder = folder(&[TABLE, DATA, slow, more, undo_more])?;
        applied(&folder, &database).await?;
        let (one, other) = tokio::join!(
            undo(&folder, &database, Extent::To(2)),
            undo(&folder, &database, Extent::To(2))
        );
        assert_eq!(one??.len() + other??.len(), 1);
        assert_eq!(database.count("select n::bigint from counter").await?, 1);
        Ok(())
    })
}

#[test]
fn what_another_one_has_undone_meanwhile_is_passed_over() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let more = ("0003_more.sql", "update counter set n = n + 10;");
        let undo_more = ("0003_more.down.sql", "update counter set n = n - 10;");
        let folder = folder(&[TABLE, UNDO_TABLE, DATA, UNDO_DATA, more, undo_more])?;
        applied(&folder, &database).await?;
        let (begun, other_begins) = std::sync::mpsc::channel();
        let other_begins = Mutex::new(other_begins);
        let (undone, one_is_undone) = tokio::sync::oneshot::channel();
        let undone = Mutex::new(Some(undone));
        // It goes on to the second when the other one, which wants the same, is at it.
        let waits = move |step| {
            if let Progress::Undone(_) = step
                && let Some(undone) = undone.lock().unwrap().take()
            {
                let _ = undone.send(());
                let wait = || other_begins.lock().unwrap().recv_timeout(PATIENCE);
                let _ = tokio::task::block_in_place(wait);
            }
        };
        let (first, second) = (Migrations::load(folder.path())?, Migrations::load(folder.path())?);
        let (endpoint, accept) = (database.endpoint().clone(), deleting());
        let one = tokio::spawn(async move {
            first.rollback(Extent::To(1), &accept, &endpoint, soon(), &waits).await
        });
        one_is_undone.await?;
        let begins = move |step| {
            if matches!(step, Progress::Undoing { .. }) {
                let _ = begun.send(());
            }
        };
        let accept = deleting();
        let other =
            second.rollback(Extent::To(1), &accept, database.endpoint(), soon(), &begins).await?;
        let files =
            |undone: Vec<Done>| -> Vec<_> { undone.into_iter().map(|one| one.file).collect() };
        assert_eq!(files(other), [UNDO_DATA.0]);
        assert_eq!(files(one.await??), [undo_more.0]);
        assert_eq!(database.count("select n::bigint from counter").await?, 0);
        Ok(())
    })
}

#[test]
fn nothing_more_is_undone_when_somebody_has_applied_something_meanwhile() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let more = ("0003_more.sql", "update counter set n = n + 10;");
        let undo_more = ("0003_more.down.sql", "update counter set n = n - 10;");
        let undo_new = ("0004_new.down.sql", "drop table if exists new;");
        let folder = folder(&[TABLE, DATA, UNDO_DATA, more, undo_more])?;
        applied(&folder, &database).await?;
        std::fs::write(folder.path().join("0004_new.sql"), "create table new ();")?;
        std::fs::write(folder.path().join(undo_new.0), undo_new.1)?;
        let migrations = Migrations::load(folder.path())?;
        let after_the_first = |step| {
            if let Progress::Undone(_) = step {
                let apply = migrations.apply(database.endpoint(), soon(), &|_| {});
                let handle = tokio::runtime::Handle::current();
                tokio::task::block_in_place(|| handle.block_on(apply)).unwrap();
            }
        };
        let (accept, endpoint) = (deleting(), database.endpoint());
        let failure = migrations
            .rollback(Extent::To(1), &accept, endpoint, soon(), &after_the_first)
            .await
            .unwrap_err();
        assert!(matches!(failure.error, MigrationError::Moved { version: 4 }), "{failure:?}");
        let undone: Vec<&str> = failure.undone.iter().map(|done| done.file.as_str()).collect();
        assert_eq!(undone, [undo_more.0]);
        assert_eq!(database.count("select n::bigint from counter").await?, 11);
        assert_eq!(database.count("select count(to_regclass('new'))").await?, 1);
        Ok(())
    })
}

#[test]
fn nothing_is_undone_on_what_is_seen_while_somebody_migrates() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE, DATA, UNDO_DATA])?;
        applied(&folder, &database).await?;
        // Another host is at it, outside of a transaction.
        let other = database.session().await?;
        other.rows(&format!("select pg_advisory_lock({LOCK})"), &[]).await?;
        other.batch("update _avenire.migrations set applied_at = null where version = 2").await?;
        let (migrations, accept) = (Migrations::load(folder.path())?, deleting());
        let late = Instant::now() + Duration::from_millis(200);
        let told = |_| {};
        let undone =
            migrations.rollback(Extent::Steps(1), &accept, database.endpoint(), late, &told).await;
        assert!(matches!(undone.unwrap_err().error, MigrationError::Busy));
        other.batch("update _avenire.migrations set applied_at = now() where version = 2").await?;
        drop(other);
        assert_eq!(undo(&folder, &database, Extent::Steps(1)).await??, [UNDO_DATA.0]);
        Ok(())
    })
}

#[test]
fn a_preview_of_undoing_tells_the_hazards_and_changes_nothing() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let folder = folder(&[TABLE, UNDO_TABLE])?;
        applied(&folder, &database).await?;
        let before = state_of(&database).await?;
        let migrations = Migrations::load(folder.path())?;
        let preview =
            migrations.preview_rollback(Extent::Steps(1), database.endpoint(), soon()).await?;
        let [file] = preview.files.as_slice() else { bail!("{preview:?}") };
        assert_eq!((file.file.as_str(), file.transaction), (UNDO_TABLE.0, Transaction::One));
        assert_eq!(file.statements[0].summary, "drop table counter");
        assert_eq!(file.statements[0].hazards[0].kind, "deletes-data");
        assert_eq!(state_of(&database).await?, before);
        Ok(())
    })
}

#[test]
fn undoing_outside_of_a_transaction_is_refused_through_a_pooler() -> Result<()> {
    with(async |server| {
        let database = server.database().await?;
        let down = ("0002_data.down.sql", "-- avenire: no-transaction\nvacuum;\n");
        let folder = folder(&[TABLE, DATA, down])?;
        applied(&folder, &database).await?;
        let pooled = Endpoint::parse(&format!("{}&pgbouncer=true", database.url()))?;
        let migrations = Migrations::load(folder.path())?;
        let nothing = BTreeSet::new();
        let refused = migrations.rollback(Extent::Steps(1), &nothing, &pooled, soon(), &|_| {});
        let error = refused.await.unwrap_err().error;
        assert!(
            matches!(&error, MigrationError::NeedsDirect { file } if file == down.0),
            "{error}"
        );
        Ok(())
    })
}
