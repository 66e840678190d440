//! Answers line by line.

use std::sync::atomic::Ordering;
use std::time::Duration;

use avenire_server_tests::{Host, Raw, until};
use serde_json::Value;

const LINES: &[(&str, &str)] = &[("accept", "application/x-ndjson")];

fn lines(body: &str) -> Vec<Value> {
    assert!(body.ends_with('\n'));
    body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn every_value_is_a_line() {
    let host = Host::start("").await;
    let reply = host.get("/v1/chat/count?count=1000", LINES).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"));
    let lines = lines(&reply.body);
    assert_eq!(lines.len(), 1000);
    assert!(lines.iter().zip(0..).all(|(line, number)| line["number"] == number));
    let empty = host.get("/v1/chat/count?count=0", LINES).await;
    assert_eq!((empty.status, empty.body.as_str()), (200, ""));
    let headers = [("accept", "application/x-ndjson"), ("content-type", "application/json")];
    let posted = host.send("POST", "/v1/chat/count", &headers, r#"{"count":2}"#).await;
    assert_eq!(posted.body.lines().count(), 2);
}

#[tokio::test]
async fn what_fails_midway_is_the_last_line_and_what_fails_at_once_is_a_problem() {
    let host = Host::start("").await;
    let reply = host.get("/v1/chat/break?count=10", LINES).await;
    let lines = lines(&reply.body);
    assert_eq!((reply.status, lines.len()), (200, 4));
    let problem = &lines.last().unwrap()["$problem"];
    assert_eq!((&problem["status"], &problem["sqlstate"]), (&503.into(), &"40001".into()));
    assert_eq!(
        problem["instance"],
        format!("urn:avenire:request:{}", reply.header("x-request-id"))
    );
    let refused = host.send("POST", "/v1/chat/ping", LINES, "").await;
    assert_eq!((refused.status, refused.problem().as_str()), (406, "not-acceptable"));
}

#[tokio::test]
async fn nothing_is_taken_from_the_function_that_the_caller_does_not_take() {
    let host = Host::start("").await;
    let mut raw = Raw::connect(host.address).await;
    raw.write(
        "GET /v1/chat/count HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n",
    )
    .await;
    raw.until("\"number\":3").await;
    // The kernel's buffers fill up; from then on the count stands still.
    let pulled = || host.counts().pulled.load(Ordering::SeqCst);
    let mut before = 0;
    while pulled() != before {
        before = pulled();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // 200 bytes each: the buffers of two sockets and what the server holds, and not the stream's
    // 18446744073709551615 values.
    assert!(before < 100_000, "{before} values were taken");
    raw.until("\"number\":1000,").await;
    drop(raw);
    host.cancelled(1).await;
    let after = pulled();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(pulled(), after);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_although_it_has_more() {
    let host = Host::start("limits.stream-time = \"300ms\"").await;
    let reply = host.get("/v1/chat/count", LINES).await;
    let last = reply.body.lines().last().unwrap();
    assert!(last.contains("urn:avenire:deadline"), "{last}");
    host.cancelled(1).await;
}

#[tokio::test]
async fn a_stream_keeps_its_turn_to_its_end() {
    let host = Host::start("limits.concurrency = 1\nlimits.queue = 0").await;
    let mut raw = Raw::connect(host.address).await;
    raw.write(
        "GET /v1/chat/count HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n",
    )
    .await;
    raw.until("\"number\":3").await;
    assert_eq!(host.send("POST", "/v1/chat/ping", &[], "").await.status, 503);
    drop(raw);
    until("the stream is dropped", || host.counts().cancelled.load(Ordering::SeqCst) == 1).await;
    assert_eq!(host.send("POST", "/v1/chat/ping", &[], "").await.status, 200);
}
