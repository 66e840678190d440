//! Shows that planned files do what they are meant to, in the scratch database.

use avenire_postgres::Session;

use super::error::RevisionError;
use super::settle::Settled;
use crate::catalog::{Catalog, Scope, introspect};
use crate::diff;
use crate::migrations::statements_of;
use crate::plan::PlannedFile;
use crate::scratch::Scratch;

/// The first line of a file that runs outside of a transaction.
const NO_TRANSACTION: &str = "-- avenire: no-transaction";

/// Applies the files to the scratch database, whose renames are done, and compares; then the downs
/// in reverse and the renames back, unless a file has no way back.
pub(super) async fn prove(
    scratch: &Scratch,
    files: &[PlannedFile],
    settled: &Settled,
    to: &Catalog,
    scope: &Scope,
) -> Result<(), RevisionError> {
    let session = scratch.session().await?;
    for file in files {
        apply(&session, &file.up).await?;
    }
    let reached = introspect(&session, scope).await?;
    let difference = diff::compare(&reached.catalog, to);
    if !difference.is_empty() {
        return Err(RevisionError::Unproven { way: "up", difference });
    }
    let downs: Option<Vec<&str>> = files.iter().rev().map(|file| file.down.as_deref()).collect();
    let Some(downs) = downs else { return Ok(()) };
    for down in downs {
        apply(&session, down).await?;
    }
    for rename in settled.renames.iter().rev() {
        apply(&session, &rename.down()).await?;
    }
    let back = introspect(&session, scope).await?;
    let difference = diff::compare(&back.catalog, &settled.before.catalog);
    if difference.is_empty() {
        Ok(())
    } else {
        Err(RevisionError::Unproven { way: "down", difference })
    }
}

/// As the runner would: in one transaction, or statement by statement.
async fn apply(session: &Session, sql: &str) -> Result<(), RevisionError> {
    let transaction = !sql.starts_with(NO_TRANSACTION);
    let run = async {
        if transaction {
            session.batch("begin").await?;
        }
        for statement in statements_of(sql) {
            session.batch(statement).await?;
        }
        if transaction { session.batch("commit").await } else { Ok(()) }
    };
    run.await.map_err(|source| RevisionError::Planned { source, sql: sql.to_owned() })
}
