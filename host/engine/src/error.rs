//! What can go wrong with a component and with a call, and whose fault it is.
//!
//! Never holds SQL text, parameter values or secrets: what a guest says of its
//! own panic is bounded and printed as it is.

use std::time::Duration;

/// Whose fault a failed call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller: a wrong function name or wrong arguments.
    Caller,
    /// The component: it trapped, used more than it may, or broke its contract.
    Guest,
    /// The database or the way to it.
    Database,
    /// This host, or the machine it runs on.
    Host,
}

impl Blame {
    /// `caller`, `component`, `database` or `host`, as shown to users.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Guest => "component",
            Self::Database => "database",
            Self::Host => "host",
        }
    }
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// The component computes.
    Computing,
    /// One of its statements runs.
    Statement,
    /// It waits for a connection to the database: none can be made, or others have them all.
    Connection,
}

impl Doing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Computing => "computing",
            Self::Statement => "waiting for the answer to a statement",
            Self::Connection => "waiting for a connection to the database",
        }
    }
}

/// Why a file is not accepted as a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file can not be read.
    #[error("could not read the component")]
    Unreadable(#[source] std::io::Error),
    /// A file without a single byte.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// Larger than a component may be.
    #[error("the file has {bytes} bytes, more than the {maximum} a component may have")]
    TooLarge {
        /// Size of the file in bytes.
        bytes: u64,
        /// What is accepted, in bytes.
        maximum: u64,
    },
    /// Bytes that are no WebAssembly.
    #[error("the file is not WebAssembly: it does not begin with the bytes `\\0asm`")]
    NotWasm,
    /// A core module, such as `cargo build` leaves behind.
    #[error("the file is a core WebAssembly module, not a component")]
    CoreModule,
    /// The bytes begin like a component, but are damaged or use what is not offered.
    #[error("the file is not a valid component: {reason}")]
    Malformed {
        /// What the validator found, with the offset in the file.
        reason: String,
    },
    /// It asks for more than a query component may have.
    #[error("the component imports what a query component may not have: {}", .imports.join(", "))]
    ForbiddenImports {
        /// Full names of the imports.
        imports: Vec<String>,
    },
    /// It was built against interfaces of another track than this host offers.
    #[error("the component was built against {}; this host offers {offered}", .imports.join(", "))]
    OtherTrack {
        /// Full names of the imports.
        imports: Vec<String>,
        /// What there is, with its version.
        offered: &'static str,
    },
    /// An import exists here, but with another type.
    #[error("the component does not fit the interfaces of this host: {reason}")]
    Incompatible {
        /// Which import, what was expected and what was found.
        reason: String,
    },
    /// It does not export what the slot promises.
    #[error("the component does not export {contract}; it exports {}", exported(.exports))]
    MissingContract {
        /// The interface the slot promises.
        contract: String,
        /// The interfaces that it does export.
        exports: Vec<String>,
    },
    /// It exports nothing that can be called.
    #[error("the component exports no functions")]
    NothingExported,
    /// Compiling it did not end.
    #[error("the component could not be compiled within {} s", .limit.as_secs())]
    CompilesTooLong {
        /// How long it might have taken.
        limit: Duration,
    },
    /// Its instance can not be made within the limits.
    #[error("the component does not start: {reason}")]
    DoesNotStart {
        /// What happened.
        reason: String,
    },
    /// The host's own failure.
    #[error("the host could not load the component: {reason}")]
    Host {
        /// What happened.
        reason: String,
    },
}

fn exported(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

impl LoadError {
    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "was the build interrupted? build it again: `avenire-db components build`".into(),
            Self::CoreModule => {
                "encode it as a component: `avenire-db components build` does it for the components of the manifest".into()
            }
            Self::NotWasm => "give the path of a `.wasm` component".into(),
            Self::ForbiddenImports { imports } if imports.iter().any(|name| name.starts_with("wasi:")) => {
                "build it for the target wasm32-unknown-unknown: built for wasip2, the standard library imports WASI".into()
            }
            Self::ForbiddenImports { .. } => {
                "a query component may import avenire:database only; see wit/database".into()
            }
            Self::OtherTrack { .. } => {
                "serve it with a host of its own track, or build it with the SDK of this host".into()
            }
            Self::MissingContract { .. } => "correct `contract` in the manifest, or export that interface".into(),
            _ => return None,
        })
    }
}

