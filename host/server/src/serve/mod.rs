//! The listening sockets, from binding to the last answer.
//! Never: looks into a request.

mod accept;
mod connection;
mod patient;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::auth::AuthHandle;
use crate::backend::Backend;
use crate::config::ServerConfig;
use crate::error::ServerError;
use crate::routes::router;
use crate::shared::Shared;
use accept::Acceptor;
use connection::Protocols;

/// A server that listens and is not answering yet.
pub struct Server {
    listeners: Vec<(TcpListener, SocketAddr)>,
    shared: Arc<Shared>,
}

impl Server {
    /// Checks the configuration, reads the key files that it names, and listens. Callers that connect
    /// from now on are answered when [`Server::run`] runs.
    pub async fn bind(
        config: ServerConfig,
        backend: Arc<dyn Backend>,
    ) -> Result<Self, ServerError> {
        config.check()?;
        let auth = AuthHandle::new(&config.auth, &config.listen)?;
        let mut listeners = Vec::with_capacity(config.listen.len());
        for &address in &config.listen {
            let failed = |source| ServerError::Listen { address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            listeners.push((listener, local));
        }
        Ok(Self { listeners, shared: Arc::new(Shared::new(config, auth, backend)) })
    }

    /// The addresses that are listened on, with the ports that were free.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(_, address)| *address).collect()
    }

    /// Exchanges tokens and keys while the server runs.
    pub fn auth(&self) -> AuthHandle {
        self.shared.auth.clone()
    }

    /// Answers until `shutdown` is ready. Then nothing is accepted any more, requests under way go on
    /// for `limits.drain-time`, and what still runs is cancelled.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let (stop, stopping) = watch::channel(false);
        let limits = &self.shared.limits;
        let drain_time = limits.drain_time.0;
        let places = Arc::new(Semaphore::new(limits.connections));
        let protocols = Arc::new(Protocols::new(limits));
        let router = router(&self.shared);
        let mut tasks = JoinSet::new();
        for (listener, address) in self.listeners {
            let acceptor = Acceptor {
                listener,
                router: router.clone(),
                shared: Arc::clone(&self.shared),
                protocols: Arc::clone(&protocols),
                places: Arc::clone(&places),
                stopping: stopping.clone(),
            };
            tracing::info!(%address, "listening");
            tasks.spawn(async move {
                acceptor.run(drain_time).await;
                address
            });
        }
        tokio::select! {
            () = shutdown => {}
            // Nothing but a panic ends one before it is told to.
            ended = tasks.join_next() => {
                let address = match ended {
                    Some(Ok(address)) => address,
                    _ => SocketAddr::from(([0, 0, 0, 0], 0)),
                };
                return Err(ServerError::Stopped { address });
            }
        }
        tracing::info!("shutting down");
        self.shared.stop();
        stop.send_replace(true);
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}
