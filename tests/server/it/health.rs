//! What those who operate the host ask.

use std::sync::atomic::Ordering;

use avenire_server_tests::Host;

#[tokio::test]
async fn readiness_follows_the_checks_and_liveness_does_not() {
    let host = Host::start("").await;
    assert_eq!(host.get("/readyz", &[]).await.status, 200);
    host.rules.is_ill.store(true, Ordering::SeqCst);
    let ill = host.get("/readyz", &[]).await;
    assert_eq!((ill.status, ill.header("retry-after")), (503, "1"));
    assert_eq!(ill.json()["checks"][0]["name"], "database");
    assert_eq!(ill.json()["checks"][0]["state"], "failing");
    assert_eq!(host.get("/livez", &[]).await.status, 200);
}

#[tokio::test]
async fn metrics_count_by_functions_that_exist() {
    let host = Host::start("").await;
    host.send("POST", "/v1/chat/ping", &[], "").await;
    host.post("/v1/chat/getChat", "{}").await;
    for number in 0..20 {
        host.post(&format!("/v1/chat/invented-{number}"), "{}").await;
        host.post(&format!("/invented/{number}"), "{}").await;
    }
    let reply = host.get("/metrics", &[]).await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = &reply.body;
    let route = "route=\"/v1/{slot}/{function}\"";
    for line in [
        format!(
            "avenire_http_requests_total{{{route},slot=\"chat\",function=\"ping\",status=\"200\"}} 1"
        ),
        format!(
            "avenire_http_requests_total{{{route},slot=\"chat\",function=\"get-chat\",status=\"200\"}} 1"
        ),
        format!("avenire_http_requests_total{{{route},slot=\"\",function=\"\",status=\"404\"}} 20"),
        "avenire_http_requests_total{route=\"none\",slot=\"\",function=\"\",status=\"404\"} 20"
            .to_owned(),
        "avenire_http_requests_in_flight 1".to_owned(),
        "avenire_calls_total 3".to_owned(),
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("invented"));
}
