//! The host's functions over HTTP: JSON in and out, problem documents, authentication, limits,
//! health, metrics.
//!
//! Owns the listening sockets and everything between a socket and a call. Never: knows how a call is
//! carried out (that stands behind [`Backend`]), touches Postgres or WebAssembly, logs an argument,
//! a body or a token.
//!
//! ```no_run
//! # async fn serve(backend: std::sync::Arc<dyn avenire_server::Backend>) -> Result<(), avenire_server::ServerError> {
//! use avenire_server::{Server, ServerConfig};
//!
//! let server = Server::bind(ServerConfig::default(), backend).await?;
//! println!("http://{}", server.addresses()[0]);
//! server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await
//! # }
//! ```

mod auth;
mod backend;
mod config;
mod error;
mod guard;
mod hex;
mod json;
mod metrics;
mod names;
mod observe;
mod problem;
mod request;
mod routes;
mod serve;
mod shared;

pub use auth::{AuthHandle, NewToken, new_token};
pub use backend::{
    Answer, Backend, CacheControl, CallRequest, Check, CheckState, FunctionTraits, Items,
    Parameter, Repeat, Usage,
};
pub use config::{
    Algorithm, AuthConfig, ConfigError, CorsConfig, JwtConfig, KeysFrom, LimitsConfig, PinMissing,
    ServerConfig, Size, Time, TokenEntry,
};
pub use error::ServerError;
pub use problem::{Blame, Kind, Problem, database_status};
pub use request::TraceParent;
pub use serve::Server;
