//! What is wrong between the ledger and the folder, and what to do about it.
//! Never: finds it.

use super::position::Place;

/// Why nothing can be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The file is not what was applied.
    #[error("{file} was changed after it had been applied")]
    Changed {
        /// The name of the file.
        file: String,
    },
    /// There is no file for an applied migration, but for later ones.
    #[error("migration {version} ({name}) was applied, and its file is missing")]
    Missing {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The database has migrations that are later than all files: the folder is an old one.
    #[error("the database is at migration {version} ({name}), which is newer than all files")]
    Ahead {
        /// The newest number in the ledger.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A migration is not applied, but a later one is.
    #[error("{file} is not applied, but the later migration {newest} is")]
    OutOfOrder {
        /// The name of the file.
        file: String,
        /// The newest number in the ledger.
        newest: i64,
    },
    /// A migration outside of a transaction failed after its first statement, or was interrupted.
    #[error("migration {version} ({name}) began at {at} and did not finish")]
    Interrupted {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
        /// When it began.
        at: String,
        /// The statement that was under way, when it is known and may not simply be repeated.
        place: Option<Place>,
    },
    /// A file's undoing was interrupted.
    #[error("undoing migration {version} ({name}) began and did not finish")]
    Undoing {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The ledger has migrations, and none of them is one of the files.
    #[error(
        "the database has {rows} migrations of another project, up to {newest} ({name}): none is \
         one of these files"
    )]
    Foreign {
        /// How many the ledger has.
        rows: usize,
        /// The newest number in it.
        newest: i64,
        /// Its name.
        name: String,
    },
    /// There is no migration with the number that was asked for.
    #[error("there is no migration {version}")]
    NoSuchVersion {
        /// The number.
        version: i64,
    },
}

impl PlanError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::Changed { .. } => {
                "restore the file from version control and put the change into a new migration"
                    .into()
            }
            Self::Missing { .. } => "restore the file from version control".into(),
            Self::Ahead { .. } => "update this checkout or program; nothing was changed".into(),
            Self::OutOfOrder { newest, .. } => format!(
                "rename it so that its number is above {newest}, or, when it does not depend on \
                 the order, allow it with `--allow-out-of-order`"
            ),
            Self::Interrupted { version, place, .. } => {
                let doubt = place.map_or_else(
                    || "see which of its statements took effect".to_owned(),
                    |place| format!("see whether the statement at {place} took effect"),
                );
                format!(
                    "{doubt} (an index may be left invalid), then finish it by hand and run \
                     `avenire-db mark {version} --applied`, or undo what took effect and run \
                     `avenire-db mark {version} --not-applied`"
                )
            }
            Self::Undoing { version, .. } => format!(
                "go on with `avenire-db rollback`, or finish by hand and run `avenire-db mark \
                 {version} --not-applied`"
            ),
            Self::Foreign { .. } => "check the database's URL and the folder of migrations; \
                 nothing was changed"
                .into(),
            Self::NoSuchVersion { .. } => {
                "see `avenire-db status` for the numbers that there are".into()
            }
        }
    }
}
