//! What the server serves, as a trait: the way to functions, their traits, and the host's state.
//! Never: says how any of it is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::request::TraceParent;

/// The values of a streamed answer. Nothing is computed before it is asked for; dropping the stream
/// ends the call.
pub type Items = BoxStream<'static, Result<Value, Problem>>;

/// What stands behind the server. Dropping a future that one of these functions returned cancels
/// what it was doing: that is how a caller who goes away, a deadline and a shutdown end a call.
pub trait Backend: Send + Sync + 'static {
    /// Carries out one call.
    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<Answer, Problem>>;

    /// Begins one call whose result is told value by value.
    fn stream(&self, request: CallRequest) -> BoxFuture<'_, Result<Items, Problem>>;

    /// What is known of a function. Names are given as in WIT (kebab-case).
    ///
    /// Fails with [`Kind::UnknownSlot`](crate::Kind::UnknownSlot) or
    /// [`Kind::UnknownFunction`](crate::Kind::UnknownFunction), whose detail names the nearest one.
    fn function(&self, slot: &str, function: &str) -> Result<FunctionTraits, Problem>;

    /// The OpenAPI document of what serves at the moment, as JSON.
    fn openapi(&self) -> Arc<str>;

    /// What has to be well before calls should be sent here.
    fn readiness(&self) -> BoxFuture<'_, Vec<Check>>;

    /// Appends the host's own metrics in the text format of Prometheus (version 0.0.4).
    fn metrics(&self, out: &mut String);
}

/// One call.
#[derive(Clone)]
pub struct CallRequest {
    /// Name of the slot.
    pub slot: String,
    /// Name of the function as in WIT, such as `get-chat-by-id`.
    pub function: String,
    /// Named arguments with names in camelCase; numbers keep every digit.
    pub arguments: Map<String, Value>,
    /// What the call is about, such as a tenant: calls with one key go to one generation while there is a
    /// canary. 1 to 255 visible characters.
    pub key: Option<String>,
    /// Settings for the call's transactions, from the caller's claims: name and value.
    pub settings: Vec<(String, String)>,
    /// The Postgres role that the call asks for, from the caller's claims.
    pub role: Option<String>,
    /// When nobody waits for the answer any more.
    pub deadline: Option<Instant>,
    /// Where the call belongs in the caller's trace.
    pub trace: Option<TraceParent>,
    /// Whether the call has to see what its caller wrote before: no replica, no cache.
    pub fresh: bool,
}

/// Names only: arguments and settings are the caller's.
impl std::fmt::Debug for CallRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallRequest")
            .field("slot", &self.slot)
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result, or the failure case of the function's own result type.
    pub result: Result<Value, Value>,
    /// Which generation of the slot answered.
    pub generation: u64,
    /// How long the call waited before it ran.
    pub queued: Duration,
    /// How long it took, waiting included.
    pub time: Duration,
    /// What it used.
    pub usage: Usage,
}

/// What a call used of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Statements sent.
    pub statements: u32,
    /// Rows received.
    pub rows: u64,
    /// Bytes of rows received.
    pub bytes: u64,
}

/// What is known of a function without calling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionTraits {
    /// Whether a call may be carried out more than once.
    pub repeat: Repeat,
    /// The parameters, in their order.
    pub parameters: Vec<Parameter>,
    /// What caches may do with the answer of a read-only function.
    pub cache: Option<CacheControl>,
}

/// Whether a call may be carried out more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing is declared: at most once.
    No,
    /// It changes nothing: `GET` is offered.
    ReadOnly,
    /// One transaction a call.
    Transactional,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in camelCase.
    pub name: String,
    /// Whether its value is a text: in a query string it is then taken as it stands, while others
    /// are read as JSON.
    pub is_text: bool,
}

/// What caches may do with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheControl {
    /// How long it may be used without asking again. Told in whole seconds.
    pub max_age: Duration,
    /// How long after that an old answer may be used while a new one is fetched (RFC 5861).
    pub stale_while_revalidate: Duration,
    /// Whether caches shared by several users may keep it. Not heeded when callers have to
    /// authenticate, as the answer may then depend on who asks.
    pub shared: bool,
}

/// One thing that has to be well before calls should be sent here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// A short, stable name, such as `database` or `slot chat`.
    pub name: String,
    /// How it is.
    pub state: CheckState,
    /// What is wrong, for operators: shown to authenticated callers only.
    pub detail: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// Well.
    Ok,
    /// Not well, and calls can be answered.
    Degraded,
    /// Calls can not be answered.
    Failing,
}

impl CheckState {
    /// `ok`, `degraded` or `failing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }
}
