//! What can be typed.

mod schema;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use schema::{
    AnswerArguments, BaselineArguments, CheckArguments, GenerateArguments, MarkArguments,
    MigrateArguments, PullArguments, PushArguments, RollbackArguments,
};

/// The hidden sub-command of the process that guards the embedded cluster.
pub(crate) const GUARD: &str = "__guard";

/// A data layer for Postgres whose query functions are sandboxed components.
///
/// Exit codes: 0 done; 1 the function answered with a failure, or a check found
/// something broken; 2 the command line is wrong; 3 the caller is at fault
/// (arguments, manifest); 4 a component; 5 the database; 6 the host.
#[derive(Parser, Debug)]
#[command(name = "avenire-db", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Folder of the project; by default the nearest one with an avenire.toml.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) project: Option<PathBuf>,
    /// Print one JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not report progress.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Start everything for development, with sample data, and serve until Ctrl-C.
    Dev,
    /// Call a query function and print its result as JSON.
    Call(CallArguments),
    /// Build, check and list components.
    #[command(subcommand)]
    Components(ComponentsCommand),
    /// Write the migration that leads from the existing ones to the schema modules.
    Generate(GenerateArguments),
    /// Apply pending migrations.
    Migrate(MigrateArguments),
    /// Show which migrations are applied and which are pending.
    Status,
    /// Compare the database with what its migrations produce; exit with 1 when it differs.
    Verify,
    /// Look for dangers in migrations, and for conflicts between branches.
    Check(CheckArguments),
    /// Take back the newest migrations by their down files.
    Rollback(RollbackArguments),
    /// Record a migration as applied, or as not applied, without running anything.
    Mark(MarkArguments),
    /// Adopt a database that already has the schema: record migrations as applied.
    Baseline(BaselineArguments),
    /// Change a development database to match the schema modules, without a migration.
    Push(PushArguments),
    /// Write schema modules and a baseline from an existing database.
    Pull(PullArguments),
    /// Load the project's sample data.
    Seed,
    /// Check everything from the manifest to the database and say what is wrong.
    Doctor,
    /// Watches over the embedded cluster; started by the host itself.
    #[command(name = GUARD, hide = true)]
    Guard { home: PathBuf },
}

#[derive(clap::Args, Debug)]
pub(crate) struct CallArguments {
    /// The function, as COMPONENT.FUNCTION, such as chat.get-messages-by-chat-id.
    pub(crate) function: String,
    /// The arguments as a JSON object, `@FILE`, or `-` for standard input.
    #[arg(default_value = "{}")]
    pub(crate) arguments: String,
    /// Tell on standard error where the time went.
    #[arg(long)]
    pub(crate) time: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ComponentsCommand {
    /// Build the components that have a `package`.
    Build {
        /// Names in the manifest; all by default.
        names: Vec<String>,
    },
    /// Check components without serving them: names of the manifest, or files.
    Check {
        /// Names in the manifest or `.wasm` files; all of the manifest by default.
        names: Vec<String>,
        /// The interface that files must export.
        #[arg(long, value_name = "INTERFACE")]
        contract: Option<String>,
    },
    /// List the components with their functions.
    List,
}
