//! Fetches a key set over HTTP. Never: follows a redirection, sends anything of a caller's.

use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_tls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The longest key set, in bytes.
pub(super) const LONGEST: usize = 256 << 10;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client that keeps its connections; the root certificates are the system's.
#[derive(Clone)]
pub(super) struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Fetcher {
    pub(super) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(HttpsConnector::new()))
    }

    /// The body of a 200; otherwise what happened, for the log.
    pub(super) async fn get(&self, url: &Uri) -> Result<Bytes, String> {
        match tokio::time::timeout(PATIENCE, self.answer(url)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    async fn answer(&self, url: &Uri) -> Result<Bytes, String> {
        let response = self.0.get(url.clone()).await.map_err(|error| cause(&error))?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        body.map(http_body_util::Collected::to_bytes)
            .map_err(|_| format!("it was cut off, or has more than {LONGEST} bytes"))
    }
}

/// The innermost cause: the outer ones only say that something failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
