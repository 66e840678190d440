//! The functions of a service over HTTP: what `avenire-server` asks for, answered by the slots.
//! Never: opens a socket, decides who may call.

mod backend;
mod documents;
mod problems;

use std::sync::Arc;

use avenire_server::{Server, ServerConfig};

use crate::error::AppError;
use crate::service::Service;
use backend::Front;

/// Listens for calls of what a service serves. The server runs when it is told to.
pub async fn bind(service: &Service, config: ServerConfig) -> Result<Server, AppError> {
    Ok(Server::bind(config, Arc::new(Front::new(service.ground()))).await?)
}

pub use documents::{openapi, typescript};
