//! A socket in front of a server that counts the statements going through it.
//! Never: changes a byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use avenire_postgres::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

use crate::{Database, Server};

/// Another way to a database. Statements are counted as long as it lives.
pub struct Counted {
    endpoint: Endpoint,
    statements: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

impl Counted {
    /// A new way to `database` of `server`.
    pub fn new(server: &Server, database: &Database) -> Result<Self> {
        let (base, _) = database.url().split_once("host=").context("no socket")?;
        let socket = server.cluster().socket_folder().to_owned();
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432"))?;
        let endpoint = Endpoint::parse(&format!("{base}host={}", folder.path().display()))?;
        let statements = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&statements);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(socket.join(".s.PGSQL.5432")).await?;
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(forward(from_client, to_server, Arc::clone(&count)));
                tokio::spawn(
                    async move { tokio::io::copy(&mut from_server, &mut to_client).await },
                );
            }
            std::io::Result::Ok(())
        });
        Ok(Self { endpoint, statements, _folder: folder })
    }

    /// Where to log in.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many statements were executed until now.
    pub fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }
}

/// Message by message (PostgreSQL documentation, 55.2 "Message Flow"): `Query` and `Execute` count.
/// The first message has no type.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    count: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let mut is_first = true;
    loop {
        if !is_first {
            let kind = from.read_u8().await?;
            if matches!(kind, b'Q' | b'E') {
                count.fetch_add(1, Ordering::SeqCst);
            }
            to.write_u8(kind).await?;
        }
        is_first = false;
        let length = from.read_u32().await?;
        let mut body = vec![0; usize::try_from(length.saturating_sub(4)).unwrap_or(0)];
        from.read_exact(&mut body).await?;
        to.write_u32(length).await?;
        to.write_all(&body).await?;
    }
}
