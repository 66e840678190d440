//! What can go wrong with the registry, whose fault it is, and what to do about it.
//! Never: contains a component's bytes, a password, or SQL.

use avenire_postgres::{Error, Execution};

use super::Digest;

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Who asked: for something that cannot be, or on an outdated view of what serves.
    Caller,
    /// The database, the way to it, or what another program wrote there.
    Database,
    /// This program: it is older than what it works with.
    Host,
}

/// Which of a slot's two places is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// What takes the calls.
    Serving,
    /// What takes a share of them, on trial.
    Canary,
}

/// Why the registry did not do what was asked. Nothing has changed then, except where
/// [`RegistryError::may_have_happened`] says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The database refused, or could not be reached.
    #[error("could not {doing}")]
    Database {
        /// What was to be done.
        doing: &'static str,
        /// What happened.
        source: Error,
    },
    /// The user lacks a right.
    #[error("the database user `{user}` may not {doing}")]
    NotAllowed {
        /// Who logged in.
        user: String,
        /// What was to be done.
        doing: &'static str,
    },
    /// Another program has been making or changing the tables for too long.
    #[error("another program has been preparing the registry's tables until the deadline passed")]
    Busy,
    /// A newer program has given the tables a form that this one cannot use.
    #[error("the registry has form {found}, but this program knows no later one than {known}")]
    Newer {
        /// The form of the tables.
        found: i32,
        /// The latest form that is known.
        known: i32,
    },
    /// A name that can be no component's.
    #[error("`{component}` is not a name for a component")]
    BadComponent {
        /// The name, shortened.
        component: String,
    },
    /// A text or a number that the registry does not take.
    #[error("{what} {reason}")]
    BadText {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The component is empty or too large.
    #[error("component `{component}` has {size} bytes, and may have 1 to {maximum}")]
    Size {
        /// The component, or its digest.
        component: String,
        /// What it has.
        size: i64,
        /// What it may have.
        maximum: i64,
    },
    /// Somebody else was faster: what serves is not what the caller looked at.
    #[error(
        "component `{component}`: {} was expected {}, but it is {}",
        number(Some(*expected)), at(*place), number(*found)
    )]
    Moved {
        /// The component.
        component: String,
        /// Where.
        place: Place,
        /// The generation that the caller expected there; 0 for none.
        expected: i64,
        /// The generation that is there.
        found: Option<i64>,
    },
    /// Another change has to wait until the canary's trial has ended.
    #[error("component `{component}`: generation {generation} is on trial as a canary")]
    CanaryUnderWay {
        /// The component.
        component: String,
        /// The canary.
        generation: i64,
    },
    /// There is no canary.
    #[error("component `{component}` has no canary")]
    NoCanary {
        /// The component.
        component: String,
    },
    /// A canary needs something beside it that serves.
    #[error(
        "component `{component}` serves nothing yet, so that its first generation is no canary"
    )]
    NothingServes {
        /// The component.
        component: String,
    },
    /// There is no generation to go back to.
    #[error(
        "component `{component}`: there is nothing to go back to before generation {generation}"
    )]
    NothingBefore {
        /// The component.
        component: String,
        /// What serves.
        generation: i64,
    },
    /// What was asked for serves already.
    #[error("component `{component}`: generation {generation} serves already")]
    AlreadyServing {
        /// The component.
        component: String,
        /// What serves.
        generation: i64,
    },
    /// The registry knows no such component.
    #[error("the registry has no component `{component}`")]
    NoComponent {
        /// The component.
        component: String,
    },
    /// The component has no such generation.
    #[error("component `{component}` has no generation {generation}")]
    NoGeneration {
        /// The component.
        component: String,
        /// The number.
        generation: i64,
    },
    /// The bytes of a generation are not there.
    #[error("the registry has no artifact {sha256}")]
    NoArtifact {
        /// Its digest.
        sha256: Digest,
    },
    /// The bytes of an artifact are not those that were stored.
    #[error("the bytes of artifact {sha256} have the digest {found}")]
    WrongDigest {
        /// What they should have.
        sha256: Digest,
        /// What they have.
        found: Digest,
    },
    /// A row that this program cannot have written.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// Which row.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl RegistryError {
    /// Whether what is stored is damaged or missing, so that trying again is of no use before
    /// somebody has put it right.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::NoArtifact { .. }
                | Self::WrongDigest { .. }
                | Self::Size { .. }
                | Self::NoGeneration { .. }
                | Self::Malformed { .. }
        )
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Database { .. }
            | Self::NotAllowed { .. }
            | Self::Busy
            | Self::NoArtifact { .. }
            | Self::WrongDigest { .. }
            | Self::Malformed { .. } => Blame::Database,
            Self::Newer { .. } => Blame::Host,
            _ => Blame::Caller,
        }
    }

    /// The error with what is behind it, in one line.
    pub fn in_full(&self) -> String {
        match self {
            Self::Database { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }

    /// Whether the change may have been made although there is no answer.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Database { source, .. } if source.execution() == Execution::Unknown)
    }

    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::Database { source, .. } => database_hint(source),
            Self::NotAllowed { user, .. } => format!(
                "give the database's owner in `direct-url`, or let the owner run once: create \
                 schema if not exists _avenire; grant usage, create on schema _avenire to \
                 \"{0}\"; grant select, insert, update, delete on all tables in schema _avenire \
                 to \"{0}\"",
                user.replace('"', "\"\"")
            ),
            Self::Busy => "look in pg_stat_activity for who holds locks in the schema \
                 `_avenire`, or raise the deadline"
                .into(),
            Self::Newer { .. } => "update this program".into(),
            Self::BadComponent { .. } => {
                "use a lower-case letter, then letters, digits and hyphens, 32 in all".into()
            }
            Self::BadText { .. } => "correct it, and try again".into(),
            Self::Size { .. } => "build it without debug information, or split it".into(),
            Self::Moved { .. } => "look at what serves now, then try again".into(),
            Self::CanaryUnderWay { .. } => "promote it or abandon it first".into(),
            Self::NoCanary { .. } => "deploy one with a share of the calls first".into(),
            Self::NothingServes { .. } => "deploy it without a share".into(),
            Self::NothingBefore { .. } => {
                "name a generation of its history, or deploy another".into()
            }
            Self::AlreadyServing { .. } => "name another generation of its history".into(),
            Self::NoComponent { .. } => "check the spelling, or deploy it first".into(),
            Self::NoGeneration { .. } => "look at its history".into(),
            Self::NoArtifact { .. } | Self::WrongDigest { .. } => {
                "deploy the same file again, which puts it right, or roll back".into()
            }
            Self::Malformed { .. } => {
                "another program has written it; correct it, or deploy the component again".into()
            }
        }
    }
}

fn database_hint(source: &Error) -> String {
    match source.sqlstate() {
        Some("42P01" | "3F000") => {
            "the registry's tables are gone; start the host again, which makes them".into()
        }
        Some("25006") => "the database is read-only: give its primary in `direct-url`".into(),
        Some("55P03" | "57014") => {
            "somebody else is changing the same component; try again, or raise the deadline".into()
        }
        _ if source.execution() == Execution::Unknown => {
            "it may have happened all the same: look at the history before you try again".into()
        }
        _ => source.hint().map_or_else(
            || "check that the database can be reached, then try again".into(),
            std::borrow::Cow::into_owned,
        ),
    }
}

fn number(generation: Option<i64>) -> String {
    match generation {
        None | Some(0) => "none".into(),
        Some(number) => format!("generation {number}"),
    }
}

fn at(place: Place) -> &'static str {
    match place {
        Place::Serving => "to serve",
        Place::Canary => "on trial",
    }
}
