//! An answer as lines of JSON. Nothing is taken from the backend before the socket takes it, so that
//! its size is not limited and its memory is.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::header::{self, HeaderValue};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::answer;
use crate::backend::{CallRequest, Items};
use crate::problem::Problem;
use crate::shared::Shared;

/// Values that are there at once go out together up to this many bytes.
const PIECE: usize = 16 << 10;

/// A stream under way. Dropping it ends the call and the request's turn.
struct Lines {
    items: Items,
    deadline: Option<Instant>,
    name: String,
    request_id: String,
    has_ended: bool,
    _turn: Turn,
}

/// A request's turn, for as long as its stream.
struct Turn {
    _ended: oneshot::Sender<()>,
}

impl Turn {
    /// It ends with this value, and at the latest at the deadline: a caller over HTTP/2 who never opens
    /// its window is never asked for more, and would keep the turn for good.
    fn new(turn: OwnedSemaphorePermit, deadline: Option<Instant>) -> Self {
        let (ended, has_ended) = oneshot::channel::<()>();
        tokio::spawn(async move {
            // Either way the turn is over.
            let _ = match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline.into(), has_ended).await.is_ok(),
                None => has_ended.await.is_ok(),
            };
            drop(turn);
        });
        Self { _ended: ended }
    }
}

/// Begins a call whose result is told line by line. What fails before the first line is a problem as
/// usual; what fails later is the last line, `{"$problem":{…}}`.
pub(super) async fn begin(
    shared: &Arc<Shared>,
    request: CallRequest,
    turn: OwnedSemaphorePermit,
    request_id: String,
) -> Result<Response, Problem> {
    let deadline = request.deadline;
    let name = format!("{}.{}", request.slot, request.function);
    let items = answer::within(deadline, &name, shared.backend.stream(request)).await?;
    let turn = Turn::new(turn, deadline);
    let lines = Lines { items, deadline, name, request_id, has_ended: false, _turn: turn };
    let pieces = stream::unfold(lines, |mut lines| async move {
        let piece = lines.piece().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), lines))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let media_type = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}

impl Lines {
    /// What is there next: one line, and further ones that need no waiting.
    async fn piece(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        let mut piece = Vec::new();
        // A stream that always has a value at hand would never be waited for.
        let is_late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        let first = if is_late {
            Err(answer::too_late(&self.name))
        } else {
            answer::within(self.deadline, &self.name, self.items.next().map(Ok)).await
        };
        self.line(&mut piece, first.unwrap_or_else(|late| Some(Err(late))));
        while !self.has_ended && piece.len() < PIECE {
            let Some(item) = self.items.next().now_or_never() else { break };
            self.line(&mut piece, item);
        }
        (!piece.is_empty()).then(|| piece.into())
    }

    fn line(&mut self, piece: &mut Vec<u8>, item: Option<Result<Value, Problem>>) {
        let written = match item {
            None => {
                self.has_ended = true;
                return;
            }
            Some(item) => item.and_then(|value| answer::body(&value)),
        };
        match written {
            Ok(line) => piece.extend_from_slice(&line),
            Err(problem) => {
                self.has_ended = true;
                let document = Value::Object(problem.document(&self.request_id));
                let line = serde_json::json!({ "$problem": document });
                piece.extend_from_slice(line.to_string().as_bytes());
            }
        }
        piece.push(b'\n');
    }
}
