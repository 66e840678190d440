//! Shows that files do what they are meant to, in the scratch database.

use avenire_postgres::Session;

use super::error::RevisionError;
use super::settle::Settled;
use crate::catalog::{Catalog, Scope, introspect};
use crate::diff;
use crate::migrations::run_bare;
use crate::plan::PlannedFile;
use crate::scratch::Scratch;

/// Undoes the renames that were done to find the files, applies the files and compares; then their
/// downs in reverse and compares again, unless a file has no way back.
pub(super) async fn prove(
    scratch: &Scratch,
    files: &[PlannedFile],
    settled: &Settled,
    to: &Catalog,
    scope: &Scope,
) -> Result<(), RevisionError> {
    let session = scratch.session().await?;
    for rename in settled.renames.iter().rev() {
        apply(&session, &rename.down()).await?;
    }
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
    let back = introspect(&session, scope).await?;
    let difference = diff::compare(&back.catalog, &settled.before.catalog);
    if difference.is_empty() {
        Ok(())
    } else {
        Err(RevisionError::Unproven { way: "down", difference })
    }
}

async fn apply(session: &Session, sql: &str) -> Result<(), RevisionError> {
    let ran = run_bare(session, sql, &|_| {}).await;
    ran.map_err(|refused| RevisionError::Planned { source: refused.source, sql: sql.to_owned() })
}
