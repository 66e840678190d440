//! One established connection: the driver's client, its task, and the statements
//! prepared on it. Never decides who may use it; pools and sessions do.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, CancelToken, Client};

use crate::classify::{self, Stage};
use crate::connect::{Connector, Driver, Opened, Route, after};
use crate::error::Error;
use crate::listen::{Channels, Notifications, UntilTheEnd};
use crate::parameters::type_of;
use crate::statements::Statements;

/// How long a cancel request may take, and how long after it the server has to
/// give up before the socket is closed.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

/// Whether the server is asked to stop what it does for a connection that is given
/// up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    Ask,
    No,
}

pub(crate) struct Connection {
    client: Client,
    statements: Statements,
    driver: AbortHandle,
    farewell: Arc<OnceLock<String>>,
    channels: Arc<Channels>,
    connector: Arc<Connector>,
    route: Route,
    runtime: Handle,
    server_version: String,
    expires: Instant,
    /// User-defined types the driver knows on this connection.
    known_types: HashSet<u32>,
}

impl Connection {
    /// Takes a connection over and starts the task that drives it.
    pub(crate) fn start(
        opened: Opened,
        connector: &Arc<Connector>,
        lifetime: Duration,
        statements: usize,
    ) -> Connection {
        let Opened { client, driver, route } = opened;
        let server_version = driver.parameter("server_version").unwrap_or_default().to_owned();
        let farewell = Arc::new(OnceLock::new());
        let channels = Channels::new();
        let task = drive(driver, Arc::clone(&farewell), UntilTheEnd(Arc::clone(&channels)));
        let task = tokio::spawn(task);
        Connection {
            client,
            statements: Statements::new(statements),
            driver: task.abort_handle(),
            farewell,
            channels,
            connector: Arc::clone(connector),
            route,
            runtime: Handle::current(),
            server_version,
            expires: after(lifetime),
            known_types: HashSet::new(),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.statements
    }

    pub(crate) fn server_version(&self) -> &str {
        &self.server_version
    }

    /// Known without asking the server: its end of the connection is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.expires <= now
    }

    pub(crate) fn knows_types(&self, oids: &[u32]) -> bool {
        oids.iter().all(|oid| self.known_types.contains(oid))
    }

    /// What tells of notifications on a channel that the session listens to.
    pub(crate) fn notifications(&self, channel: &str) -> Result<Notifications, Error> {
        self.channels.subscribe(channel, &self.farewell)
    }

    /// Asks the server for a sign of life.
    pub(crate) async fn is_alive(&self, patience: Duration) -> bool {
        matches!(timeout(patience, self.client.check_connection()).await, Ok(Ok(())))
    }

    /// The error of a statement on this connection.
    pub(crate) fn error(&self, error: &tokio_postgres::Error, stage: Stage) -> Error {
        classify::statement(error, stage, self.farewell.get().map(String::as_str))
    }

    /// Makes the driver look up types now, inside one transaction, so that it never
    /// does so in the midst of a statement: behind a pooler its look-ups would reach
    /// another server, and during a large result they would wait for each other.
    pub(crate) async fn learn_types(&mut self, oids: &[u32]) -> Result<(), tokio_postgres::Error> {
        if oids.is_empty() {
            return Ok(());
        }
        let types: Vec<_> = oids.iter().copied().map(type_of).collect();
        let columns: Vec<String> = (1..=types.len()).map(|number| format!("${number}")).collect();
        let sql = format!("select {}", columns.join(", "));
        self.client.batch_execute("begin").await?;
        let prepared = self.client.prepare_typed(&sql, &types).await;
        // The look-ups' own statements must not stay on a server that others get.
        let end = match prepared {
            Ok(statement) => {
                drop(statement);
                self.client.batch_execute("deallocate all; commit").await
            }
            Err(error) => self.client.batch_execute("rollback").await.and(Err(error)),
        };
        if end.is_ok() {
            self.known_types.extend(oids);
        }
        end
    }

    /// Gives the connection up although the server may be busy for it.
    pub(crate) fn abandon(&self, cancel: Cancel) {
        let driver = self.driver.clone();
        if driver.is_finished() {
            return;
        }
        let token: CancelToken = self.client.cancel_token();
        let connector = Arc::clone(&self.connector);
        let route = self.route.clone();
        self.runtime.spawn(async move {
            if cancel == Cancel::Ask {
                let request = connector.cancel(&route, &token);
                if let Ok(Err(error)) = timeout(CANCEL_PATIENCE, request).await {
                    tracing::debug!(%error, "a cancel request could not be sent");
                }
                // The driver ends by itself when the server answers.
                for _ in 0..50 {
                    if driver.is_finished() {
                        return;
                    }
                    sleep(CANCEL_PATIENCE / 50).await;
                }
            }
            driver.abort();
        });
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("route", &self.route).finish_non_exhaustive()
    }
}

/// Drives a connection until it ends, and keeps what the server said last.
async fn drive(mut driver: Driver, farewell: Arc<OnceLock<String>>, channels: UntilTheEnd) {
    loop {
        match poll_fn(|cx| driver.poll_message(cx)).await {
            None => return,
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!(
                    severity = notice.severity(),
                    code = notice.code().code(),
                    "notice from the server"
                );
            }
            Some(Ok(AsyncMessage::Notification(told))) => channels.0.ring(told.channel()),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let text = error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), |error| error.message().to_owned());
                tracing::debug!(error = %text, "a connection ended");
                let _ = farewell.set(text);
                return;
            }
        }
    }
}
