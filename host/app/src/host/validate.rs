//! Whether candidates may serve: everything that is wrong with them, at once.
//!
//! Owns the order of the checks and what is told. Never: changes what serves. The roles that
//! accepted candidates log in with are made on the way, since whether they can be is one of the
//! checks.

use avenire_engine::{LoadError, Sandbox};
use avenire_postgres::Endpoint;

use super::candidate::{Candidate, Code};
use super::login;
use crate::error::AppError;
use crate::fit;
use crate::project::Project;
use crate::targets::Targets;

/// A candidate that may serve.
pub(crate) struct Accepted {
    pub(crate) code: Code,
    /// What its connections log in with.
    pub(crate) endpoint: Endpoint,
}

/// Checks candidates for themselves and against the database, all at the same time. In the order of
/// the candidates.
pub(crate) async fn validate(
    project: &Project,
    sandbox: &Sandbox,
    targets: &Targets,
    candidates: &[Candidate<'_>],
) -> Result<Vec<Accepted>, AppError> {
    let examinations: Vec<_> =
        candidates.iter().map(|candidate| candidate.examine(project, sandbox)).collect();
    let entries: Vec<_> = candidates.iter().map(|one| (one.name, one.entry)).collect();
    let (endpoints, fits) = tokio::join!(
        login::endpoints(project, targets, &entries),
        fit::check(&targets.direct, candidates)
    );
    let mut errors = Vec::new();
    let mut codes = Vec::new();
    for examination in examinations {
        match examination.finish().await {
            Ok(code) => codes.push(code),
            Err(found) => errors.extend(found),
        }
    }
    let unreachable = |error: &AppError| matches!(error, AppError::Database { .. });
    let endpoints = match (endpoints, fits) {
        (Ok(endpoints), fits) => {
            errors.extend(fits.err().into_iter().flatten());
            endpoints
        }
        (Err(error), fits) => {
            // A database that can not be reached is told once.
            let misfits = fits.err().into_iter().flatten();
            errors.extend(misfits.filter(|misfit| !unreachable(misfit)));
            errors.push(error);
            Vec::new()
        }
    };
    if errors.is_empty() && (codes.len(), endpoints.len()) != (candidates.len(), candidates.len()) {
        let reason = "a component was neither accepted nor refused".to_owned();
        errors.push(AppError::Sandbox(LoadError::Host { reason }));
    }
    refuse(errors)?;
    let accepted = codes.into_iter().zip(endpoints);
    Ok(accepted.map(|(code, endpoint)| Accepted { code, endpoint }).collect())
}

/// One error for all.
pub(super) fn refuse(mut errors: Vec<AppError>) -> Result<(), AppError> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(AppError::Several(errors)),
    }
}
