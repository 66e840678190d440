//! Limits of all callers together: turns, queue, unsent answers, connections.

use std::sync::Arc;

use avenire_server_tests::{Host, Raw};
use tokio::io::AsyncReadExt as _;

#[tokio::test]
async fn requests_beyond_turns_and_queue_are_503_with_a_time_to_come_back() {
    let limits = "limits.concurrency = 2\nlimits.queue = 1\nlimits.queue-time = \"30s\"";
    let host = Arc::new(Host::start(limits).await);
    let wait = |host: &Arc<Host>| {
        let host = Arc::clone(host);
        tokio::spawn(async move { host.send("POST", "/v1/chat/wait", &[], "").await.status })
    };
    let running = [wait(&host), wait(&host)];
    host.begun(2).await;
    // One finds room in the queue; of two more, at least one does not.
    let (a, b) = tokio::join!(
        host.send("POST", "/v1/chat/ping", &[("avenire-timeout", "500")], ""),
        host.send("POST", "/v1/chat/ping", &[("avenire-timeout", "500")], ""),
    );
    for reply in [a, b] {
        assert_eq!((reply.status, reply.problem().as_str()), (503, "overloaded"));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
    // Whoever watches the host is answered all the same.
    assert_eq!(host.get("/livez", &[]).await.status, 200);
    assert_eq!(host.get("/readyz", &[]).await.status, 200);
    let metrics = host.get("/metrics", &[]).await.body;
    assert!(metrics.contains("avenire_http_shed_total 2\n"), "{metrics}");
    assert_eq!(host.counts().called.lock().unwrap().len(), 2);
    for call in running {
        call.abort();
    }
    host.cancelled(2).await;
    assert_eq!(host.send("POST", "/v1/chat/ping", &[], "").await.status, 200);
}

#[tokio::test]
async fn who_goes_away_cancels_the_call() {
    let host = Host::start("").await;
    let mut raw = Raw::connect(host.address).await;
    raw.write("POST /v1/chat/wait HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    host.begun(1).await;
    drop(raw);
    host.cancelled(1).await;
}

#[tokio::test]
async fn who_goes_away_while_waiting_for_a_turn_leaves_the_queue() {
    let host =
        Host::start("limits.concurrency = 1\nlimits.queue = 1\nlimits.queue-time = \"1h\"").await;
    let mut first = Raw::connect(host.address).await;
    first.write("POST /v1/chat/wait HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    host.begun(1).await;
    for _ in 0..20 {
        let mut waiting = Raw::connect(host.address).await;
        waiting.write("POST /v1/chat/nap HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    }
    drop(first);
    let reply = host.eventually("POST", "/v1/chat/ping").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn answers_that_nobody_takes_are_limited_together() {
    let limits = "limits.unsent = \"16MiB\"\nlimits.stall-time = \"1h\"";
    let host = Host::start(limits).await;
    let request = "GET /v1/chat/big?bytes=12000000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut slow = Raw::connect(host.address).await;
    slow.write(request).await;
    slow.until("200 OK").await;
    let reply = host.get("/v1/chat/big?bytes=12000000", &[]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "overloaded"));
    assert_eq!(host.get("/v1/chat/big?bytes=1000", &[]).await.status, 200);
    drop(slow);
    let reply = host.eventually("GET", "/v1/chat/big?bytes=12000000").await;
    assert_eq!((reply.status, reply.body.len()), (200, 12_000_002));
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut_off_and_who_is_slow_is_not() {
    let host = Host::start("limits.stall-time = \"3s\"\nlimits.head-time = \"300ms\"").await;
    let request = "GET /v1/chat/big?bytes=30000000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut stalled = Raw::connect(host.address).await;
    stalled.write(request).await;
    let mut slow = Raw::connect(host.address).await;
    slow.write(&request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
    let mut taken = 0;
    let mut piece = vec![0; 1 << 20];
    loop {
        let length = slow.0.read(&mut piece).await.unwrap();
        if length == 0 {
            break;
        }
        taken += length;
        tokio::time::sleep(std::time::Duration::from_millis(4)).await;
    }
    assert!(taken > 30_000_000, "cut after {taken} bytes");
    // The only connection left is the one that asks.
    while !host.get("/metrics", &[]).await.body.contains("avenire_http_connections 1\n") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let rest = stalled.rest().await;
    assert!(rest.len() < 30_000_000, "{}", rest.len());
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_is_free() {
    let host = Host::start("limits.connections = 2\nlimits.head-time = \"1h\"").await;
    let first = Raw::connect(host.address).await;
    let mut second = Raw::connect(host.address).await;
    second.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    second.until("200 OK").await;
    let mut third = Raw::connect(host.address).await;
    third.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut byte = [0];
    let early = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(early, third.0.read(&mut byte)).await.is_err());
    drop(first);
    third.until("200 OK").await;
}
