//! What can go wrong with migrations, and what to do about it.
//! Never: contains the SQL of a migration, or a value in it.

use std::path::PathBuf;

use avenire_postgres::Error;

use super::position::Place;
use super::{Done, PlanError};

/// What is wrong with the folder of migrations. The author's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file or the folder cannot be read.
    #[error("could not read {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file looks like a migration and is not named like one.
    #[error("{file} is not named like a migration")]
    BadName {
        /// The name of the file.
        file: String,
    },
    /// Two files have the same number.
    #[error("{first} and {second} have the same number")]
    Twins {
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A file has no statement.
    #[error("{file} has no statement")]
    Empty {
        /// The name of the file.
        file: String,
    },
    /// A file is too large to be a migration.
    #[error("{file} is larger than {} MiB", maximum >> 20)]
    TooLarge {
        /// The name of the file.
        file: String,
        /// The most that is read, in bytes.
        maximum: u64,
    },
    /// A file is not UTF-8, or has a zero byte.
    #[error("{file} is not UTF-8 text (line {line})")]
    NotText {
        /// The name of the file.
        file: String,
        /// Where, from 1.
        line: usize,
    },
    /// The first line asks for something unknown.
    #[error("{file} begins with the unknown header `-- avenire: {header}`")]
    UnknownHeader {
        /// The name of the file.
        file: String,
        /// What it asks for.
        header: String,
    },
    /// A quote, comment or parenthesis that is never closed.
    #[error("{file} has {what} that is never closed (line {line})")]
    Unclosed {
        /// The name of the file.
        file: String,
        /// What is open.
        what: &'static str,
        /// Where it was opened, from 1.
        line: usize,
    },
    /// A statement would end the transaction that the migration and its ledger row share.
    #[error(
        "{file} has `{statement}` (line {line}), but transactions are not the file's to control"
    )]
    TransactionControl {
        /// The name of the file.
        file: String,
        /// The keyword.
        statement: String,
        /// Where, from 1.
        line: usize,
    },
}

impl SourceError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check the path and its permissions".into(),
            Self::BadName { .. } => {
                "call it NNNN_name.sql: at least four digits, an underscore, and a name of \
                 letters, digits, `_` and `-`"
                    .into()
            }
            Self::Twins { .. } => "give the one that is not applied anywhere yet the next free \
                 number"
                .into(),
            Self::Empty { .. } => "write its statements, or delete it".into(),
            Self::TooLarge { .. } => "load large data by other means than a migration".into(),
            Self::NotText { .. } => "save it as UTF-8".into(),
            Self::UnknownHeader { .. } => {
                "the only header there is is `-- avenire: no-transaction`".into()
            }
            Self::Unclosed { .. } => "close it".into(),
            Self::TransactionControl { .. } => {
                "delete the statement: each file is one transaction, or none when it begins with \
                 the line `-- avenire: no-transaction`"
                    .into()
            }
        }
    }
}

/// Why migrations were not applied, or their status could not be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The ledger and the folder contradict each other.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A statement of a migration failed.
    #[error("{file} failed at {place}: {error}")]
    Statement {
        /// The name of the file.
        file: String,
        /// Where in the file, as near as Postgres says.
        place: Place,
        /// What Postgres says.
        error: Error,
        /// What of the migration has taken effect.
        effect: Effect,
    },
    /// A migration that must run outside of a transaction is pending, and the endpoint is pooled.
    #[error("{file} runs outside of a transaction, which is not safe through a pooler")]
    NeedsDirect {
        /// The name of the file.
        file: String,
    },
    /// Another host held the lock until our deadline.
    #[error("gave up waiting for another host that migrates this database")]
    Busy,
    /// Tables were in use until our deadline.
    #[error("{file} could not lock what it changes before the deadline")]
    Locked {
        /// The name of the file.
        file: String,
    },
    /// A migration took longer than our deadline; it was rolled back.
    #[error("the deadline passed while {file} ran (it was at {place})")]
    Deadline {
        /// The name of the file.
        file: String,
        /// The statement that was running.
        place: Place,
    },
    /// The ledger has a shape that this program does not know.
    #[error("the ledger _avenire.migrations is not readable: {reason}")]
    Ledger {
        /// What is wrong.
        reason: String,
    },
    /// The database could not be reached, or failed otherwise.
    #[error(transparent)]
    Database(#[from] Error),
}

/// What of a failed migration has taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// This many of its statements: it runs outside of a transaction.
    Statements(usize),
}

impl MigrationError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Plan(error) => error.hint(),
            Self::Statement { error, effect: Effect::None, .. } | Self::Database(error) => {
                error.hint()?.into_owned()
            }
            Self::Statement { effect: Effect::Statements(0), .. } => "none of its statements \
                 succeeded, so that it is tried again the next time; a failed `create index \
                 concurrently` leaves an invalid index, which must be dropped first"
                .into(),
            Self::Statement { effect: Effect::Statements(done), .. } => format!(
                "{done} of its statements took effect: undo them and delete its row from \
                 _avenire.migrations, or finish by hand and set the row's applied_at"
            ),
            Self::NeedsDirect { .. } => "give the database's direct URL (not the pooler's) in \
                 DIRECT_DATABASE_URL or `direct-url`"
                .into(),
            Self::Busy => "wait for it, or look in pg_stat_activity for what it is doing".into(),
            Self::Locked { .. } => "end the long transactions that use the table (see \
                 pg_stat_activity), or try again when it is quieter"
                .into(),
            Self::Deadline { .. } => "give it more time; nothing of it has taken effect".into(),
            Self::Ledger { .. } => "use the version of the program that wrote it, or a newer \
                 one"
            .into(),
        })
    }

    /// SQLSTATE, where Postgres gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Statement { error, .. } | Self::Database(error) => error.sqlstate(),
            Self::Locked { .. } => Some("55P03"),
            _ => None,
        }
    }
}

/// An error, and what had been applied before it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// What was applied by this call and stays so.
    pub applied: Vec<Done>,
    /// What ended it.
    pub error: MigrationError,
}
