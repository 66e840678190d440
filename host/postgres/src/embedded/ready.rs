//! Waits until the server lets us in, and makes the database the first time.
//! Never: keeps a connection.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

use super::{DATABASE, EmbeddedError, USER};

/// How often it is tried; a server that need not recover is up in some tens of milliseconds.
pub(super) const INTERVAL: Duration = Duration::from_millis(5);

/// A server that accepts and then says nothing is tried again after this.
const ONE_TRY: Duration = Duration::from_secs(5);

/// Whether the server lets us in.
#[derive(Debug)]
pub(super) enum Ready {
    /// Yes; its version, such as `15.18`.
    Yes(String),
    /// Not yet: no socket, or it is starting, recovering or stopping.
    NotYet,
}

/// Tries once. Makes the database if it is missing: a starter may have been killed in between.
pub(super) async fn ask(socket: &Path) -> Result<Ready, EmbeddedError> {
    match visit(socket, DATABASE, None).await {
        Err(error) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
            let create = format!("create database {DATABASE} template template0");
            match visit(socket, "postgres", Some(&create)).await {
                Err(error) if error.code() != Some(&SqlState::DUPLICATE_DATABASE) => judge(error),
                _ => Ok(Ready::NotYet),
            }
        }
        Ok(version) => Ok(Ready::Yes(version)),
        Err(error) => judge(error),
    }
}

async fn visit(
    socket: &Path,
    database: &str,
    statement: Option<&str>,
) -> Result<String, tokio_postgres::Error> {
    let mut config = Config::new();
    config.host_path(socket).port(5432).user(USER).dbname(database).connect_timeout(ONE_TRY);
    let (client, connection) = config.connect(NoTls).await?;
    let version = connection.parameter("server_version").unwrap_or_default();
    // `15.18 (Debian 15.18-0+deb12u1)`
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    let driver = tokio::spawn(connection);
    let result = match statement {
        Some(statement) => client.batch_execute(statement).await,
        None => Ok(()),
    };
    drop(client);
    // Ends as soon as the client is gone; its error would be the client's.
    drop(driver.await);
    result.map(|()| version)
}

/// A server without a free connection is up; everything but SQL errors means that it is not yet.
fn judge(error: tokio_postgres::Error) -> Result<Ready, EmbeddedError> {
    match error.code() {
        None => Ok(Ready::NotYet),
        Some(code) if *code == SqlState::CANNOT_CONNECT_NOW => Ok(Ready::NotYet),
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => Ok(Ready::Yes(String::new())),
        Some(code) if *code == SqlState::ADMIN_SHUTDOWN => Ok(Ready::NotYet),
        Some(_) => Err(EmbeddedError::Connect { source: Box::new(error) }),
    }
}
