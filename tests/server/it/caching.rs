//! What caches may do with answers.

use avenire_server_tests::Host;

#[tokio::test]
async fn who_has_the_answer_already_gets_304() {
    let host = Host::start("").await;
    let first = host.get("/v1/chat/get-cached", &[]).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
    assert_eq!(first.header("cache-control"), "public, max-age=60");
    assert_eq!(first.header("vary"), "accept");
    // The deadline is part of this function's answer, which makes it another one each time.
    let constant = "/v1/chat/big?bytes=10";
    let tag = host.get(constant, &[]).await.header("etag").to_owned();
    for sent in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let reply = host.get(constant, &[("if-none-match", &sent)]).await;
        assert_eq!((reply.status, reply.body.as_str()), (304, ""), "{sent}");
        assert_eq!(
            (reply.header("etag"), reply.header("cache-control")),
            (tag.as_str(), "no-cache")
        );
    }
    let other = host.get(constant, &[("if-none-match", "\"x\"")]).await;
    assert_eq!((other.status, other.body.as_str()), (200, "\"xxxxxxxxxx\""));
    let posted = host.post("/v1/chat/big", r#"{"bytes":10}"#).await;
    assert_eq!((posted.header("etag"), posted.header("cache-control")), ("", "no-store"));
}

#[tokio::test]
async fn a_head_has_the_headers_of_a_get_and_no_body() {
    let host = Host::start("").await;
    let got = host.get("/v1/chat/big?bytes=10", &[]).await;
    let asked = host.send("HEAD", "/v1/chat/big?bytes=10", &[], "").await;
    assert_eq!((asked.status, asked.body.as_str()), (200, ""));
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(asked.header(name), got.header(name), "{name}");
    }
}

#[tokio::test]
async fn problems_are_not_kept() {
    let host = Host::start("").await;
    let reply = host.get("/v1/chat/get-chat?chatId=1&chatId=2", &[]).await;
    assert_eq!((reply.status, reply.header("cache-control")), (400, "no-store"));
}
