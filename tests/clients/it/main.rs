//! The documents and clients that contracts are made into, checked by those who read them: an
//! OpenAPI validator, a generator of others, the TypeScript compiler, and Node with a host that
//! answers by the documented protocol.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod client;
mod documents;
mod npm;
mod stage;
mod values;
