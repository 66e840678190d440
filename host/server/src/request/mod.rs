//! The parts of a request, read one by one. Never: acts on them.

mod accept;
mod body;
mod etag;
mod headers;
mod id;
mod query;
mod trace;

pub(crate) use accept::{Form, form};
pub(crate) use body::{Limit, bytes};
pub(crate) use etag::{Tag, matches as matches_tag};
pub(crate) use headers::{fresh, is_key, routing_key, timeout};
pub(crate) use id::RequestId;
pub(crate) use query::{arguments as query_arguments, unknown as unknown_argument};
pub use trace::TraceParent;
