//! What can be typed about schema and migrations.

use std::path::PathBuf;

use clap::Args;

/// `generate`
#[derive(Args, Debug)]
pub(crate) struct GenerateArguments {
    /// What the migration does, such as `add_summary`; made from the changes by default.
    pub(crate) name: Option<String>,
    /// Write nothing; exit with 1 when schema modules and migrations differ.
    #[arg(long, conflicts_with_all = ["name", "empty"])]
    pub(crate) check: bool,
    /// Write an empty migration to be filled by hand.
    #[arg(long, requires = "name")]
    pub(crate) empty: bool,
    /// Number the migration by the time in UTC, YYYYMMDDHHMMSS, instead of by the next number.
    #[arg(long)]
    pub(crate) timestamp: bool,
    #[command(flatten)]
    pub(crate) answers: AnswerArguments,
    /// Accept a hazard that is refused otherwise: `rewrites-table`.
    #[arg(long, value_name = "HAZARD")]
    pub(crate) accept: Vec<String>,
}

/// What became of what is gone: for `generate` and `push`.
#[derive(Args, Debug)]
pub(crate) struct AnswerArguments {
    /// Something was renamed: `table:chat=conversation`, `column:chat.title=name`,
    /// `value:mood.sad=unhappy`.
    #[arg(long, value_name = "KIND:OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// Something is gone and was not renamed: `column:chat.title`.
    #[arg(long, value_name = "KIND:OLD")]
    pub(crate) drop: Vec<String>,
    /// Something is new and was not renamed from anything: `column:chat.name`.
    #[arg(long, value_name = "KIND:NEW")]
    pub(crate) create: Vec<String>,
    /// A TOML file with such answers.
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
}

/// `migrate`
#[derive(Args, Debug, Default)]
pub(crate) struct MigrateArguments {
    /// Show what would be done, statement by statement, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop after this version.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<i64>,
    /// Also apply migrations whose number is below one that is applied.
    #[arg(long)]
    pub(crate) allow_out_of_order: bool,
}

/// `rollback`
#[derive(Args, Debug)]
pub(crate) struct RollbackArguments {
    /// How many migrations to take back.
    #[arg(default_value_t = 1, conflicts_with = "to")]
    pub(crate) count: usize,
    /// Take back everything after this version, which stays; 0 takes back all.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<i64>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Accept a hazard of the down files: `deletes-data`.
    #[arg(long, value_name = "HAZARD")]
    pub(crate) accept: Vec<String>,
    /// The component whose migrations are meant.
    #[arg(long, default_value = "main")]
    pub(crate) component: String,
}

/// `push`
#[derive(Args, Debug)]
pub(crate) struct PushArguments {
    #[command(flatten)]
    pub(crate) answers: AnswerArguments,
    /// Accept a hazard, by name: `deletes-data`, `rewrites-table`, …
    #[arg(long, value_name = "HAZARD")]
    pub(crate) accept: Vec<String>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also when the database is not the embedded one.
    #[arg(long)]
    pub(crate) force_remote: bool,
}

/// `pull`
#[derive(Args, Debug)]
pub(crate) struct PullArguments {
    /// Folder for the modules; by default that of the manifest.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,
    /// Only these Postgres schemas.
    #[arg(long = "schema", value_name = "NAME")]
    pub(crate) schemas: Vec<String>,
    /// Replace files that are there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Do not write a baseline migration.
    #[arg(long)]
    pub(crate) no_baseline: bool,
    /// Do not run what was pulled in scratch databases to see that it makes the same schema.
    #[arg(long)]
    pub(crate) unproven: bool,
}

/// `baseline`
#[derive(Args, Debug)]
pub(crate) struct BaselineArguments {
    /// The last migration that the database already has; all by default.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<i64>,
    /// A folder of Drizzle Kit, whose ledger is in the database.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) drizzle: Option<PathBuf>,
    /// Do not compare the database with what the migrations produce.
    #[arg(long)]
    pub(crate) unchecked: bool,
}

/// `mark`
#[derive(Args, Debug)]
pub(crate) struct MarkArguments {
    /// The version.
    pub(crate) version: i64,
    #[command(flatten)]
    pub(crate) state: MarkState,
    /// The component whose migration it is.
    #[arg(long, default_value = "main")]
    pub(crate) component: String,
}

/// What the ledger shall say.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct MarkState {
    /// That it is applied.
    #[arg(long)]
    pub(crate) applied: bool,
    /// That it is not applied.
    #[arg(long)]
    pub(crate) not_applied: bool,
}

/// `check`
#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// Migration files; all by default.
    pub(crate) files: Vec<PathBuf>,
    /// Exit with 1 for warnings too, not only for errors.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Put the migrations of parallel branches in a row, as long as they go together: give those
    /// of the branch that MIGRATION is in the numbers after the other's. They must not have been
    /// applied anywhere.
    #[arg(long, value_name = "MIGRATION", num_args = 0..=1, default_missing_value = "")]
    pub(crate) renumber: Option<String>,
}
