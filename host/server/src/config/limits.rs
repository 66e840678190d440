//! `[server.limits]`: what a caller may ask of the server, and all of them together.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, Size, Time};
use crate::json;

/// The smallest buffer for a request's head that the HTTP implementation takes.
const SMALLEST_HEAD: usize = 8 << 10;

/// `[server.limits]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LimitsConfig {
    /// The longest body of a request. `"1MiB"`.
    pub body: Size,
    /// The longest head of a request: request line and headers, at least `"8KiB"`. `"16KiB"`.
    pub head: Size,
    /// The most headers of a request. `64`.
    pub headers: usize,
    /// How long the head of a request may take to arrive, and how long a connection without a
    /// request is kept. `"15s"`.
    pub head_time: Time,
    /// How long a request may take from its head to its answer; callers may ask for less with the
    /// header `Avenire-Timeout` (milliseconds). `"10s"`.
    pub request_time: Time,
    /// How long a streamed answer may take. `"10min"`.
    pub stream_time: Time,
    /// How long a caller may take nothing of an answer before its connection is cut. `"30s"`.
    pub stall_time: Time,
    /// The deepest nesting of JSON, at most 120. `64`.
    pub json_depth: usize,
    /// The most calls in a batch. `50`.
    pub batch: usize,
    /// Requests that run at once. `256`.
    pub concurrency: usize,
    /// Requests that may wait for their turn; further ones are answered with 503. `1024`.
    pub queue: usize,
    /// How long a request may wait for its turn before it is answered with 503. `"2s"`.
    pub queue_time: Time,
    /// Connections that are open at once; further ones wait to be accepted. `4096`.
    pub connections: usize,
    /// Requests at once on one HTTP/2 connection. `128`.
    pub streams: u32,
    /// Bytes of finished answers that callers have not taken yet, all together; further answers
    /// become 503. `"256MiB"`.
    pub unsent: Size,
    /// How long requests may go on after the server was told to stop. `"10s"`.
    pub drain_time: Time,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body: Size(1 << 20),
            head: Size(16 << 10),
            headers: 64,
            head_time: Time(Duration::from_secs(15)),
            request_time: Time(Duration::from_secs(10)),
            stream_time: Time(Duration::from_mins(10)),
            stall_time: Time(Duration::from_secs(30)),
            json_depth: 64,
            batch: 50,
            concurrency: 256,
            queue: 1024,
            queue_time: Time(Duration::from_secs(2)),
            connections: 4096,
            streams: 128,
            unsent: Size(256 << 20),
            drain_time: Time(Duration::from_secs(10)),
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, message: &str, hint: &str| {
            Err(ConfigError::value(format!("limits.{key}"), message, hint))
        };
        let counts = [
            ("headers", self.headers),
            ("json-depth", self.json_depth),
            ("batch", self.batch),
            ("concurrency", self.concurrency),
            ("connections", self.connections),
            ("streams", self.streams as usize),
            ("body", self.body.0),
            ("unsent", self.unsent.0),
        ];
        for (key, count) in counts {
            if count == 0 {
                return refuse(key, "nothing could be served with 0", "give at least 1");
            }
        }
        let times = [
            ("head-time", self.head_time),
            ("request-time", self.request_time),
            ("stream-time", self.stream_time),
            ("stall-time", self.stall_time),
        ];
        for (key, time) in times {
            if time.0.is_zero() {
                return refuse(key, "nothing can be done in no time", "give at least `1ms`");
            }
        }
        if self.head.0 < SMALLEST_HEAD {
            return refuse("head", "this is less than 8KiB", "give at least `8KiB`");
        }
        if self.head.0 > 1 << 20 {
            return refuse("head", "this is more than 1MiB", "give at most `1MiB`");
        }
        if self.json_depth > json::DEEPEST {
            return refuse("json-depth", "this is more than 120", "give at most 120");
        }
        let most = tokio::sync::Semaphore::MAX_PERMITS;
        if self.concurrency > most || self.connections > most {
            return refuse("concurrency", "this is more than can be counted", "give less");
        }
        Ok(())
    }
}
