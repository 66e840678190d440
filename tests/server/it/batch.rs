//! Several calls in one request.

use avenire_server_tests::Host;

#[tokio::test]
async fn calls_are_carried_out_and_answered_in_their_order() {
    let host = Host::start("").await;
    let body = r#"[
        {"slot":"chat","function":"nap"},
        {"slot":"chat","function":"saveChat","arguments":{"title":"a"},"key":"k1"},
        {"slot":"chat","function":"fail","arguments":{}},
        {"slot":"none","function":"ping"},
        {"slot":"chat","function":"ping"}
    ]"#;
    let reply = host.post("/v1/batch", body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answers = reply.json();
    assert_eq!(answers.as_array().unwrap().len(), 5);
    assert_eq!(answers[0]["result"], "rested");
    assert_eq!(answers[1]["result"]["arguments"]["title"], "a");
    assert_eq!(answers[1]["result"]["key"], "k1");
    assert_eq!(answers[2]["problem"]["failure"]["tag"], "taken");
    assert_eq!(answers[3]["problem"]["type"], "urn:avenire:unknown-slot");
    assert_eq!(answers[4]["result"]["function"], "ping");
    let called = host.counts().called.lock().unwrap().clone();
    assert_eq!(called, ["nap", "save-chat", "fail", "ping"]);
}

#[tokio::test]
async fn a_batch_that_is_not_as_expected_is_refused_as_a_whole() {
    let host = Host::start("limits.batch = 2").await;
    let ping = r#"{"slot":"chat","function":"ping"}"#;
    for body in [
        ping.to_owned(),
        "[7]".to_owned(),
        "[{}]".to_owned(),
        format!("[{ping},{{\"slot\":\"chat\"}}]"),
        format!("[{ping},{{\"slot\":\"chat\",\"function\":\"ping\",\"more\":1}}]"),
        format!("[{ping},{{\"slot\":\"chat\",\"function\":\"ping\",\"arguments\":[]}}]"),
        format!("[{ping},{{\"slot\":\"chat\",\"function\":\"ping\",\"key\":\"\"}}]"),
        format!("[{ping},{ping},{ping}]"),
    ] {
        let reply = host.post("/v1/batch", &body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, "request"), "{body}");
    }
    let headers = [("content-type", "application/json"), ("avenire-key", "k")];
    let reply = host.send("POST", "/v1/batch", &headers, "[]").await;
    assert_eq!(reply.status, 400);
    assert!(host.counts().called.lock().unwrap().is_empty());
    assert_eq!(host.post("/v1/batch", "[]").await.body, "[]");
}

#[tokio::test]
async fn calls_that_begin_too_late_are_not_carried_out() {
    let host = Host::start("").await;
    let body = r#"[{"slot":"chat","function":"wait"},{"slot":"chat","function":"ping"}]"#;
    let headers = [("content-type", "application/json"), ("avenire-timeout", "50")];
    let answers = host.send("POST", "/v1/batch", &headers, body).await.json();
    for index in [0, 1] {
        assert_eq!(answers[index]["problem"]["type"], "urn:avenire:deadline");
    }
    assert_eq!(*host.counts().called.lock().unwrap(), ["wait"]);
}

#[tokio::test]
async fn the_answer_of_a_batch_is_limited() {
    let host = Host::start("limits.request-time = \"5min\"").await;
    let big = r#"{"slot":"chat","function":"big","arguments":{"bytes":20000000}}"#;
    let reply = host.post("/v1/batch", &format!("[{big},{big}]")).await;
    let answers = reply.json();
    assert_eq!(answers[0]["result"].as_str().unwrap().len(), 20_000_000);
    assert_eq!(answers[1]["problem"]["type"], "urn:avenire:limit");
}
