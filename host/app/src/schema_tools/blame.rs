//! Whose fault it is when the schema toolkit fails.

use avenire_engine::Blame;
use avenire_schema::drift::DriftError;
use avenire_schema::generate::GenerateError;
use avenire_schema::pull::PullError;
use avenire_schema::push::PushError;
use avenire_schema::revision::RevisionError;
use avenire_schema::scratch::DefinitionsError;

use crate::error::migration_blame;

pub(crate) fn of_generate(error: &GenerateError) -> Blame {
    match error {
        GenerateError::Source(_)
        | GenerateError::Snapshot(_)
        | GenerateError::Replay(_)
        | GenerateError::Name { .. }
        | GenerateError::Exists { .. } => Blame::Caller,
        GenerateError::Revision(error) => of_revision(error),
        GenerateError::Scratch(_) => Blame::Database,
        _ => Blame::Host,
    }
}

pub(crate) fn of_push(error: &PushError) -> Blame {
    match error {
        PushError::Revision(error) => of_revision(error),
        PushError::Hazards(_) => Blame::Caller,
        PushError::NoCopy { .. } | PushError::Copy(_) => Blame::Host,
        _ => Blame::Database,
    }
}

pub(crate) fn of_drift(error: &DriftError) -> Blame {
    match error {
        DriftError::Conflict(_) | DriftError::Replay(_) => Blame::Caller,
        DriftError::Ledger(error) => migration_blame(error),
        _ => Blame::Database,
    }
}

pub(crate) fn of_pull(error: &PullError) -> Blame {
    match error {
        PullError::Exists { .. } | PullError::NotFirst { .. } => Blame::Caller,
        PullError::Scratch(_) | PullError::Introspect(_) => Blame::Database,
        _ => Blame::Host,
    }
}

fn of_revision(error: &RevisionError) -> Blame {
    match error {
        RevisionError::Definitions(_)
        | RevisionError::Unanswered(_)
        | RevisionError::Refused(_)
        | RevisionError::Undefined(DefinitionsError::Refused { .. }) => Blame::Caller,
        RevisionError::Planned { .. } | RevisionError::Unproven { .. } => Blame::Host,
        _ => Blame::Database,
    }
}
