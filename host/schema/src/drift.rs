//! `verify`: what is other in a database than its migrations produce.
//! Never: writes to the database that is looked at.

use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Error, Session};

use crate::catalog::{IntrospectError, Scope, introspect};
use crate::diff::{self, Difference};
use crate::migrations::{
    Applied, ApplyOptions, Failure, MigrationError, Migrations, PlanError, State, Target,
};
use crate::scratch::{Scratch, ScratchError};

/// How long the migrations may take in a scratch database, which has no rows.
const REPLAY: Duration = Duration::from_mins(10);

/// How long reading the ledger may take.
const LEDGER: Duration = Duration::from_mins(1);

/// Why drift could not be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriftError {
    /// The ledger could not be read.
    #[error("the ledger could not be read")]
    Ledger(#[from] MigrationError),
    /// The ledger and the folder contradict each other, so that nobody knows what to compare with.
    #[error("the ledger and the migrations contradict each other")]
    Conflict(#[from] PlanError),
    /// A migration was interrupted; the database is between two states.
    #[error("migration {version} did not finish")]
    Interrupted {
        /// Its number.
        version: i64,
    },
    /// The migrations do not run in an empty database.
    #[error("the migrations do not run in an empty database")]
    Replay(#[from] Failure),
    /// The scratch database could not be made.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// A catalog could not be read.
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
    /// A connection failed.
    #[error("the database failed")]
    Database(#[from] Error),
}

impl DriftError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::Conflict(error) => Some(error.hint()),
            Self::Interrupted { .. } => {
                Some("run `avenire-db migrate`, which goes on with it".into())
            }
            Self::Replay(failure) => failure.error.hint(),
            Self::Scratch(error) => error.hint(),
            Self::Introspect(_) => None,
            Self::Database(error) => error.hint().map(Into::into),
        }
    }
}

/// Compares the catalog that is with the one that the applied migrations produce in a scratch
/// database on `server`. Pending migrations do not count. The difference reads from what should be
/// to what is.
pub async fn drift(
    live: &Endpoint,
    migrations: &[Migrations],
    server: &Endpoint,
    scope: &Scope,
) -> Result<Difference, DriftError> {
    let mut applied = Vec::new();
    for one in migrations {
        let status = one.status(live, Instant::now() + LEDGER).await?;
        if let Some(conflict) = status.conflict {
            return Err(conflict.into());
        }
        let unfinished = |applied: &&Applied| !matches!(applied.state, State::Finished { .. });
        if let Some(applied) = status.applied.iter().find(unfinished) {
            return Err(DriftError::Interrupted { version: applied.version });
        }
        if let Some(newest) = status.applied.iter().map(|applied| applied.version).max() {
            applied.push((one, newest));
        }
    }
    compared(live, &applied, server, scope).await
}

/// The same whatever the ledger says: against what the migrations up to `version` produce.
pub async fn distance(
    live: &Endpoint,
    migrations: &Migrations,
    version: i64,
    server: &Endpoint,
    scope: &Scope,
) -> Result<Difference, DriftError> {
    compared(live, &[(migrations, version)], server, scope).await
}

async fn compared(
    live: &Endpoint,
    applied: &[(&Migrations, i64)],
    server: &Endpoint,
    scope: &Scope,
) -> Result<Difference, DriftError> {
    let session = Session::connect(live, Instant::now() + LEDGER).await?;
    let scratch = Scratch::create(server, "the migrations").await?;
    for (one, version) in applied {
        let options = ApplyOptions { to: Target::Version(*version), ..ApplyOptions::default() };
        one.apply_with(options, scratch.endpoint(), Instant::now() + REPLAY, &|_| {}).await?;
    }
    let expected = scratch.session().await?;
    let (should, is) = tokio::join!(introspect(&expected, scope), introspect(&session, scope));
    let difference = diff::compare(&should?.catalog, &is?.catalog);
    drop(expected);
    scratch.drop().await?;
    Ok(difference)
}
