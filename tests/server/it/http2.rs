//! Callers that begin with HTTP/2.

use avenire_server_tests::{Host, Raw};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

async fn connect(host: &Host) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(host.address).await.expect("a connection");
    let (sender, connection) =
        handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

fn post(host: &Host, path: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post(format!("http://{}{path}", host.address))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_owned())))
        .expect("a request")
}

async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.to_vec()).expect("a text")
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let host = Host::start("").await;
    let sender = connect(&host).await;
    let calls = (0..50).map(|number| {
        let mut sender = sender.clone();
        let body = format!("{{\"title\":\"{number}\"}}");
        let request = post(&host, "/v1/chat/save-chat", &body);
        async move {
            let response = sender.send_request(request).await.expect("an answer");
            assert_eq!(response.status(), 200);
            assert!(text(response).await.contains(&body));
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled_and_its_connection_goes_on() {
    let host = Host::start("").await;
    let mut sender = connect(&host).await;
    let waiting = tokio::spawn(sender.send_request(post(&host, "/v1/chat/wait", "{}")));
    host.begun(1).await;
    waiting.abort();
    host.cancelled(1).await;
    let response =
        sender.send_request(post(&host, "/v1/chat/ping", "{}")).await.expect("an answer");
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn hosts_and_limits_are_the_same() {
    let host = Host::start("limits.body = \"1kB\"").await;
    let mut sender = connect(&host).await;
    let mut foreign = post(&host, "/v1/chat/ping", "{}");
    *foreign.uri_mut() = "http://evil.example/v1/chat/ping".parse().unwrap();
    let response = sender.send_request(foreign).await.expect("an answer");
    assert_eq!(response.status(), 421);
    let long = post(&host, "/v1/chat/save-chat", &" ".repeat(2000));
    let response = sender.send_request(long).await.expect("an answer");
    assert_eq!(response.status(), 413);
    let mut flood = post(&host, "/v1/chat/ping", "{}");
    let value = http::HeaderValue::from_str(&"x".repeat(30_000)).unwrap();
    flood.headers_mut().insert("x-long", value);
    match sender.send_request(flood).await {
        Ok(response) => assert_eq!(response.status(), 431),
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_cut() {
    let host = Host::start("limits.head-time = \"200ms\"").await;
    let mut raw = Raw::connect(host.address).await;
    raw.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await;
    assert!(!raw.rest().await.is_empty(), "its settings came");
}

#[tokio::test]
async fn a_server_that_stops_answers_what_is_under_way() {
    let host = Host::start("").await;
    let mut sender = connect(&host).await;
    let request = post(&host, "/v1/chat/nap", "{}");
    let call = tokio::spawn(sender.send_request(request));
    host.begun(1).await;
    host.stop().await.unwrap().expect("it stopped");
    let response = call.await.unwrap().expect("an answer");
    assert_eq!(text(response).await, "\"rested\"");
}

#[tokio::test]
async fn a_stream_that_nobody_takes_does_not_keep_its_turn_for_good() {
    let limits = "limits.concurrency = 1\nlimits.queue = 0\nlimits.stream-time = \"300ms\"";
    let host = Host::start(limits).await;
    let mut sender = connect(&host).await;
    let mut request = post(&host, "/v1/chat/count", "{}");
    let lines = http::HeaderValue::from_static("application/x-ndjson");
    request.headers_mut().insert("accept", lines);
    // Its body is never read, so that its window stays closed.
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(host.eventually("POST", "/v1/chat/ping").await.status, 200);
    drop(response);
}
