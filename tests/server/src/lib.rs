//! The ground of the server's tests: a backend that answers by rules, a server on a free port, callers
//! that are well-behaved and callers that are not, an issuer of JWTs, a captured log.

mod backend;
mod client;
mod host;
mod issuer;
mod log;

pub use backend::{Counts, Rules};
pub use client::{Raw, Reply, request};
pub use host::{Host, config, until};
pub use issuer::{Issuer, KeyServer, RsaKey, jwt, plain_jwt};
pub use log::Log;
