//! Why a catalog could not be read, and what to do about it.

use avenire_postgres::Error;

/// Why a catalog could not be read. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectError {
    /// The database could not be reached, or refused a query.
    #[error("the catalog could not be read: {0}")]
    Database(#[from] Error),
    /// What a query answered is not what it answers in the versions that are known.
    #[error("the catalog could not be read: the answer about {about} is not understood")]
    Unreadable {
        /// What was asked for.
        about: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server is older than 13.
    #[error("PostgreSQL {major} is too old")]
    TooOld {
        /// Its major version.
        major: i32,
    },
}

impl IntrospectError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Database(error) => error.hint().map(std::borrow::Cow::into_owned),
            Self::Unreadable { .. } => Some(
                "try again when nobody changes the schema; if it stays so, the server is newer \
                 than this program knows"
                    .into(),
            ),
            Self::TooOld { .. } => Some("use PostgreSQL 13 or later".into()),
        }
    }

    /// Whether it looks like something was dropped while we read. The printing functions of
    /// Postgres see the present, not our snapshot: they fail with an internal error ("cache lookup
    /// failed"), with an undefined object, or answer null.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) => {
                matches!(error.sqlstate(), Some("XX000" | "42P01" | "42704" | "42883"))
            }
            Self::Unreadable { .. } => true,
            Self::TooOld { .. } => false,
        }
    }
}