/// Why a call has no result.
///
/// A function that answers with the failure case of its own result type is not
/// an error of the call: see [`crate::Outcome`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No function of that name.
    #[error("the component {component} has no function {function}{}", nearest_clause(.nearest.as_deref()))]
    UnknownFunction {
        /// Name of the slot.
        component: String,
        /// The name asked for.
        function: String,
        /// The most similar name there is.
        nearest: Option<String>,
    },
    /// The arguments do not fit the function's parameters.
    #[error("{path}: {message}")]
    Argument {
        /// Where in the arguments, such as `messages[3].createdAt`.
        path: String,
        /// What is wrong and what is expected.
        message: String,
    },
    /// More calls at once than the limits allow, and the queue is full or did
    /// not move within the call's time.
    #[error("the component {component} is busy: {running} calls run and {waiting} wait")]
    Busy {
        /// Name of the slot.
        component: String,
        /// Calls that run.
        running: usize,
        /// Calls that wait.
        waiting: usize,
    },
    /// The call took longer than it may.
    #[error(
        "{component}.{function} did not answer within its {} ms; at its end it was {}",
        .limit.as_millis(), .doing.as_str()
    )]
    Deadline {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// The limit of time.
        limit: Duration,
        /// What it did when its time was over.
        doing: Doing,
    },
    /// The call needed more memory than it may.
    #[error("{component}.{function} asked for more than its {limit} bytes of memory")]
    Memory {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The call used up its stack.
    #[error("{component}.{function} recursed too deeply")]
    StackOverflow {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
    },
    /// The component's own code gave up.
    #[error("{component}.{function} panicked: {message}")]
    Panicked {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// What the guest said, at most 8 KiB.
        message: String,
    },
    /// The component did something that WebAssembly forbids.
    #[error("{component}.{function} trapped: {reason}")]
    Trapped {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// The kind of trap.
        reason: String,
    },
    /// The component handed the host more at once than it may: a result, or a
    /// statement.
    #[error("{component}.{function} passed more than {limit} bytes to the host at once")]
    TransferTooLarge {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The function returned without ending its transactions or cursors.
    /// Whatever the transactions did is rolled back.
    #[error(
        "{component}.{function} returned with {transactions} transactions and {cursors} cursors left open; they were rolled back"
    )]
    LeftOpen {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// Transactions that were neither committed nor rolled back.
        transactions: usize,
        /// Cursors that were neither read to their end nor dropped.
        cursors: usize,
    },
    /// The function is one transaction, and Postgres did not commit it.
    #[error("{component}.{function} could not be committed")]
    NotCommitted {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// What Postgres said. [`avenire_postgres::Error::execution`] tells whether it is unknown.
        source: avenire_postgres::Error,
    },
    /// The host's own failure.
    #[error("the host could not carry out {component}.{function}: {reason}")]
    Host {
        /// Name of the slot.
        component: String,
        /// Name of the function.
        function: String,
        /// What happened.
        reason: String,
    },
}

fn nearest_clause(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; the nearest is {name}"))
}

impl CallError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::UnknownFunction { .. } | Self::Argument { .. } => Blame::Caller,
            Self::Busy { .. } | Self::Host { .. } => Blame::Host,
            Self::Deadline { doing: Doing::Connection, .. } | Self::NotCommitted { .. } => {
                Blame::Database
            }
            Self::Deadline { .. }
            | Self::Memory { .. }
            | Self::StackOverflow { .. }
            | Self::Panicked { .. }
            | Self::Trapped { .. }
            | Self::TransferTooLarge { .. }
            | Self::LeftOpen { .. } => Blame::Guest,
        }
    }

    /// A stable name of the kind, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UnknownFunction { .. } => "unknown-function",
            Self::Argument { .. } => "argument",
            Self::Busy { .. } => "busy",
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "memory",
            Self::StackOverflow { .. } => "stack-overflow",
            Self::Panicked { .. } => "panicked",
            Self::Trapped { .. } => "trapped",
            Self::TransferTooLarge { .. } => "transfer-too-large",
            Self::LeftOpen { .. } => "left-open",
            Self::NotCommitted { .. } => "not-committed",
            Self::Host { .. } => "host",
        }
    }

    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownFunction { .. } => "`avenire-db components list` shows every function",
            Self::Busy { .. } => "try again later, or raise `limits.concurrency` in the manifest",
            Self::Deadline { doing: Doing::Connection, .. } => {
                "`avenire-db doctor` tells whether the database can be reached, and how many connections it has"
            }
            Self::Deadline { .. } => {
                "raise `limits.time` in the manifest, or let the function do less"
            }
            Self::Memory { .. } => {
                "raise `limits.memory` in the manifest, or read the rows by a cursor"
            }
            Self::TransferTooLarge { .. } => {
                "raise `limits.transfer` in the manifest, or return pages"
            }
            Self::LeftOpen { .. } => {
                "commit or roll back every transaction and drop every cursor before returning"
            }
            _ => return None,
        })
    }
}
