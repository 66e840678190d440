//! The form of requests: JSON, media types, and requests that mean to be read in two ways.

use avenire_server_tests::{Host, Raw};

#[tokio::test]
async fn json_that_can_be_read_in_two_ways_is_refused() {
    let host = Host::start("").await;
    for body in [
        r#"{"title":"a","title":"b"}"#,
        r#"{"data":{"a":1,"\u0061":2}}"#,
        r#"{"data":{"$serde_json::private::Number":"1"}}"#,
        r#"{"data":{"$serde_json::private::RawValue":"1"}}"#,
        r#"{"title":"a"} {"title":"b"}"#,
        r#"{"title":NaN}"#,
        "[]",
        r#""text""#,
        "{",
        "\u{feff}{}",
    ] {
        let reply = host.post("/v1/chat/save-chat", body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, "json"), "{body}");
    }
    assert!(host.counts().called.lock().unwrap().is_empty());
}

#[tokio::test]
async fn json_that_is_nested_too_deeply_is_refused() {
    let host = Host::start("limits.json-depth = 10").await;
    let nested = |levels| format!("{{\"data\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(host.post("/v1/chat/save-chat", &nested(9)).await.status, 200);
    for levels in [10, 100_000] {
        let reply = host.post("/v1/chat/save-chat", &nested(levels)).await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, "json"), "{levels}");
    }
}

#[tokio::test]
async fn arguments_that_no_parameter_has_are_refused() {
    let host = Host::start("").await;
    let reply = host.post("/v1/chat/save-chat", r#"{"titel":"a"}"#).await;
    assert_eq!((reply.status, reply.problem().as_str()), (400, "arguments"));
    assert_eq!(reply.json()["hint"], "did you mean title?");
}

#[tokio::test]
async fn a_body_is_declared_to_be_json() {
    let host = Host::start("").await;
    for fine in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
    ] {
        let reply = host.send("POST", "/v1/chat/save-chat", &[("content-type", fine)], "{}").await;
        assert_eq!(reply.status, 200, "{fine}");
    }
    let json = ("content-type", "application/json");
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "application/json; charset=latin1")],
        &[("content-type", "application/jsonp")],
        &[json, json],
        &[json, ("content-encoding", "gzip")],
    ] {
        let reply = host.send("POST", "/v1/chat/save-chat", headers, "{}").await;
        assert_eq!((reply.status, reply.problem().as_str()), (415, "media-type"), "{headers:?}");
    }
}

#[tokio::test]
async fn arguments_stand_in_one_place() {
    let host = Host::start("").await;
    let reply = host.post("/v1/chat/save-chat?title=b", r#"{"title":"a"}"#).await;
    assert_eq!((reply.status, reply.problem().as_str()), (400, "request"));
    let json = [("content-type", "application/json")];
    let reply = host.send("GET", "/v1/chat/get-chat", &json, r#"{"chatId":"a"}"#).await;
    assert_eq!((reply.status, reply.problem().as_str()), (400, "request"));
}

#[tokio::test]
async fn an_answer_that_can_not_be_accepted_is_406() {
    let host = Host::start("").await;
    let reply = host.send("POST", "/v1/chat/ping", &[("accept", "text/html")], "").await;
    assert_eq!((reply.status, reply.problem().as_str()), (406, "not-acceptable"));
    assert_eq!(host.counts().called.lock().unwrap().len(), 0);
}

/// A request that one reader takes for one and another one for two.
fn smuggling(headers: &str, body: &str) -> String {
    format!(
        "POST /v1/chat/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         {headers}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_request_whose_length_is_in_doubt_is_refused_and_its_connection_closed() {
    let host = Host::start("").await;
    let hidden = "POST /v1/chat/nap HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    for headers in [
        "Content-Length: 2\r\nContent-Length: 100",
        "Content-Length: +2",
        "Content-Length: 2, 3",
        "Content-Length: 0x2",
        "Content-Length : 2",
        "Content-Length: 2\r\n Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding\u{b}: chunked",
        "Transfer-Encoding:\u{b}chunked",
    ] {
        let mut raw = Raw::connect(host.address).await;
        raw.write(&smuggling(headers, &format!("{{}}{hidden}"))).await;
        let answers = raw.rest().await;
        assert!(answers.starts_with("HTTP/1.1 400 "), "{headers}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{headers}: {answers}");
    }
    let called = host.counts().called.lock().unwrap().clone();
    assert!(called.is_empty(), "{called:?}");
}

#[tokio::test]
async fn chunks_count_and_never_a_length_beside_them() {
    let host = Host::start("").await;
    let chunked = "2\r\n{}\r\n0\r\n\r\n";
    for headers in [
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
    ] {
        let mut raw = Raw::connect(host.address).await;
        raw.write(&smuggling(&format!("{headers}\r\nConnection: close"), chunked)).await;
        let answers = raw.rest().await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
        assert!(answers.starts_with("HTTP/1.1 200 "), "{answers}");
    }
    for damaged in
        ["2;\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"]
    {
        let mut raw = Raw::connect(host.address).await;
        raw.write(&smuggling("Transfer-Encoding: chunked\r\nConnection: close", damaged)).await;
        let answers = raw.rest().await;
        assert!(!answers.contains(" 200 "), "{damaged:?}: {answers}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let host = Host::start("").await;
    for text in [
        "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let mut raw = Raw::connect(host.address).await;
        raw.write(text).await;
        let answer = raw.rest().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{text:?}: {answer}");
    }
    assert_eq!(host.get("/livez", &[]).await.status, 200);
}
