//! Takes connections of one socket, as many as there is room for.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::connection::{self, Protocols};
use crate::guard::Arrived;
use crate::shared::Shared;

/// How long to wait when the process has no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    pub(super) router: Router,
    pub(super) shared: Arc<Shared>,
    pub(super) protocols: Arc<Protocols>,
    pub(super) places: Arc<Semaphore>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Acceptor {
    /// Serves until told to stop, then waits for what is under way, and drops what takes too long.
    pub(super) async fn run(self, drain_time: Duration) {
        let Self { listener, router, shared, protocols, places, mut stopping } = self;
        let on_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        let mut connections = JoinSet::new();
        loop {
            let place = tokio::select! {
                () = connection::told(&mut stopping) => break,
                Some(_) = connections.join_next() => continue,
                Ok(place) = Arc::clone(&places).acquire_owned() => place,
            };
            let stream = tokio::select! {
                () = connection::told(&mut stopping) => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        // A caller that hung up at once is no concern; a full table of descriptors
                        // would make this a loop without rest.
                        tracing::debug!(%error, "could not accept a connection");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                },
            };
            let router = router.clone();
            let shared = Arc::clone(&shared);
            let protocols = Arc::clone(&protocols);
            let stopping = stopping.clone();
            connections.spawn(async move {
                let _place = place;
                let _during = shared.metrics.connection();
                let arrived = Arrived { on_loopback };
                connection::serve(stream, router, arrived, &protocols, stopping).await;
            });
        }
        // From here on the port is free, and callers are refused instead of kept waiting.
        drop(listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(drain_time, drained).await.is_err() {
            let cut = connections.len();
            tracing::warn!(cut, "requests were still under way and are cancelled");
            connections.shutdown().await;
        }
    }
}
