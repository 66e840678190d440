//! What can be typed.

mod schema;

use std::net::SocketAddr;
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
    Dev(DevArguments),
    /// Serve the components: what the registry in the database says, or the manifest's files.
    Serve(ServeArguments),
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
    /// Write a typed client of the components' functions.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Load the project's sample data.
    Seed,
    /// Check everything from the manifest to the database and say what is wrong.
    Doctor,
    /// Watches over the embedded cluster; started by the host itself.
    #[command(name = GUARD, hide = true)]
    Guard { home: PathBuf },
}

#[derive(clap::Args, Debug)]
pub(crate) struct DevArguments {
    /// Do not build and serve components again when their sources change.
    #[arg(long)]
    pub(crate) no_watch: bool,
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
    Check(ComponentCheckArguments),
    /// List the components with their functions.
    List {
        /// The hosts on the database instead, and what each serves.
        #[arg(long)]
        fleet: bool,
    },
    /// Make a component the next generation on every host of the database.
    Deploy {
        /// A name of the manifest, or a `.wasm` file.
        component: String,
        /// The component of the manifest that a file is for; the file's name by default.
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Give it only this share of the calls, such as 5 or 0.5, until it is promoted.
        #[arg(long, value_name = "PERCENT")]
        canary: Option<f64>,
        /// Give it all calls with this key; may be repeated.
        #[arg(long, value_name = "KEY")]
        canary_key: Vec<String>,
    },
    /// Serve a former generation again, on every host of the database.
    Rollback {
        /// The component.
        name: String,
        /// The generation; the one that served before by default.
        #[arg(long, value_name = "GENERATION")]
        to: Option<i64>,
        /// Why, for the history.
        #[arg(long, value_name = "TEXT")]
        because: Option<String>,
    },
    /// Give all calls to a canary.
    Promote {
        /// The component.
        name: String,
    },
    /// Give a canary up.
    Abandon {
        /// The component.
        name: String,
        /// Why, for the history.
        #[arg(long, value_name = "TEXT")]
        because: Option<String>,
    },
    /// Show what was deployed, by whom, and what became of it.
    History {
        /// The component; all by default.
        name: Option<String>,
        /// How much of it.
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        limit: u16,
    },
}

#[derive(clap::Args, Debug)]
pub(crate) struct ComponentCheckArguments {
    /// Names in the manifest or `.wasm` files; all of the manifest by default.
    pub(crate) names: Vec<String>,
    /// The interface that a file must export, when it is for no component of the manifest.
    #[arg(long, value_name = "INTERFACE", conflicts_with = "name")]
    pub(crate) contract: Option<String>,
    /// The component of the manifest that a file is for.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Do without the database: do not look whether they fit it.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ClientCommand {
    /// One TypeScript file without dependencies.
    Typescript {
        /// The file to write; standard output by default.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(clap::Args, Debug)]
pub(crate) struct ServeArguments {
    /// Serve files again when they change.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Do without the registry in the database: serve the manifest's files only.
    #[arg(long)]
    pub(crate) no_registry: bool,
    /// Where to listen for calls over HTTP; may be repeated. `server.listen` by default.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_http")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Do not listen for calls over HTTP.
    #[arg(long)]
    pub(crate) no_http: bool,
    /// What this host is called in the fleet; the machine's name by default.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}
