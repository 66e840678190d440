//! Writes the ledger without running anything: single migrations, and all of a database that had
//! its schema before.
//! Never: runs a migration, contradicts what the ledger says of other ones.

use std::time::Instant;

use avenire_postgres::{Endpoint, Session};

use super::conflict::PlanError;
use super::drizzle::Drizzle;
use super::error::MigrationError;
use super::plan::{Applied, State};
use super::source::Migration;
use super::{Baselined, Mark, Marked, Migrations, drizzle, ledger, lock};

/// See [`super::Migrations::mark`].
pub(super) async fn mark(
    migrations: &Migrations,
    version: i64,
    mark: Mark,
    endpoint: &Endpoint,
    deadline: Instant,
) -> Result<Marked, MigrationError> {
    let migration = find(migrations, version)?;
    let session = Session::connect(endpoint, deadline).await?;
    let work = async {
        let applied = begin(&session, migrations, deadline).await?;
        let row = applied.iter().find(|row| row.version == version);
        let component = migrations.component.as_str();
        let marked = match (mark, row) {
            (Mark::NotApplied, None) => Marked::Unchanged,
            (Mark::NotApplied, Some(_)) => {
                ledger::forget(&session, component, version).await?;
                Marked::Changed
            }
            (Mark::Applied, None) => {
                ledger::applied(&session, component, migration, None).await?;
                Marked::Changed
            }
            (Mark::Applied, Some(row)) if matches!(row.state, State::Finished { .. }) => {
                same(row, migration)?;
                Marked::Unchanged
            }
            (Mark::Applied, Some(_)) => {
                // The row may be in a ledger that lacks what is new.
                ledger::forget(&session, component, version).await?;
                ledger::applied(&session, component, migration, None).await?;
                Marked::Changed
            }
        };
        session.batch("commit").await?;
        Ok(marked)
    };
    lock::within(deadline, work).await
}

/// See [`super::Migrations::baseline`].
pub(super) async fn baseline(
    migrations: &Migrations,
    up_to: i64,
    drizzle: Option<&Drizzle>,
    endpoint: &Endpoint,
    deadline: Instant,
) -> Result<Baselined, MigrationError> {
    find(migrations, up_to)?;
    let session = Session::connect(endpoint, deadline).await?;
    let work = async {
        let theirs = drizzle::rows(&session).await?;
        if let Some(drizzle) = drizzle {
            let files = drizzle.compare(&theirs).pending;
            if !files.is_empty() {
                return Err(MigrationError::DrizzlePending { files });
            }
        }
        let applied = begin(&session, migrations, deadline).await?;
        let chosen: Vec<&Migration> =
            migrations.available.iter().filter(|one| one.version <= up_to).collect();
        for row in &applied {
            let file = chosen.iter().find(|one| one.version == row.version);
            let finished = matches!(row.state, State::Finished { .. });
            match file {
                Some(file) if finished => same(row, file)?,
                _ => {
                    let (version, name) = (row.version, row.name.clone());
                    return Err(MigrationError::NotEmpty { version, name });
                }
            }
        }
        let mut marked = Vec::new();
        for migration in chosen {
            if !applied.iter().any(|row| row.version == migration.version) {
                ledger::applied(&session, &migrations.component, migration, None).await?;
                marked.push(migration.file.clone());
            }
        }
        session.batch("commit").await?;
        Ok(Baselined { marked, already: applied.len(), advice: advice(drizzle, theirs.len()) })
    };
    lock::within(deadline, work).await
}

fn advice(drizzle: Option<&Drizzle>, rows: usize) -> Option<String> {
    match drizzle {
        None if rows > 0 => Some(format!(
            "this database has a ledger of Drizzle's with {rows} migrations; give Drizzle's folder \
             too, and it is checked that none of them is pending"
        )),
        _ => None,
    }
}

/// A transaction that holds the lock, with a ledger in it.
async fn begin(
    session: &Session,
    migrations: &Migrations,
    deadline: Instant,
) -> Result<Vec<Applied>, MigrationError> {
    lock::begin(session, deadline, || {}).await?;
    ledger::create(session).await?;
    Ok(ledger::of(&ledger::read(session).await?, &migrations.component))
}

fn find(migrations: &Migrations, version: i64) -> Result<&Migration, PlanError> {
    let found = migrations.available.iter().find(|one| one.version == version);
    found.ok_or(PlanError::NoSuchVersion { version })
}

fn same(row: &Applied, migration: &Migration) -> Result<(), PlanError> {
    if row.sha256.as_slice() == migration.sha256.as_slice() {
        return Ok(());
    }
    Err(PlanError::Changed { file: migration.file.clone() })
}
