//! The catalog that the schema modules lead to.

use avenire_definitions::{Definitions, ddl};
use avenire_postgres::Endpoint;

use super::error::RevisionError;
use crate::catalog::{Introspected, Scope, introspect};
use crate::scratch::{Scratch, Statement, run_definitions};

/// Runs the definitions in a scratch database and reads what they made. Postgres is the judge of
/// every type, expression and reference in them; what it refuses is told with its place.
pub async fn desired(
    definitions: &Definitions,
    server: &Endpoint,
    scope: &Scope,
) -> Result<Introspected, RevisionError> {
    let faults = definitions.check();
    if !faults.is_empty() {
        return Err(RevisionError::Definitions(faults));
    }
    let statements: Vec<Statement> = ddl(definitions)
        .into_iter()
        .map(|one| Statement { place: one.place(), sql: one.sql, what: one.what })
        .collect();
    let scratch = Scratch::create(server, "the schema modules").await?;
    let session = scratch.session().await?;
    run_definitions(&session, &statements).await?;
    let desired = introspect(&session, scope).await?;
    drop(session);
    scratch.drop().await?;
    Ok(desired)
}
