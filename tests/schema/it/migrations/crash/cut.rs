//! A way to the server that breaks at a chosen instant, as it does when a host is killed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Result;
use avenire_postgres::Endpoint;
use avenire_schema_tests::{Database, Server};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

/// On which side of a request the host dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The request does not reach the server.
    Before,
    /// The server gets it, and its answer reaches nobody.
    After,
}

/// An instant in the life of a host: at its so many-th request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) request: usize,
    pub(super) side: Side,
}

/// The way.
pub(super) struct Cut {
    pub(super) endpoint: Endpoint,
    broken: Arc<Notify>,
    is_broken: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
    _folder: TempDir,
}

impl Cut {
    pub(super) fn new(server: &Server, database: &Database, instant: Instant) -> Result<Self> {
        let folder = TempDir::new()?;
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432"))?;
        let upstream = server.cluster().socket_folder().join(".s.PGSQL.5432");
        let host = folder.path().display().to_string().replace('/', "%2F");
        let name = database.name();
        let endpoint = Endpoint::parse(&format!("postgresql://postgres@/{name}?host={host}"))?;
        let (broken, is_broken) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let requests = Arc::new(AtomicUsize::new(0));
        let way = Way {
            upstream,
            instant,
            requests: requests.clone(),
            broken: broken.clone(),
            is_broken: is_broken.clone(),
        };
        tokio::spawn(async move { way.serve(listener).await });
        Ok(Self { endpoint, broken, is_broken, requests, _folder: folder })
    }

    /// How many requests the host has made.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// What comes of the host's work; nothing when it died meanwhile.
    pub(super) async fn until<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.broken.notified() => None,
            // It may notice the end of its connection before we do.
            result = work => (!self.is_broken.load(Ordering::SeqCst)).then_some(result),
        }
    }
}

struct Way {
    upstream: PathBuf,
    instant: Instant,
    requests: Arc<AtomicUsize>,
    broken: Arc<Notify>,
    is_broken: Arc<AtomicBool>,
}

impl Way {
    async fn serve(&self, listener: UnixListener) -> Result<()> {
        loop {
            let (client, _) = listener.accept().await?;
            let server = UnixStream::connect(&self.upstream).await?;
            if self.connection(client, server).await? == End::Broken {
                // Nobody listens any more.
                return Ok(());
            }
        }
    }

    /// The host writes each request at once and waits for its answer.
    async fn connection(&self, mut client: UnixStream, mut server: UnixStream) -> Result<End> {
        let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                read = client.read(&mut request) => {
                    let length = read?;
                    if length == 0 {
                        return Ok(End::Closed);
                    }
                    let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
                    let dies = number == self.instant.request;
                    if !dies || self.instant.side == Side::After {
                        server.write_all(&request[..length]).await?;
                    }
                    if dies {
                        // Before both ends are closed, which the host would notice.
                        self.is_broken.store(true, Ordering::SeqCst);
                        self.broken.notify_one();
                        return Ok(End::Broken);
                    }
                }
                read = server.read(&mut answer) => {
                    let length = read?;
                    if length == 0 {
                        return Ok(End::Closed);
                    }
                    client.write_all(&answer[..length]).await?;
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum End {
    Closed,
    Broken,
}
