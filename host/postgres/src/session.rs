//! One connection of the host's own: for migrations, roles and diagnosis. Never runs
//! a guest's statement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::classify::Stage;
use crate::connect::Connector;
use crate::connection::Connection;
use crate::endpoint::{Endpoint, StatementMode};
use crate::error::{Error, WaitingFor};
use crate::listen::{self, Notifications};
use crate::pool::within;

/// How a session calls itself, unless the URL says it.
const APPLICATION_NAME: &str = "avenire-db";

/// A connection of the host's own. Dropped, it is closed; what it was doing goes on
/// at the server until it notices.
///
/// Statements here have no deadline but the caller's: wrap them in a timeout.
///
/// # Cancel safety
///
/// A statement whose future is dropped goes on at the server, and the next one waits
/// for it. Drop the session then.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    mode: StatementMode,
}

impl Session {
    /// Connects, trying again within the deadline after failures that pass by
    /// themselves.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what is wrong and a hint.
    pub async fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<Session, Error> {
        let connector = Arc::new(Connector::new(endpoint, APPLICATION_NAME, None)?);
        let opened = within(deadline, WaitingFor::Connection, connector.connect(deadline, |_| {}));
        let connection = Connection::start(opened.await??, &connector, Duration::MAX, 1);
        Ok(Session { connection, mode: endpoint.statement_mode() })
    }

    /// Runs any number of statements in one message. Several are one transaction
    /// unless they say otherwise (PostgreSQL documentation, "Multiple Statements in
    /// a Simple Query").
    ///
    /// # Errors
    /// The first failure.
    pub async fn batch(&self, sql: &str) -> Result<(), Error> {
        check(sql)?;
        self.connection.client().batch_execute(sql).await.map_err(|error| self.error(&error))
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// As Postgres and the driver report them.
    pub async fn rows(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        check(sql)?;
        let client = self.connection.client();
        let rows = if parameters.is_empty() && self.mode == StatementMode::Unnamed {
            // Named statements do not survive between transactions there.
            client.query_typed(sql, &[]).await
        } else {
            client.query(sql, parameters).await
        };
        rows.map_err(|error| self.error(&error))
    }

    /// Runs one statement and returns the number of rows it affected.
    ///
    /// # Errors
    /// As Postgres and the driver report them.
    pub async fn execute(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        check(sql)?;
        let client = self.connection.client();
        let affected = if parameters.is_empty() && self.mode == StatementMode::Unnamed {
            client.execute_typed(sql, &[] as &[(&(dyn ToSql + Sync), Type)]).await
        } else {
            client.execute(sql, parameters).await
        };
        affected.map_err(|error| self.error(&error))
    }

    /// Runs one statement whose parameters have the types that are given, and returns its rows.
    /// One message and one answer: nothing is prepared, so that it is safe through poolers.
    ///
    /// # Errors
    /// As Postgres and the driver report them.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Error> {
        check(sql)?;
        let rows = self.connection.client().query_typed(sql, parameters).await;
        rows.map_err(|error| self.error(&error))
    }

    /// Listens to a channel (PostgreSQL documentation, "LISTEN") until the session ends. What was
    /// notified before this returns is not told, so that the caller reads afterwards.
    ///
    /// # Errors
    /// [`Error::Invalid`] through a pooler, which passes no notifications on, and for a name that is
    /// none; otherwise as Postgres and the driver report them.
    pub async fn listen(&self, channel: &str) -> Result<Notifications, Error> {
        if self.mode == StatementMode::Unnamed {
            return Err(Error::invalid("a pooled endpoint passes no notifications on"));
        }
        let sql = listen::statement(channel)?;
        let notifications = self.connection.notifications(channel)?;
        self.batch(&sql).await?;
        Ok(notifications)
    }

    /// The version the server gives itself, such as `15.18 (Debian 15.18-1)`.
    pub fn server_version(&self) -> &str {
        self.connection.server_version()
    }

    /// Whether the server has closed the connection, as far as that is known without
    /// asking it.
    pub fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    fn error(&self, error: &tokio_postgres::Error) -> Error {
        let is_lost = error.is_closed() || self.connection.is_closed();
        if error.as_db_error().is_none() && !is_lost {
            // The driver refuses values that do not fit, before sending anything.
            let reason = std::error::Error::source(error)
                .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
            return Error::invalid(reason);
        }
        self.connection.error(error, Stage::Executing)
    }
}

fn check(sql: &str) -> Result<(), Error> {
    if sql.contains('\0') {
        return Err(Error::invalid("the statement contains a NUL byte"));
    }
    Ok(())
}

/// The SCRAM-SHA-256 verifier of a password, as `alter role … password` takes it
/// (PostgreSQL documentation, `pg_authid`; RFC 5803): the server can check the
/// password with it, nobody can log in with it, and it may appear in a log.
pub fn scram_verifier(password: &str) -> String {
    postgres_protocol::password::scram_sha_256(password.as_bytes())
}
