//! Bearer tokens: who counts, for what, until when.

use avenire_server::{NewToken, Server, ServerError, new_token};
use avenire_server_tests::{Host, Rules, config};
use std::net::SocketAddr;
use std::sync::Arc;

fn entry(token: &NewToken, name: &str, more: &str) -> String {
    let sha256 = &token.sha256;
    format!("[[auth.tokens]]\nname = \"{name}\"\nsha256 = \"{sha256}\"\n{more}\n")
}

fn token() -> NewToken {
    new_token().expect("random numbers")
}

#[tokio::test]
async fn only_known_tokens_count_and_only_for_their_scopes() {
    let (mine, other) = (token(), token());
    let host = Host::start(&entry(&mine, "ci", "scopes = [\"chat.get-*\", \"chat.ping\"]")).await;
    assert_eq!(host.post_as(&mine.secret, "/v1/chat/ping", "").await.status, 200);
    assert_eq!(host.post_as(&mine.secret, "/v1/chat/getChat", "{}").await.status, 200);
    for path in ["/v1/chat/saveChat", "/v1/chat/save-chat", "/v1/chat/unknown", "/v1/auth/ping"] {
        let reply = host.post_as(&mine.secret, path, "{}").await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "forbidden"), "{path}");
        assert!(reply.header("www-authenticate").contains("insufficient_scope"));
    }
    let wrong = host.post_as(&other.secret, "/v1/chat/ping", "{}").await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (401, "unauthenticated"));
    assert!(wrong.header("www-authenticate").contains("error=\"invalid_token\""));
    let cut = mine.secret.get(..40).unwrap();
    assert_eq!(host.post_as(cut, "/v1/chat/ping", "{}").await.status, 401);
    assert_eq!(host.counts().called.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn without_a_token_nothing_but_health_is_told() {
    let mine = token();
    let host = Host::start(&entry(&mine, "ci", "scopes = [\"chat.*\"]")).await;
    for (method, path) in [
        ("POST", "/v1/chat/ping"),
        ("POST", "/v1/chat/unknown"),
        ("GET", "/v1/chat/get-chat"),
        ("DELETE", "/v1/chat/get-chat"),
        ("POST", "/v1/batch"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/"),
    ] {
        let reply = host.send(method, path, &[], "").await;
        assert_eq!((reply.status, reply.problem().as_str()), (401, "unauthenticated"), "{path}");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"avenire\"");
    }
    assert_eq!(host.get("/livez", &[]).await.status, 200);
    assert_eq!(host.get("/readyz", &[]).await.body, r#"{"status":"ready"}"#);
    let bearer = format!("bearer {}", mine.secret);
    let told = host.get("/readyz", &[("authorization", &bearer)]).await;
    assert!(told.body.contains("10.0.0.1"), "{told:?}");
}

#[tokio::test]
async fn the_header_is_one_bearer_token() {
    let mine = token();
    let host = Host::start(&entry(&mine, "ci", "scopes = [\"*\"]")).await;
    let bearer = format!("Bearer {}", mine.secret);
    let basic = format!("Basic {}", mine.secret);
    let two = format!("Bearer {0} {0}", mine.secret);
    for headers in [
        &[("authorization", basic.as_str())][..],
        &[("authorization", mine.secret.as_str())],
        &[("authorization", "Bearer ")],
        &[("authorization", two.as_str())],
        &[("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
    ] {
        let reply = host.send("POST", "/v1/chat/ping", headers, "").await;
        assert_eq!(reply.status, 401, "{headers:?}");
    }
    let query = format!("/v1/chat/get-chat?access_token={}", mine.secret);
    assert_eq!(host.get(&query, &[]).await.status, 401);
}

#[tokio::test]
async fn metrics_need_their_own_scope() {
    let (all, some, one) = (token(), token(), token());
    let text = [
        entry(&all, "all", "scopes = [\"*\"]"),
        entry(&some, "some", "scopes = [\"chat.*\"]"),
        entry(&one, "one", "scopes = [\"metrics\"]"),
    ]
    .concat();
    let host = Host::start(&text).await;
    for (token, status) in [(&all, 200), (&some, 403), (&one, 200)] {
        let bearer = format!("Bearer {}", token.secret);
        let reply = host.get("/metrics", &[("authorization", &bearer)]).await;
        assert_eq!(reply.status, status);
    }
    assert_eq!(host.post_as(&one.secret, "/v1/chat/ping", "").await.status, 403);
}

#[tokio::test]
async fn an_expired_token_is_401() {
    let mine = token();
    let more = "scopes = [\"*\"]\nexpires = \"2020-01-01T00:00:00Z\"";
    let host = Host::start(&entry(&mine, "ci", more)).await;
    let reply = host.post_as(&mine.secret, "/v1/chat/ping", "").await;
    assert_eq!(reply.status, 401);
    assert!(reply.body.contains("the token has expired"));
}

#[tokio::test]
async fn tokens_are_exchanged_while_the_server_runs() {
    let (old, new) = (token(), token());
    let scopes = "scopes = [\"*\"]";
    let host = Host::start(&entry(&old, "ci", scopes)).await;
    assert_eq!(host.post_as(&old.secret, "/v1/chat/ping", "").await.status, 200);
    host.auth.reload(&config(&entry(&new, "ci", scopes)).auth).expect("taken");
    assert_eq!(host.post_as(&old.secret, "/v1/chat/ping", "").await.status, 401);
    assert_eq!(host.post_as(&new.secret, "/v1/chat/ping", "").await.status, 200);
    let twice = [entry(&old, "ci", scopes), entry(&new, "ci", scopes)].concat();
    host.auth.reload(&config(&twice).auth).expect_err("a name twice");
    assert_eq!(host.post_as(&old.secret, "/v1/chat/ping", "").await.status, 401);
    assert_eq!(host.post_as(&new.secret, "/v1/chat/ping", "").await.status, 200);
}

#[tokio::test]
async fn without_authentication_no_other_machine_can_reach_the_server() {
    let open = [SocketAddr::from(([0, 0, 0, 0], 0))];
    let mut open_config = config("");
    open_config.listen = open.to_vec();
    let refused = Server::bind(open_config.clone(), Arc::new(Rules::default())).await;
    let error = refused.err().expect("refused");
    assert!(matches!(error, ServerError::Config(_)), "{error}");
    assert!(error.hint().contains("server.auth.tokens"), "{}", error.hint());
    let mut secured = config(&entry(&token(), "ci", "scopes = [\"*\"]"));
    secured.listen = open.to_vec();
    let server = Server::bind(secured, Arc::new(Rules::default())).await.expect("a server");
    // Nor can that be undone while it runs.
    server.auth().reload(&open_config.auth).expect_err("refused");
}

#[tokio::test]
async fn each_call_of_a_batch_needs_its_scope() {
    let mine = token();
    let host = Host::start(&entry(&mine, "ci", "scopes = [\"chat.ping\"]")).await;
    let body = r#"[{"slot":"chat","function":"ping"},{"slot":"chat","function":"save-chat"}]"#;
    let answers = host.post_as(&mine.secret, "/v1/batch", body).await.json();
    assert_eq!(answers[0]["result"]["function"], "ping");
    assert_eq!(answers[1]["problem"]["status"], 403);
    assert_eq!(*host.counts().called.lock().unwrap(), ["ping"]);
}

#[tokio::test]
async fn answers_to_known_callers_are_for_them_alone() {
    let mine = token();
    let host = Host::start(&entry(&mine, "ci", "scopes = [\"*\"]")).await;
    let bearer = format!("Bearer {}", mine.secret);
    let reply = host.get("/v1/chat/get-cached", &[("authorization", &bearer)]).await;
    assert_eq!(reply.header("cache-control"), "private, max-age=60");
    assert_eq!(reply.header("vary"), "accept, authorization");
}
