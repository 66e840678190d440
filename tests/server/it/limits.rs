//! Limits of one caller: bodies, heads, time.

use avenire_server_tests::{Host, Raw};

const SMALL: &str = "limits.body = \"64kB\"";

#[tokio::test]
async fn a_body_that_is_declared_too_long_is_refused_before_it_is_sent() {
    let host = Host::start(SMALL).await;
    let mut raw = Raw::connect(host.address).await;
    raw.write(
        "POST /v1/chat/save-chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 10000000000\r\n\r\n",
    )
    .await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("urn:avenire:body-too-large"), "{answer}");
}

#[tokio::test]
async fn a_body_that_grows_too_long_is_refused_while_it_is_sent() {
    let host = Host::start(SMALL).await;
    let mut raw = Raw::connect(host.address).await;
    raw.write(
        "POST /v1/chat/save-chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    )
    .await;
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    // The server reads no more than the limit: this ends.
    for _ in 0..64 {
        if !raw.write(&chunk).await {
            break;
        }
    }
    assert!(host.counts().called.lock().unwrap().is_empty());
    let longest = format!("{{\"title\":\"{}\"}}", "x".repeat(63_000));
    assert_eq!(host.post("/v1/chat/save-chat", &longest).await.status, 200);
    let longer = format!("{{\"title\":\"{}\"}}", "x".repeat(64_000));
    let reply = host.post("/v1/chat/save-chat", &longer).await;
    assert_eq!((reply.status, reply.problem().as_str()), (413, "body-too-large"));
}

#[tokio::test]
async fn a_head_that_arrives_byte_by_byte_is_cut_off() {
    let host = Host::start("limits.head-time = \"300ms\"").await;
    let mut silent = Raw::connect(host.address).await;
    let mut slow = Raw::connect(host.address).await;
    let mut begun_http2 = Raw::connect(host.address).await;
    begun_http2.write("PRI * HT").await;
    slow.write("POST /v1/chat/ping HTTP/1.1\r\nHost: localhost\r\n").await;
    let mut sent = 0;
    while sent < 1000 && slow.write("X-A: b\r\n").await {
        sent += 1;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(sent < 1000, "the server read on");
    assert_eq!(silent.rest().await, "");
    begun_http2.rest().await;
    assert!(host.counts().called.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_never_comes_is_408_and_its_turn_is_free_again() {
    let host = Host::start("limits.request-time = \"200ms\"\nlimits.concurrency = 1").await;
    let mut raw = Raw::connect(host.address).await;
    raw.write(
        "POST /v1/chat/save-chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 10\r\n\r\n{",
    )
    .await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(host.send("POST", "/v1/chat/ping", &[], "").await.status, 200);
}

#[tokio::test]
async fn many_or_long_headers_are_refused() {
    let host = Host::start("limits.headers = 20\nlimits.head = \"8KiB\"").await;
    let many = "X-A: b\r\n".repeat(30);
    let long = format!("X-A: {}\r\n", "b".repeat(10_000));
    for headers in [many, long] {
        let mut raw = Raw::connect(host.address).await;
        raw.write(&format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let mut endless = Raw::connect(host.address).await;
    let mut is_open = endless.write("GET /").await;
    for _ in 0..1000 {
        is_open = is_open && endless.write(&"x".repeat(10_000)).await;
    }
    let answer = endless.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(host.get("/livez", &[]).await.status, 200);
}
