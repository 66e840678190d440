//! What can be wrong with the configuration of the server. Never: quotes a secret.

use std::net::SocketAddr;

/// What is wrong with `[server]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Everybody could call everything.
    #[error("{address} can be reached from other machines, and no authentication is configured")]
    Open {
        /// The address to listen on.
        address: SocketAddr,
    },
    /// A value is of no use.
    #[error("server.{key}: {message}")]
    Value {
        /// The key, such as `auth.tokens.ci.sha256`.
        key: String,
        /// What is wrong with it.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

impl ConfigError {
    pub(crate) fn value(
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Value { key: key.into(), message: message.into(), hint: hint.into() }
    }

    /// One sentence without full stop on what to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Open { .. } => {
                "listen on 127.0.0.1, or configure server.auth.tokens or server.auth.jwt".into()
            }
            Self::Value { hint, .. } => hint.clone(),
        }
    }
}
