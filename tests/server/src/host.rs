//! A server on a free port, for as long as its test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use avenire_server::{AuthHandle, Server, ServerConfig, ServerError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::backend::{Counts, Rules};
use crate::client::{Reply, request};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    /// What is behind it.
    pub rules: Arc<Rules>,
    /// Its tokens and keys.
    pub auth: AuthHandle,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), ServerError>>,
}

/// `[server]` of a manifest; it listens on a free port.
pub fn config(text: &str) -> ServerConfig {
    let config: ServerConfig = toml::from_str(text).expect("a configuration");
    ServerConfig { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..config }
}

impl Host {
    /// Starts a server with `[server]` of a manifest.
    pub async fn start(text: &str) -> Self {
        let rules = Arc::new(Rules::default());
        let backend = Arc::clone(&rules);
        let server = Server::bind(config(text), backend).await.expect("a server");
        let address = *server.addresses().first().expect("an address");
        let auth = server.auth();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            stopped.await.ok();
        }));
        Self { address, rules, auth, stop: Some(stop), running }
    }

    /// What happened behind it.
    pub fn counts(&self) -> &Counts {
        &self.rules.counts
    }

    /// Sends a request on a connection of its own.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        request(self.address, method, path, headers, body).await.expect("an answer")
    }

    /// Calls a function with a JSON body.
    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body).await
    }

    /// The same with a bearer token.
    pub async fn post_as(&self, token: &str, path: &str, body: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", &bearer)];
        self.send("POST", path, &headers, body).await
    }

    /// Reads a path.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", path, headers, "").await
    }

    /// Sends a request again and again until the server is not full any more.
    pub async fn eventually(&self, method: &str, path: &str) -> Reply {
        let end = Instant::now() + PATIENCE;
        loop {
            let reply = self.send(method, path, &[], "").await;
            if reply.status != 503 {
                return reply;
            }
            assert!(Instant::now() < end, "it stays full");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many calls have begun.
    pub async fn begun(&self, calls: usize) {
        until("calls begin", || self.counts().begun.load(Ordering::SeqCst) >= calls).await;
    }

    /// Waits until so many calls were cancelled.
    pub async fn cancelled(&self, calls: usize) {
        until("calls are cancelled", || self.counts().cancelled.load(Ordering::SeqCst) >= calls)
            .await;
    }

    /// Tells it to stop; what comes back waits until it has.
    pub fn stop(mut self) -> JoinHandle<Result<(), ServerError>> {
        self.stop.take().expect("once").send(()).expect("it runs");
        self.running
    }
}

/// Waits for a condition.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
