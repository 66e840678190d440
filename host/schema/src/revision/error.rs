//! What can go wrong on the way from one catalog to another.

use avenire_definitions::DefinitionError;
use avenire_postgres::Error;

use crate::catalog::IntrospectError;
use crate::diff::Difference;
use crate::plan::Refusal;
use crate::renames::Unanswered;
use crate::scratch::{DefinitionsError, ScratchError};

/// Why there is no revision. Nothing was written anywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevisionError {
    /// The schema modules contradict themselves. All that is wrong is here.
    #[error("{}", listed("the schema modules contradict themselves:", .0))]
    Definitions(Vec<DefinitionError>),
    /// Postgres refused a definition.
    #[error(transparent)]
    Undefined(#[from] DefinitionsError),
    /// The scratch database could not be made.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The catalog of a scratch database could not be read.
    #[error("the scratch database could not be read")]
    Introspect(#[from] IntrospectError),
    /// The scratch database's connection failed.
    #[error("the scratch database failed")]
    Database(#[from] Error),
    /// Something may have been renamed, and nobody said.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// A change that is only made when it is accepted.
    #[error("{}", refused(.0))]
    Refused(Vec<Refusal>),
    /// Postgres refused what was planned: a fault of this program.
    #[error("the planned migration does not run")]
    Planned {
        /// What Postgres said.
        #[source]
        source: Error,
        /// The file, which has no values of the database in it.
        sql: String,
    },
    /// What was planned leads elsewhere: a fault of this program.
    #[error("the planned migration ({way}) does not lead where it should:\n{difference}")]
    Unproven {
        /// `up` or `down`.
        way: &'static str,
        /// What is other than it should be.
        difference: Difference,
    },
}

/// One line each, below what they are.
pub(crate) fn listed(what: &str, lines: &[impl std::fmt::Display]) -> String {
    lines.iter().fold(what.to_owned(), |text, line| format!("{text}\n  {line}"))
}

fn refused(refusals: &[Refusal]) -> String {
    let lines: Vec<String> = refusals
        .iter()
        .map(|one| {
            let Refusal { what, reason, safer, unless } = one;
            let flag = unless.map_or_else(String::new, |hazard| {
                format!("; or accept it: --accept {}", hazard.word())
            });
            format!("{what}: {reason}; safer: {safer}{flag}")
        })
        .collect();
    listed("this is not done unless it is accepted:", &lines)
}

impl RevisionError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Definitions(faults) => faults.first().map(|fault| fault.hint().to_owned()),
            Self::Undefined(error) => error.hint(),
            Self::Scratch(error) => error.hint(),
            Self::Introspect(error) => error.hint(),
            Self::Database(error) => error.hint().map(Into::into),
            Self::Unanswered(unanswered) => Some(unanswered.hint()),
            Self::Refused(_) => {
                Some("change the schema modules as said, or repeat with the flag".into())
            }
            Self::Planned { .. } | Self::Unproven { .. } => Some(
                "write this migration by hand with `generate --empty`, and report the change, \
                 which this program should have managed"
                    .into(),
            ),
        }
    }
}
