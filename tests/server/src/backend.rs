//! A backend whose functions do what their names say.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use avenire_server::{
    Answer, Backend, CacheControl, CallRequest, Check, CheckState, FunctionTraits, Items, Kind,
    Parameter, Problem, Repeat, Usage,
};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};

/// What happened behind the server.
#[derive(Default)]
pub struct Counts {
    /// Calls that began.
    pub begun: AtomicUsize,
    /// Calls that were dropped before they ended.
    pub cancelled: AtomicUsize,
    /// Values taken from streams.
    pub pulled: AtomicUsize,
    /// The names of the functions called, in their order.
    pub called: Mutex<Vec<String>>,
}

/// The backend. Its one slot is `chat`.
#[derive(Default)]
pub struct Rules {
    /// What happened.
    pub counts: Arc<Counts>,
    /// Whether the database is well.
    pub is_ill: AtomicBool,
}

/// Counts a call as cancelled unless it was disarmed.
struct Cancelled(Arc<Counts>, bool);

impl Cancelled {
    fn disarm(&mut self) {
        self.1 = true;
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        if !self.1 {
            self.0.cancelled.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// What the function saw of its call.
fn seen(request: &CallRequest) -> Value {
    json!({
        "function": request.function,
        "arguments": request.arguments,
        "key": request.key,
        "settings": request.settings,
        "role": request.role,
        "fresh": request.fresh,
        "trace": request.trace.as_ref().map(ToString::to_string),
        "state": request.trace.as_ref().and_then(|trace| trace.state.clone()),
        "millis": request.deadline.map(|at| {
            u64::try_from(at.saturating_duration_since(std::time::Instant::now()).as_millis()).ok()
        }),
    })
}

fn answer(result: Result<Value, Value>) -> Answer {
    Answer {
        result,
        generation: 7,
        queued: Duration::from_millis(1),
        time: Duration::from_millis(2),
        usage: Usage { statements: 1, rows: 2, bytes: 3 },
    }
}

impl Backend for Rules {
    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<Answer, Problem>> {
        self.counts.begun.fetch_add(1, Ordering::SeqCst);
        let mut called = self.counts.called.lock().unwrap_or_else(PoisonError::into_inner);
        called.push(request.function.clone());
        drop(called);
        let mut guard = Cancelled(Arc::clone(&self.counts), false);
        async move {
            let text = |name: &str| request.arguments.get(name).and_then(Value::as_str);
            let result = match request.function.as_str() {
                "wait" => std::future::pending().await,
                "nap" => {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Ok(answer(Ok(json!("rested"))))
                }
                "fail" => Ok(answer(Err(json!({"tag": "taken"})))),
                "crash" => panic!("as asked for"),
                "database" => {
                    let problem = Problem::database(text("sqlstate").unwrap_or("XX000"), "refused");
                    Err(Problem { constraint: Some("message_pkey".into()), ..problem })
                }
                "big" => {
                    let bytes = request.arguments.get("bytes").and_then(Value::as_u64).unwrap_or(0);
                    Ok(answer(Ok("x".repeat(usize::try_from(bytes).expect("a size")).into())))
                }
                _ => Ok(answer(Ok(seen(&request)))),
            };
            guard.disarm();
            result
        }
        .boxed()
    }

    fn stream(&self, request: CallRequest) -> BoxFuture<'_, Result<Items, Problem>> {
        self.counts.begun.fetch_add(1, Ordering::SeqCst);
        let counts = Arc::clone(&self.counts);
        let guard = Cancelled(Arc::clone(&self.counts), false);
        async move {
            let count = request.arguments.get("count").and_then(Value::as_u64).unwrap_or(u64::MAX);
            let breaks = match request.function.as_str() {
                "count" => false,
                "break" => true,
                _ => return Err(Problem::new(Kind::NotAcceptable, "It does not stream.")),
            };
            let items = stream::iter(0..count).map(move |number| {
                let _alive = &guard;
                counts.pulled.fetch_add(1, Ordering::SeqCst);
                if breaks && number == 3 {
                    return Err(Problem::database("40001", "refused"));
                }
                Ok(json!({"number": number, "text": "x".repeat(200)}))
            });
            Ok(items.boxed())
        }
        .boxed()
    }

    fn function(&self, slot: &str, function: &str) -> Result<FunctionTraits, Problem> {
        if slot != "chat" {
            let detail = format!("There is no slot {slot}; the nearest is chat.");
            return Err(Problem::new(Kind::UnknownSlot, detail));
        }
        let parameter = |name: &str, is_text| Parameter { name: name.into(), is_text };
        let traits = |repeat, parameters| FunctionTraits { repeat, parameters, cache: None };
        Ok(match function {
            "get-chat" => traits(
                Repeat::ReadOnly,
                vec![
                    parameter("chatId", true),
                    parameter("limit", false),
                    parameter("userId", true),
                ],
            ),
            "get-cached" => FunctionTraits {
                repeat: Repeat::ReadOnly,
                parameters: Vec::new(),
                cache: Some(CacheControl {
                    max_age: Duration::from_mins(1),
                    stale_while_revalidate: Duration::ZERO,
                    shared: true,
                }),
            },
            "save-chat" => {
                let parameters = vec![
                    parameter("title", true),
                    parameter("userId", true),
                    parameter("data", false),
                ];
                traits(Repeat::No, parameters)
            }
            "count" | "break" => traits(Repeat::ReadOnly, vec![parameter("count", false)]),
            "big" => traits(Repeat::ReadOnly, vec![parameter("bytes", false)]),
            "database" => traits(Repeat::No, vec![parameter("sqlstate", true)]),
            "wait" | "nap" | "fail" | "crash" | "ping" => traits(Repeat::No, Vec::new()),
            _ => {
                let detail = format!("chat has no function {function}; the nearest is get-chat.");
                return Err(Problem::new(Kind::UnknownFunction, detail));
            }
        })
    }

    fn openapi(&self) -> Arc<str> {
        r#"{"openapi":"3.1.0","info":{"title":"test"},"paths":{"/v1/chat/get-chat":{"get":{"summary":"A <chat>"}}}}"#.into()
    }

    fn readiness(&self) -> BoxFuture<'_, Vec<Check>> {
        let state =
            if self.is_ill.load(Ordering::SeqCst) { CheckState::Failing } else { CheckState::Ok };
        let check = Check { name: "database".into(), state, detail: "at 10.0.0.1".into() };
        async move { vec![check] }.boxed()
    }

    fn metrics(&self, out: &mut String) {
        out.push_str("avenire_calls_total 3");
    }
}
