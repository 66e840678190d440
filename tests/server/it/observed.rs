//! Request ids, logs, and requests that nobody waits for.

use avenire_server::new_token;
use avenire_server_tests::{Host, Log, Raw, until};

#[tokio::test]
async fn a_request_id_is_echoed_and_a_malformed_one_replaced() {
    let host = Host::start("").await;
    let echoed = host.send("POST", "/v1/chat/fail", &[("x-request-id", "abc-1.2:3_4")], "").await;
    assert_eq!(echoed.header("x-request-id"), "abc-1.2:3_4");
    assert_eq!(echoed.json()["instance"], "urn:avenire:request:abc-1.2:3_4");
    for wrong in ["a b", "<script>", &"x".repeat(200)] {
        let id = host.get("/livez", &[("x-request-id", wrong)]).await;
        assert_eq!(id.header("x-request-id").len(), 32, "{wrong}");
    }
}

#[tokio::test]
async fn the_log_names_the_request_and_never_what_is_in_it() {
    let log = Log::capture();
    let token = new_token().expect("random numbers");
    let host = Host::start(&format!(
        "[[auth.tokens]]\nname = \"ci\"\nsha256 = \"{}\"\nscopes = [\"*\"]\n",
        token.sha256
    ))
    .await;
    let bearer = format!("Bearer {}", token.secret);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("x-request-id", "seen-1"),
        ("traceparent", trace),
        ("avenire-key", "key-hush"),
    ];
    let body = r#"{"title":"argument-hush"}"#;
    host.send("POST", "/v1/chat/saveChat", &headers, body).await;
    host.send("POST", "/v1/chat/save-chat", &headers, r#"{"argument-hush":1}"#).await;
    host.send("POST", "/v1/chat/fail", &headers, "").await;
    host.send("POST", "/v1/chat/unknown-hush", &headers, "{}").await;
    host.send("POST", "/path-hush", &headers, "{}").await;
    host.get("/v1/chat/get-chat?chatId=query-hush", &headers[..1]).await;
    host.post_as("avn_wrong-hush", "/v1/chat/ping", "{}").await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("answered")).expect(&text);
    for part in [
        "request_id=\"seen-1\"",
        "route=\"/v1/{slot}/{function}\"",
        "slot=\"chat\"",
        "function=\"save-chat\"",
        "status=200",
        "milliseconds=",
        "trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(text.contains("urn:avenire:failure") && text.contains("urn:avenire:unauthenticated"));
    for secret in [token.secret.as_str(), "hush"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn a_caller_who_went_away_is_counted_and_logged() {
    let log = Log::capture();
    let host = Host::start("").await;
    let mut raw = Raw::connect(host.address).await;
    raw.write("POST /v1/chat/wait HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    host.begun(1).await;
    drop(raw);
    until("it is logged", || log.text().contains("the caller went away")).await;
    let metrics = host.get("/metrics", &[]).await.body;
    assert!(metrics.contains("function=\"wait\",status=\"499\"} 1"), "{metrics}");
}
