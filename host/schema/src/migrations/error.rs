//! What can go wrong with migrations, and what to do about it.
//! Never: contains the SQL of a migration, or a value in it.

use std::path::PathBuf;

use avenire_postgres::Error;

use super::position::Place;
use super::script::HazardNote;
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
    /// A file undoes a migration that is not there.
    #[error("{file} undoes {up}, which is not there")]
    DownAlone {
        /// The name of the file.
        file: String,
        /// The name of the file that is missing.
        up: String,
    },
    /// The name of a component can not be one.
    #[error("`{component}` is not a name for a component")]
    BadComponent {
        /// The name, shortened.
        component: String,
    },
    /// A file of another tool does not look like one of its own.
    #[error("{} is not what Drizzle writes: {reason}", path.display())]
    NotDrizzle {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
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
            Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "create it, or correct the path in the manifest".into()
            }
            Self::Unreadable { .. } => "check the path and its permissions".into(),
            Self::BadName { .. } => {
                "call it NNNN_name.sql: at least four digits, an underscore, and a name of \
                 letters, digits, `_` and `-`"
                    .into()
            }
            Self::Twins { .. } => "give the one that is not applied anywhere yet the next free \
                 number"
                .into(),
            Self::DownAlone { .. } => "give both the same number and name, or delete it".into(),
            Self::BadComponent { .. } => {
                "use up to 63 lower-case letters, digits, `_` and `-`, a letter first".into()
            }
            Self::NotDrizzle { .. } => "give the folder that Drizzle Kit calls `out`, with \
                 `meta/_journal.json` or a folder for each migration"
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
    /// A file outside of a transaction took longer than our deadline; what came before stays.
    #[error("the deadline passed while {file} ran (it was at {place})")]
    Paused {
        /// The name of the file.
        file: String,
        /// The statement that was running.
        place: Place,
    },
    /// `create index concurrently if not exists` found an index that somebody failed to build.
    #[error("{file} at {place}: the index {index} is there, and it is invalid")]
    InvalidIndex {
        /// The name of the file.
        file: String,
        /// The statement.
        place: Place,
        /// The index, as SQL writes it.
        index: String,
    },
    /// A migration that is to be undone has no file that does so.
    #[error("{file} has no file that undoes it")]
    NoDown {
        /// The name of the file.
        file: String,
        /// The name of the file that is missing.
        down: String,
    },
    /// Fewer migrations are applied than are to be undone.
    #[error("{asked} migrations are to be undone, and {applied} are applied")]
    TooMany {
        /// How many are to be undone.
        asked: usize,
        /// How many are applied.
        applied: usize,
    },
    /// What would be undone deletes data, and the caller has not accepted that.
    #[error("undoing deletes data: {}", listed(hazards))]
    Hazards {
        /// The name of the file, where in it, and what is deleted.
        hazards: Vec<(String, Place, HazardNote)>,
    },
    /// Another host changed the ledger between two steps.
    #[error("another host changed the ledger meanwhile: migration {version} is the newest now")]
    Moved {
        /// The newest number in the ledger.
        version: i64,
    },
    /// The ledger has rows that a baseline would contradict.
    #[error("the ledger already has migration {version} ({name}), which is not in this baseline")]
    NotEmpty {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// Two folders are said to belong to one component.
    #[error("the component {component} has two folders of migrations")]
    TwinComponents {
        /// Its name.
        component: String,
    },
    /// The database has not got all of Drizzle's migrations.
    #[error("Drizzle has migrations that this database lacks: {}", files.join(", "))]
    DrizzlePending {
        /// The names of their files.
        files: Vec<String>,
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
            Self::Statement { error, effect: Effect::None, .. } => error.hint().map_or_else(
                || "mend the file or the data; nothing of this file took effect".into(),
                std::borrow::Cow::into_owned,
            ),
            Self::Database(error) => error.hint()?.into_owned(),
            Self::Statement { effect: Effect::Statements(0), .. } => "none of its statements \
                 took effect: mend the file or the data and run it again"
                .into(),
            Self::Statement { effect: Effect::Statements(done), .. } => format!(
                "{done} of its statements took effect: mend the data, or the file from this \
                 statement on, and run it again; it goes on with this statement"
            ),
            Self::NeedsDirect { .. } => "give the database's direct URL (not the pooler's) in \
                 DIRECT_DATABASE_URL or `direct-url`"
                .into(),
            Self::Busy => "wait for it, or look in pg_stat_activity for what it is doing".into(),
            Self::Locked { .. } => "end the long transactions that use the table (see \
                 pg_stat_activity), or try again when it is quieter"
                .into(),
            Self::Deadline { .. } => "give it more time; nothing of it has taken effect".into(),
            Self::Paused { .. } => {
                "run it again with more time; it goes on with this statement".into()
            }
            Self::InvalidIndex { index, .. } => format!(
                "unless somebody builds it right now, `drop index concurrently {index}` and run \
                 this again"
            ),
            Self::NoDown { down, .. } => {
                format!(
                    "write {down}, or write a new migration that undoes it; nothing was changed"
                )
            }
            Self::TooMany { .. } => "ask for fewer; nothing was changed".into(),
            Self::Hazards { .. } => {
                "accept it with `--accept deletes-data` if the data may go; nothing was changed"
                    .into()
            }
            Self::Moved { .. } => "look at `avenire-db status` and decide anew".into(),
            Self::NotEmpty { .. } => "a baseline is for a database that the ledger knows nothing \
                 of; use `avenire-db mark` for single migrations"
                .into(),
            Self::TwinComponents { .. } => "give each component one folder".into(),
            Self::DrizzlePending { .. } => {
                "apply them with Drizzle first, then adopt the database".into()
            }
            Self::Ledger { .. } => "use the version of the program that wrote it, or a newer \
                 one"
            .into(),
        })
    }

    /// What Postgres said, when it is the cause.
    pub fn database(&self) -> Option<&Error> {
        match self {
            Self::Statement { error, .. } | Self::Database(error) => Some(error),
            _ => None,
        }
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

/// An error of [`super::Migrations::rollback`], and what had been undone before it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct RollbackFailure {
    /// What was undone by this call and stays so.
    pub undone: Vec<Done>,
    /// What ended it.
    pub error: MigrationError,
}

fn listed(hazards: &[(String, Place, HazardNote)]) -> String {
    let one = |(file, place, note): &(String, Place, HazardNote)| {
        let reason = if note.reason.is_empty() { &note.kind } else { &note.reason };
        format!("{file}, {place}: {reason}")
    };
    hazards.iter().map(one).collect::<Vec<_>>().join("; ")
}
