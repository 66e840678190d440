//! Callers: a well-behaved one, and one that writes to its socket what it likes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take in a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Reply {
    /// A header; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The name of the problem that it is, such as `json`; checks that its form is right.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let document = self.json();
        let member = |name: &str| document.get(name).and_then(Value::as_str).expect("a text");
        assert_eq!(document.get("status"), Some(&self.status.into()));
        let id = member("instance").strip_prefix("urn:avenire:request:");
        assert_eq!(id, Some(self.header("x-request-id")));
        member("type").strip_prefix("urn:avenire:").expect("a name").to_owned()
    }
}

/// Sends one request on a connection of its own, and reads its answer.
pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<Reply> {
    let answered = async {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.context("the body was cut off")?.to_bytes();
        connection.abort();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        anyhow::Ok(Reply { status, headers, body: String::from_utf8(body.to_vec())? })
    };
    tokio::time::timeout(PATIENCE, answered).await.context("no answer")?
}

/// A socket.
pub struct Raw(pub TcpStream);

impl Raw {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Writes; a server that has cut the connection is no failure.
    pub async fn write(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    /// Everything that comes until the server closes.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        drop(read.expect("the server never closed"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything that comes until it has a text in it.
    pub async fn until(&mut self, text: &str) -> String {
        let mut all = String::new();
        let read = async {
            while !all.contains(text) {
                let mut piece = [0; 4096];
                let length = self.0.read(&mut piece).await.expect("a piece");
                assert!(length > 0, "closed before {text:?} in {all:?}");
                all.push_str(&String::from_utf8_lossy(piece.get(..length).expect("read")));
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("in time");
        all
    }
}
