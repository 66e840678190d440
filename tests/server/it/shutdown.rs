//! The end of a server.

use avenire_server_tests::{Host, Raw, request};

#[tokio::test]
async fn requests_under_way_are_answered_and_new_ones_refused() {
    let host = Host::start("").await;
    let address = host.address;
    let call = tokio::spawn(request(address, "POST", "/v1/chat/nap", &[], ""));
    let mut idle = Raw::connect(address).await;
    idle.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    idle.until("200 OK").await;
    host.begun(1).await;
    let stopped = host.stop();
    let reply = call.await.unwrap().expect("an answer");
    assert_eq!((reply.status, reply.body.as_str()), (200, "\"rested\""));
    stopped.await.unwrap().expect("it stopped in order");
    idle.rest().await;
    request(address, "GET", "/livez", &[], "").await.expect_err("nobody listens");
}

#[tokio::test]
async fn what_takes_longer_than_the_drain_time_is_cancelled() {
    let host = Host::start("limits.drain-time = \"100ms\"\nlimits.request-time = \"1h\"").await;
    let address = host.address;
    let call = tokio::spawn(request(address, "POST", "/v1/chat/wait", &[], ""));
    host.begun(1).await;
    let rules = std::sync::Arc::clone(&host.rules);
    host.stop().await.unwrap().expect("it stopped");
    let cancelled = rules.counts.cancelled.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(cancelled, 1);
    call.await.unwrap().expect_err("cut off");
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_with_a_hint() {
    let host = Host::start("").await;
    let mut config = avenire_server_tests::config("");
    config.listen = vec![host.address];
    let error =
        avenire_server::Server::bind(config, host.rules.clone()).await.err().expect("taken");
    assert!(error.to_string().contains(&host.address.to_string()));
    assert!(error.hint().contains("listen"));
}
