//! `push`: a development database brought to what the schema modules say, without a migration.
//! Never: truncates; drops what holds data unless its hazard was named.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use avenire_definitions::Definitions;
use avenire_postgres::{Endpoint, Error, Session};

use crate::catalog::{IntrospectError, introspect};
use crate::diff::{self, Difference};
use crate::migrations::{Refused, run_bare};
use crate::plan::{self, Hazard, HazardKind};
use crate::revision::{self, Frame, Revision, RevisionError, Terms, listed};
use crate::scratch::{Scratch, ScratchError};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_mins(1);

/// A statement waits so long for a lock, then the push fails: it is not worth more.
const LOCK_TIMEOUT: &str = "set lock_timeout = '5s'";

/// Why nothing was pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// There is no way from the database to the modules.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// The database has something that can not be made again in a scratch database, where the
    /// change would be tried first.
    #[error("the database can not be copied without its rows to try the change:\n{difference}")]
    NoCopy {
        /// What the copy lacks.
        difference: Difference,
    },
    /// Postgres refused a statement of the copy.
    #[error("the database's schema can not be copied")]
    Copy(#[source] Error),
    /// What would be done has hazards that the caller has not accepted.
    #[error("{}", not_accepted(.0))]
    Hazards(Vec<(String, Hazard)>),
    /// Postgres refused a statement. `done` statements before it took effect and stay, those in
    /// its own transaction did not.
    #[error("the database refused a statement of the change ({what})")]
    Refused {
        /// The statement's first words.
        what: String,
        /// What Postgres said.
        #[source]
        source: Error,
        /// Whether something before it took effect.
        partly: bool,
    },
    /// A connection failed.
    #[error("the database could not be reached")]
    Database(#[from] Error),
    /// A catalog could not be read.
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
    /// A scratch database could not be made.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
}

fn not_accepted(hazards: &[(String, Hazard)]) -> String {
    let lines: Vec<String> = hazards
        .iter()
        .map(|(what, hazard)| format!("{what}: {}: {}", hazard.kind.word(), hazard.about))
        .collect();
    listed("the change has hazards that were not accepted:", &lines)
}

fn words(hazards: &[(String, Hazard)]) -> String {
    let kinds: BTreeSet<String> =
        hazards.iter().map(|(_, hazard)| hazard.kind.to_string()).collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}

/// What a push would do: planned against a copy of the database without its rows, and proven
/// there.
pub async fn prepare(
    live: &Endpoint,
    definitions: &Definitions,
    terms: &Terms<'_>,
) -> Result<Revision, PushError> {
    let session = Session::connect(live, Instant::now() + CONNECT).await?;
    let present = introspect(&session, terms.scope).await?;
    let desired = revision::desired(definitions, terms.scratch, terms.scope).await?;
    let copy = Scratch::create(terms.scratch, "a copy without rows").await?;
    let inside = copy.session().await?;
    for file in plan::baseline(&present).files() {
        run_bare(&inside, &file.up, &|_| {}).await.map_err(|one| PushError::Copy(one.source))?;
    }
    let difference =
        diff::compare(&present.catalog, &introspect(&inside, terms.scope).await?.catalog);
    if !difference.is_empty() {
        return Err(PushError::NoCopy { difference });
    }
    drop(inside);
    let revision = revision::revise(&copy, desired, Frame::default(), terms).await;
    copy.drop().await?;
    Ok(revision?)
}

/// Does what was prepared. `allowed` are the hazards the caller accepts; any other one that loses
/// data refuses the whole push before anything is done.
pub async fn carry_out(
    live: &Endpoint,
    revision: &Revision,
    allowed: &[HazardKind],
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), PushError> {
    let loses =
        |hazard: &Hazard| hazard.kind == HazardKind::DeletesData && !allowed.contains(&hazard.kind);
    let refused: Vec<(String, Hazard)> = revision
        .steps
        .iter()
        .flat_map(|step| step.hazards.iter().map(|hazard| (step.what.clone(), hazard.clone())))
        .filter(|(_, hazard)| loses(hazard))
        .collect();
    if !refused.is_empty() {
        return Err(PushError::Hazards(refused));
    }
    let session = Session::connect(live, Instant::now() + CONNECT).await?;
    session.batch(LOCK_TIMEOUT).await?;
    for (done, file) in revision.files.iter().enumerate() {
        run_bare(&session, &file.up, progress).await.map_err(|refused| {
            let Refused { what, source, partly } = refused;
            PushError::Refused { what, source, partly: partly || done > 0 }
        })?;
    }
    Ok(())
}

impl PushError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Revision(error) => error.hint(),
            Self::NoCopy { .. } | Self::Copy(_) => {
                Some("write a migration with `avenire-db generate` instead".into())
            }
            Self::Hazards(hazards) => {
                let kinds = words(hazards);
                Some(format!(
                    "if the data may go, repeat with `--accept {kinds}`; nothing was done"
                ))
            }
            Self::Refused { partly: false, .. } => Some("nothing was changed".into()),
            Self::Refused { .. } => Some(
                "what came before it has taken effect; correct the cause and push again".into(),
            ),
            Self::Database(error) => error.hint().map(Into::into),
            Self::Introspect(error) => error.hint(),
            Self::Scratch(error) => error.hint(),
        }
    }
}
