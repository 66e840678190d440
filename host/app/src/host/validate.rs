//! Whether candidates may serve: everything that is wrong with them, at once.
//!
//! Owns the order of the checks and what is told. Never: changes what serves. Nothing is written
//! before the components themselves, and their fit, were found to be good; then their roles get what
//! they lack, with which each component tests itself.

use std::sync::Arc;

use avenire_engine::{Blame, Function, LoadError, Sandbox, Slot};
use avenire_postgres::{Endpoint, Pool};
use futures_util::{StreamExt as _, stream};

use super::candidate::{Candidate, Code};
use super::login::{self, Logins};
use crate::direct::Direct;
use crate::error::AppError;
use crate::fit;
use crate::project::Project;
use crate::roles::Extent;
use crate::targets::Targets;

/// What candidates are validated by.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) project: &'a Project,
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) targets: &'a Targets,
    /// How far roles may be changed.
    pub(crate) extent: Extent,
}

/// A candidate that may serve.
pub(crate) struct Accepted {
    pub(crate) code: Code,
    /// What its statements go through; none when its role does not exist and was not to be made.
    /// Then it was not tested.
    pub(crate) pool: Option<Pool>,
}

/// Checks candidates for themselves and against the database, all at the same time. In the order of
/// the candidates. `serving` is the pool of a slot that serves already.
pub(crate) async fn validate(
    ground: Ground<'_>,
    candidates: &[Candidate<'_>],
    serving: Option<&Pool>,
) -> Result<Vec<Accepted>, AppError> {
    let Ground { project, sandbox, targets, extent } = ground;
    let examinations: Vec<_> =
        candidates.iter().map(|candidate| candidate.examine(project, sandbox)).collect();
    let entries: Vec<_> = candidates.iter().map(|one| (one.name, one.entry)).collect();
    let direct = Direct::new(&targets.direct);
    let (logins, fits) = tokio::join!(
        Logins::look(project, targets, &direct, entries),
        fit::check(&direct, candidates)
    );
    let mut errors = Vec::new();
    let mut codes = Vec::new();
    for examination in examinations {
        match examination.finish().await {
            Ok(code) => codes.push(code),
            Err(found) => errors.extend(found),
        }
    }
    let logins = match logins {
        Ok(logins) => {
            errors.extend(fits.err().into_iter().flatten());
            refuse(errors)?;
            logins
        }
        Err(found) => {
            // A database that can not be reached is told once.
            let unreachable = |error: &AppError| matches!(error, AppError::Database { .. });
            let misfits = fits.err().into_iter().flatten();
            errors.extend(misfits.filter(|misfit| !unreachable(misfit)));
            errors.extend(found);
            return Err(one_of(errors));
        }
    };
    let endpoints = match logins.make(extent).await {
        Ok(endpoints) if endpoints.len() == candidates.len() => endpoints,
        Ok(_) => return Err(neither()),
        Err(errors) => return Err(one_of(errors)),
    };
    warn_of_idle_patterns(candidates, &codes);
    let mut accepted = Vec::with_capacity(candidates.len());
    let mut tests = Vec::new();
    for ((candidate, code), endpoint) in candidates.iter().zip(codes).zip(endpoints) {
        let limits = candidate.entry.limits();
        let pool = |endpoint: &Endpoint| {
            let options = login::pool_options(candidate.name, endpoint, &limits);
            Pool::new(endpoint.clone(), options)
        };
        if let Some(endpoint) = endpoint.as_ref().filter(|_| code.component.tests_itself()) {
            // One of its own, which is closed afterwards: a host at rest holds no connection.
            let pool = serving.cloned().unwrap_or_else(|| pool(endpoint));
            let component = Arc::clone(&code.component);
            let (name, sandbox, limits) = (candidate.name, sandbox.clone(), limits.clone());
            let slot = Slot::new(name, sandbox, component, 0, pool, limits);
            tests.push(test_itself(slot, serving.is_none()));
        }
        let pool = serving.cloned().or_else(|| endpoint.as_ref().map(pool));
        accepted.push(Accepted { code, pool });
    }
    // Few at a time: each takes a connection.
    let tested: Vec<_> = stream::iter(tests).buffer_unordered(TESTS).collect().await;
    let mut errors: Vec<AppError> = tested.into_iter().flatten().collect();
    errors.sort_by_key(|error| error.blame() == Blame::Database);
    refuse(errors)?;
    Ok(accepted)
}

/// So many components test themselves at once.
const TESTS: usize = 4;

/// Lets a component run its own test. Connections that nobody else uses are closed.
async fn test_itself(slot: Slot, alone: bool) -> Option<AppError> {
    let component = slot.name().to_owned();
    let tested = slot.self_test().await;
    if alone {
        slot.pool().close().await;
    }
    match tested {
        Ok(problems) if problems.is_empty() => None,
        Ok(problems) => Some(AppError::SelfTest { component, problems }),
        Err(source) => Some(AppError::SelfTestFailed { component, source }),
    }
}

/// What the manifest declares of functions that no component has is most likely misspelt.
fn warn_of_idle_patterns(candidates: &[Candidate<'_>], codes: &[Code]) {
    for (candidate, code) in candidates.iter().zip(codes) {
        let functions = code.component.functions().map(Function::name).collect::<Vec<_>>();
        for pattern in candidate.entry.declared().idle(&functions) {
            let component = candidate.name;
            tracing::warn!(
                component,
                pattern,
                "the manifest declares a function that is not there"
            );
        }
    }
}

fn neither() -> AppError {
    let reason = "a component was neither accepted nor refused".to_owned();
    AppError::Sandbox(LoadError::Host { reason })
}

/// One error for all.
pub(super) fn refuse(errors: Vec<AppError>) -> Result<(), AppError> {
    if errors.is_empty() { Ok(()) } else { Err(one_of(errors)) }
}

fn one_of(mut errors: Vec<AppError>) -> AppError {
    match errors.len() {
        0 => neither(),
        1 => errors.remove(0),
        _ => AppError::Several(errors),
    }
}
