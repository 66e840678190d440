//! What a statement may do to the data and to the programs that use it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A hazard of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hazard {
    /// Which kind.
    pub kind: HazardKind,
    /// What exactly, one short clause without a full stop.
    pub about: String,
}

/// Kinds of hazards, after what PostgreSQL's documentation says of each statement's locks, scans
/// and rewrites (ALTER TABLE, Notes; Explicit Locking).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HazardKind {
    /// Rows, or values in them, are gone for good.
    DeletesData,
    /// The table and its indexes are written anew, while nobody reads or writes.
    RewritesTable,
    /// Readers and writers wait for as long as the table is large.
    BlocksReadsAndWrites,
    /// Writers wait for as long as the table is large.
    BlocksWrites,
    /// Rows that exist may not allow it; then nothing happens.
    MayFail,
    /// Code that runs now may stop working.
    BreaksCallers,
    /// There is no way back.
    Irreversible,
}

impl HazardKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::DeletesData,
        Self::RewritesTable,
        Self::BlocksReadsAndWrites,
        Self::BlocksWrites,
        Self::MayFail,
        Self::BreaksCallers,
        Self::Irreversible,
    ];

    /// The word for it, on the command line and in SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::DeletesData => "deletes-data",
            Self::RewritesTable => "rewrites-table",
            Self::BlocksReadsAndWrites => "blocks-reads-and-writes",
            Self::BlocksWrites => "blocks-writes",
            Self::MayFail => "may-fail",
            Self::BreaksCallers => "breaks-callers",
            Self::Irreversible => "irreversible",
        }
    }
}

impl fmt::Display for HazardKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no hazard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hazard")]
pub struct UnknownHazard(pub String);

impl UnknownHazard {
    /// What to do.
    pub fn hint(&self) -> String {
        format!("the hazards are {}", HazardKind::ALL.map(HazardKind::word).join(", "))
    }
}

impl FromStr for HazardKind {
    type Err = UnknownHazard;

    fn from_str(text: &str) -> Result<Self, UnknownHazard> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| UnknownHazard(text.to_owned()))
    }
}

/// As generated SQL has it before the statement, without the line's end.
impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-- hazard: {}: {}", self.kind, self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hazard_is_read_as_it_is_written() {
        for kind in HazardKind::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        let unknown = "deletes-rows".parse::<HazardKind>().unwrap_err();
        assert!(unknown.hint().contains("deletes-data"));
    }
}
