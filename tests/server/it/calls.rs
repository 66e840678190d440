//! Calls: what reaches the function, and what its caller is told.

use avenire_server_tests::Host;
use serde_json::json;

#[tokio::test]
async fn a_post_calls_the_function_with_its_named_arguments() {
    let host = Host::start("").await;
    for path in ["/v1/chat/save-chat", "/v1/chat/saveChat", "/v1/chat/save%2Dchat"] {
        let body = r#"{"title":"a","data":{"n":12345678901234567890.10}}"#;
        let reply = host.post(path, body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.json()["function"], "save-chat");
        assert!(reply.body.contains(r#"{"title":"a","data":{"n":12345678901234567890.10}}"#));
        assert_eq!(reply.header("avenire-generation"), "7");
        assert_eq!(reply.header("server-timing"), "queue;dur=1.000, call;dur=2.000");
        assert_eq!(reply.header("avenire-usage"), "statements=1, rows=2, bytes=3");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn an_empty_body_is_no_arguments() {
    let host = Host::start("").await;
    let reply = host.send("POST", "/v1/chat/ping", &[], "").await;
    assert_eq!((reply.status, &reply.json()["arguments"]), (200, &json!({})));
}

#[tokio::test]
async fn a_get_reads_its_arguments_from_the_query() {
    let host = Host::start("").await;
    let reply = host.get("/v1/chat/getChat?chatId=7&limit=20", &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["arguments"], json!({"chatId": "7", "limit": 20}));
    let reply = host.get("/v1/chat/get-chat?chatid=7", &[]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (400, "arguments"));
    assert_eq!(reply.json()["hint"], "did you mean chatId?");
}

#[tokio::test]
async fn what_a_caller_says_of_a_call_reaches_it() {
    let host = Host::start("").await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [
        ("avenire-key", "key-1"),
        ("avenire-fresh", "true"),
        ("avenire-timeout", "5000"),
        ("traceparent", trace),
        ("tracestate", "vendor=1"),
    ];
    let seen = host.send("POST", "/v1/chat/ping", &headers, "").await.json();
    assert_eq!((&seen["key"], &seen["fresh"]), (&json!("key-1"), &json!(true)));
    assert_eq!((&seen["trace"], &seen["state"]), (&json!(trace), &json!("vendor=1")));
    let millis = seen["millis"].as_u64().unwrap();
    assert!(millis <= 5000, "{millis}");
    let plain = host.send("POST", "/v1/chat/ping", &[("traceparent", "00-zz")], "").await.json();
    assert_eq!(
        (&plain["key"], &plain["fresh"], &plain["trace"]),
        (&json!(null), &json!(false), &json!(null))
    );
    for header in ["avenire-key", "avenire-fresh", "avenire-timeout"] {
        let reply = host.send("POST", "/v1/chat/ping", &[(header, "?? ??")], "").await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, "request"), "{header}");
    }
}

#[tokio::test]
async fn a_failure_of_the_function_is_its_own_typed_error() {
    let host = Host::start("").await;
    let reply = host.send("POST", "/v1/chat/fail", &[], "").await;
    assert_eq!((reply.status, reply.problem().as_str()), (422, "failure"));
    assert_eq!(reply.json()["failure"], json!({"tag": "taken"}));
}

#[tokio::test]
async fn unknown_names_are_404_with_the_nearest() {
    let host = Host::start("").await;
    let slot = host.post("/v1/chta/ping", "{}").await;
    assert_eq!((slot.status, slot.problem().as_str()), (404, "unknown-slot"));
    let function = host.post("/v1/chat/getCaht", "{}").await;
    assert_eq!((function.status, function.problem().as_str()), (404, "unknown-function"));
    assert!(function.body.contains("chat has no function get-caht; the nearest is get-chat."));
    for path in ["/v1/chat", "/v1/chat/ping/more", "/v2/chat/ping", "/v1/chat/ping/"] {
        let reply = host.post(path, "{}").await;
        assert_eq!((reply.status, reply.problem().as_str()), (404, "not-found"), "{path}");
    }
    let long = host.post(&format!("/v1/chat/{}", "x".repeat(500)), "{}").await;
    assert_eq!((long.status, long.problem().as_str()), (404, "unknown-function"));
    let bytes = host.post("/v1/chat/%ff", "{}").await;
    assert_eq!((bytes.status, bytes.problem().as_str()), (400, "request"));
}

#[tokio::test]
async fn other_methods_are_405_and_say_which_are_offered() {
    let host = Host::start("").await;
    for (method, path, allow) in [
        ("GET", "/v1/chat/save-chat", "POST"),
        ("PUT", "/v1/chat/save-chat", "POST"),
        ("DELETE", "/v1/chat/get-chat", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/chat/get-chat", "GET, HEAD, POST"),
        ("BREW", "/v1/chat/get-chat", "GET, HEAD, POST"),
        ("GET", "/v1/batch", "POST"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("POST", "/livez", "GET, HEAD"),
    ] {
        let reply = host.send(method, path, &[], "").await;
        assert_eq!((reply.status, reply.header("allow")), (405, allow), "{method} {path}");
        assert_eq!(reply.problem(), "method");
    }
}

#[tokio::test]
async fn an_error_of_the_database_has_the_status_of_its_sqlstate() {
    let host = Host::start("").await;
    for (sqlstate, status, blame) in [
        ("23505", 409, "caller"),
        ("23503", 409, "caller"),
        ("42501", 403, "caller"),
        ("25006", 405, "component"),
        ("08006", 503, "database"),
        ("53300", 503, "database"),
        ("40001", 503, "database"),
        ("42P01", 500, "component"),
        ("57014", 504, "database"),
    ] {
        let body = format!(r#"{{"sqlstate":"{sqlstate}"}}"#);
        let reply = host.post("/v1/chat/database", &body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (status, "database"), "{sqlstate}");
        let document = reply.json();
        assert_eq!((&document["sqlstate"], &document["blame"]), (&json!(sqlstate), &json!(blame)));
        assert_eq!(document["constraint"], "message_pkey");
        assert_eq!(reply.header("retry-after").is_empty(), status != 503, "{sqlstate}");
        assert_eq!(reply.header("allow").is_empty(), status != 405, "{sqlstate}");
    }
}

#[tokio::test]
async fn a_panic_is_500_and_the_next_call_is_answered() {
    let host = Host::start("").await;
    let reply = host.send("POST", "/v1/chat/crash", &[], "").await;
    assert_eq!((reply.status, reply.problem().as_str()), (500, "internal"));
    assert!(!reply.body.contains("as asked for"));
    assert_eq!(host.send("POST", "/v1/chat/ping", &[], "").await.status, 200);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_504_and_cancelled() {
    let host = Host::start("").await;
    let reply = host.send("POST", "/v1/chat/wait", &[("avenire-timeout", "50")], "").await;
    assert_eq!((reply.status, reply.problem().as_str()), (504, "deadline"));
    host.cancelled(1).await;
}

#[tokio::test]
async fn a_caller_can_not_ask_for_more_time_than_there_is() {
    let host = Host::start("limits.request-time = \"100ms\"").await;
    let reply = host.send("POST", "/v1/chat/wait", &[("avenire-timeout", "3600000")], "").await;
    assert_eq!(reply.status, 504);
}
