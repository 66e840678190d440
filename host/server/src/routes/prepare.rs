//! From names and arguments to a call: what the caller may do, what exists, what fits, until when.
//! Never: carries the call out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{Extensions, HeaderMap};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::auth::{Auth, Caller};
use crate::backend::{CallRequest, FunctionTraits};
use crate::names;
use crate::observe::About;
use crate::problem::{Kind, Problem};
use crate::request::{self, RequestId, TraceParent};
use crate::shared::Shared;

/// A function that exists and that the caller may call.
pub(super) struct Target {
    pub(super) slot: String,
    /// As in WIT.
    pub(super) function: String,
    pub(super) traits: FunctionTraits,
}

/// What a request says of its call besides names and arguments.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) key: Option<String>,
    pub(super) fresh: bool,
    pub(super) trace: Option<TraceParent>,
    /// When nobody waits any more.
    pub(super) deadline: Instant,
}

/// Who sent a request.
pub(super) async fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let auth: Arc<Auth> = shared.auth.current();
    let caller = auth.caller(headers).await?;
    if let Some(name) = caller.name() {
        tracing::debug!(caller = name, "authenticated");
    }
    Ok(caller)
}

/// Finds a function by the names in a request. Whether it exists is told only to those who may call
/// it.
pub(super) fn target(
    shared: &Shared,
    caller: &Caller,
    slot: &str,
    function: &str,
) -> Result<Target, Refusal> {
    let shown = || format!("{}.{}", names::shown(slot), names::shown(function));
    let function_name = names::kebab_case(function);
    if !caller.may_call(slot, &function_name) {
        return Err(Refusal::beyond_scope(format!("The token may not call {}.", shown())));
    }
    if slot.len() > names::LONGEST || function.len() > names::LONGEST {
        return Err(Problem::new(Kind::UnknownFunction, "No name is that long.").into());
    }
    let traits = shared.backend.function(slot, &function_name)?;
    Ok(Target { slot: slot.to_owned(), function: function_name, traits })
}

impl Target {
    /// Tells the log and the metrics what the request is about.
    pub(super) fn note(&self, extensions: &Extensions) {
        if let Some(about) = extensions.get::<About>() {
            about.note(&self.slot, &self.function);
        }
    }

    /// The call, with what the caller's claims set.
    pub(super) fn request(
        self,
        caller: &Caller,
        mut arguments: Map<String, Value>,
        terms: Terms,
    ) -> Result<CallRequest, Problem> {
        let parameters = &self.traits.parameters;
        let is_known = |name: &String| parameters.iter().any(|parameter| parameter.name == *name);
        if let Some(name) = arguments.keys().find(|name| !is_known(name)) {
            return Err(request::unknown_argument(name, parameters));
        }
        let bound = caller.bind(&self.slot, &self.function, &self.traits, &mut arguments)?;
        Ok(CallRequest {
            slot: self.slot,
            function: self.function,
            arguments,
            key: terms.key,
            settings: bound.settings,
            role: bound.role,
            deadline: Some(terms.deadline),
            trace: terms.trace,
            fresh: terms.fresh,
        })
    }
}

impl Terms {
    /// What a request's head says; it may ask for less time than the longest, not for more.
    pub(super) fn of(parts: &Parts, longest: Duration) -> Result<Self, Problem> {
        let asked = request::timeout(&parts.headers)?;
        let time = asked.map_or(longest, |asked| asked.min(longest));
        Ok(Self {
            key: request::routing_key(&parts.headers)?,
            fresh: request::fresh(&parts.headers)?,
            trace: parts.extensions.get::<TraceParent>().cloned(),
            deadline: Instant::now() + time,
        })
    }
}

/// The request's id; the outermost layer has given it one.
pub(super) fn id(extensions: &Extensions) -> String {
    extensions.get::<RequestId>().map(|id| id.as_str().to_owned()).unwrap_or_default()
}
