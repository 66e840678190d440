//! Web pages as callers, hosts with other names, and the server's own page.

use avenire_server_tests::{Host, Raw};

const CORS: &str = "cors.origins = [\"https://app.example\"]";

#[tokio::test]
async fn pages_of_allowed_origins_may_call() {
    let host = Host::start(CORS).await;
    let origin = ("origin", "https://app.example");
    let asked = [
        origin,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,authorization"),
    ];
    let preflight = host.send("OPTIONS", "/v1/chat/ping", &asked, "").await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://app.example");
    assert!(preflight.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(preflight.header("access-control-allow-credentials"), "");
    let reply = host.send("POST", "/v1/chat/ping", &[origin], "").await;
    assert_eq!(
        (reply.status, reply.header("access-control-allow-origin")),
        (200, "https://app.example")
    );
    let problem = host.send("POST", "/v1/chat/fail", &[origin], "").await;
    assert_eq!(problem.header("access-control-allow-origin"), "https://app.example");
}

#[tokio::test]
async fn pages_of_other_origins_may_not_even_with_simple_requests() {
    for config in ["", CORS] {
        let host = Host::start(config).await;
        for origin in ["https://evil.example", "null", "https://app.example.evil.example"] {
            let reply = host.send("POST", "/v1/chat/ping", &[("origin", origin)], "").await;
            assert_eq!((reply.status, reply.problem().as_str()), (403, "origin"), "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), "");
            let asked = [("origin", origin), ("access-control-request-method", "POST")];
            let preflight = host.send("OPTIONS", "/v1/chat/ping", &asked, "").await;
            assert_eq!(preflight.header("access-control-allow-origin"), "");
        }
        let image = [("sec-fetch-site", "cross-site")];
        assert_eq!(host.get("/v1/chat/get-chat", &image).await.status, 403);
        assert!(host.counts().called.lock().unwrap().is_empty());
        let own = format!("http://{}", host.address);
        assert_eq!(host.send("POST", "/v1/chat/ping", &[("origin", &own)], "").await.status, 200);
    }
}

#[tokio::test]
async fn on_loopback_a_foreign_name_is_not_served() {
    let host = Host::start("").await;
    for name in ["evil.example", "evil.example:80", "127.0.0.1.evil.example"] {
        for path in ["/v1/chat/ping", "/openapi.json", "/", "/metrics", "/livez"] {
            let reply = host.get(path, &[("host", name)]).await;
            assert_eq!((reply.status, reply.problem().as_str()), (421, "host"), "{name} {path}");
        }
    }
    assert_eq!(host.get("/livez", &[("host", "localhost")]).await.status, 200);
    let named = Host::start("hosts = [\"db.internal\"]").await;
    assert_eq!(named.get("/livez", &[("host", "db.internal:7700")]).await.status, 200);
    for request in [
        "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: a@localhost\r\nConnection: close\r\n\r\n",
    ] {
        let mut raw = Raw::connect(host.address).await;
        raw.write(request).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
    }
    let mut raw = Raw::connect(host.address).await;
    raw.write(
        "GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(raw.rest().await.starts_with("HTTP/1.1 421 "));
}

#[tokio::test]
async fn the_page_is_one_document_without_scripts() {
    let host = Host::start("").await;
    let page = host.get("/", &[]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains("GET /v1/chat/get-chat") && page.body.contains("A &lt;chat&gt;"));
    assert!(!page.body.contains("<script") && !page.body.contains("http://"), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let document = host.get("/openapi.json", &[]).await;
    assert_eq!(document.json()["openapi"], "3.1.0");
    let tag = document.header("etag").to_owned();
    assert_eq!(host.get("/openapi.json", &[("if-none-match", &tag)]).await.status, 304);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_safe() {
    let host = Host::start("").await;
    for (method, path) in
        [("POST", "/v1/chat/ping"), ("GET", "/nowhere"), ("GET", "/livez"), ("PUT", "/")]
    {
        let reply = host.send(method, path, &[], "").await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert!(
            reply.header("content-security-policy").starts_with("default-src 'none'"),
            "{path}"
        );
    }
}
