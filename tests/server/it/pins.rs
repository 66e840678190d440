//! What a caller's claims decide of its calls.

use std::time::{SystemTime, UNIX_EPOCH};

use avenire_server_tests::{Host, Issuer, KeyServer};
use serde_json::{Value, json};

struct Ground {
    host: Host,
    issuer: Issuer,
    _keys: KeyServer,
}

async fn ground(rules: &str) -> Ground {
    let issuer = Issuer::new("k1");
    let keys = KeyServer::start(&[issuer.jwk()]).await;
    let host = Host::start(&format!(
        "[[auth.jwt]]\nissuer = \"i\"\naudience = [\"a\"]\nalgorithms = [\"ES256\"]\n\
         keys = {{ jwks-url = \"http://{}/\" }}\nscopes = [\"chat.*\"]\n{rules}\n",
        keys.address
    ))
    .await;
    Ground { host, issuer, _keys: keys }
}

impl Ground {
    fn token(&self, more: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let mut claims = json!({"iss": "i", "aud": "a", "exp": now + 600});
        let more = more.as_object().expect("an object").clone();
        claims.as_object_mut().expect("an object").extend(more);
        self.issuer.token(&claims)
    }
}

#[tokio::test]
async fn a_pinned_argument_is_the_claim_whatever_the_caller_sends() {
    let ground = ground("pins = { \"chat.*-chat\" = { userId = \"sub\" } }").await;
    let token = ground.token(&json!({"sub": "u1"}));
    for body in ["{}", r#"{"userId":"u1"}"#] {
        let reply = ground.host.post_as(&token, "/v1/chat/save-chat", body).await;
        assert_eq!(reply.json()["arguments"], json!({"userId": "u1"}), "{body}");
    }
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let read = ground.host.get("/v1/chat/getChat?chatId=7", &headers).await;
    assert_eq!(read.json()["arguments"], json!({"chatId": "7", "userId": "u1"}));
    let foreign = ground.host.get("/v1/chat/getChat?userId=u2", &headers).await;
    assert_eq!((foreign.status, foreign.problem().as_str()), (403, "pinned"));
    for body in [r#"{"userId":"u2"}"#, r#"{"user-id":"u2"}"#, r#"{"UserId":"u2"}"#] {
        let reply = ground.host.post_as(&token, "/v1/chat/saveChat", body).await;
        assert!(matches!(reply.status, 400 | 403), "{body}: {reply:?}");
    }
    let batch = r#"[{"slot":"chat","function":"saveChat","arguments":{"userId":"u2"}},
        {"slot":"chat","function":"saveChat"}]"#;
    let answers = ground.host.post_as(&token, "/v1/batch", batch).await.json();
    assert_eq!(answers[0]["problem"]["type"], "urn:avenire:pinned");
    assert_eq!(answers[1]["result"]["arguments"]["userId"], "u1");
    let nobody = ground.token(&json!({}));
    assert_eq!(ground.host.post_as(&nobody, "/v1/chat/saveChat", "{}").await.status, 403);
    assert_eq!(ground.host.post_as(&nobody, "/v1/chat/ping", "").await.status, 200);
}

#[tokio::test]
async fn a_pinned_function_without_that_parameter_is_refused_unless_said_otherwise() {
    let pins = "pins = { \"chat.*\" = { userId = \"sub\" } }";
    let strict = ground(pins).await;
    let token = strict.token(&json!({"sub": "u1"}));
    let reply = strict.host.post_as(&token, "/v1/chat/ping", "").await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "forbidden"));
    let lenient = ground(&format!("{pins}\npin-missing = \"ignore\"")).await;
    let token = lenient.token(&json!({"sub": "u1"}));
    assert_eq!(lenient.host.post_as(&token, "/v1/chat/ping", "").await.status, 200);
}

#[tokio::test]
async fn settings_and_role_come_from_claims() {
    let ground = ground(
        "settings = { \"app.user_id\" = \"sub\" }\nroles = { \"chat.get-*\" = \"role\" }\n\
         allowed-roles = [\"reader\"]",
    )
    .await;
    let token = ground.token(&json!({"sub": "u'1", "role": "reader"}));
    let seen = ground.host.post_as(&token, "/v1/chat/get-chat", "{}").await.json();
    assert_eq!(seen["settings"], json!([["app.user_id", "u'1"]]));
    assert_eq!(seen["role"], "reader");
    let other = ground.host.post_as(&token, "/v1/chat/save-chat", "{}").await.json();
    assert_eq!(other["role"], Value::Null);
    let admin = ground.token(&json!({"sub": "u1", "role": "postgres"}));
    assert_eq!(ground.host.post_as(&admin, "/v1/chat/get-chat", "{}").await.status, 403);
    let nobody = ground.token(&json!({"role": "reader"}));
    assert_eq!(ground.host.post_as(&nobody, "/v1/chat/save-chat", "{}").await.status, 403);
}
