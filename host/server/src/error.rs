//! Why the server does not start, or stopped. Never: what a single request runs into.

use std::net::SocketAddr;

use crate::config::ConfigError;

/// Why the server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The configuration contradicts itself or can not be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address can not be listened on.
    #[error("could not listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A listening task ended by itself.
    #[error("the server stopped listening on {address}")]
    Stopped {
        /// The address.
        address: SocketAddr,
    },
}

impl ServerError {
    /// One sentence without full stop on what to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Config(error) => error.hint(),
            Self::Listen { source, .. } => match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "stop what listens there, or choose another port with `listen`".into()
                }
                std::io::ErrorKind::PermissionDenied => "choose a port from 1024 on".into(),
                _ => "give an address of this machine as `listen`".into(),
            },
            Self::Stopped { .. } => "restart the host; the log says what happened".into(),
        }
    }
}
