//! JWTs: which ones count, and where the keys come from.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use avenire_server_tests::{Host, Issuer, KeyServer, RsaKey, jwt, plain_jwt};
use aws_lc_rs::hmac;
use serde_json::{Value, json};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}

fn claims() -> Value {
    json!({"iss": "https://id.test", "aud": "avenire", "sub": "u1", "exp": now() + 600})
}

/// The claims with one of them changed; `null` takes it out.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().expect("an object");
    object.remove(name);
    if !value.is_null() {
        object.insert(name.to_owned(), value);
    }
    claims
}

fn config(keys: &str, more: &str) -> String {
    format!(
        "[[auth.jwt]]\nissuer = \"https://id.test\"\naudience = [\"avenire\", \"other\"]\n\
         algorithms = [\"ES256\", \"RS256\"]\nkeys = {keys}\nscopes = [\"chat.*\"]\n{more}\n"
    )
}

fn served(server: &KeyServer, more: &str) -> String {
    config(&format!("{{ jwks-url = \"http://{}/keys\" }}", server.address), more)
}

async fn status(host: &Host, token: &str) -> u16 {
    host.post_as(token, "/v1/chat/ping", "").await.status
}

#[tokio::test]
async fn a_token_of_the_issuer_counts() {
    let (issuer, rsa) = (Issuer::new("k1"), RsaKey::default());
    let server = KeyServer::start(&[issuer.jwk(), rsa.jwk("k2")]).await;
    let host = Host::start(&served(&server, "")).await;
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200);
    assert_eq!(status(&host, &rsa.token("k2", &claims())).await, 200);
    let several = with("aud", json!(["x", "avenire"]));
    assert_eq!(status(&host, &issuer.token(&several)).await, 200);
    let soon = with("exp", json!(now() - 10));
    assert_eq!(status(&host, &issuer.token(&soon)).await, 200, "within the leeway");
    let typed = json!({"alg": "ES256", "typ": "at+JWT", "kid": "k1"});
    assert_eq!(status(&host, &issuer.signed(&typed, &claims())).await, 200);
    assert_eq!(server.hits(), 1, "keys are kept");
    let reply = host.post_as(&issuer.token(&claims()), "/v1/auth/ping", "").await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn claims_that_are_wrong_or_missing_do_not_count() {
    let issuer = Issuer::new("k1");
    let server = KeyServer::start(&[issuer.jwk()]).await;
    let host = Host::start(&served(&server, "")).await;
    for claims in [
        with("exp", json!(now() - 60)),
        with("exp", Value::Null),
        with("exp", json!(format!("{}", now() + 600))),
        with("exp", json!(-1)),
        with("nbf", json!(now() + 60)),
        with("nbf", json!("soon")),
        with("aud", json!("avenir")),
        with("aud", json!(["x"])),
        with("aud", json!({"avenire": true})),
        with("aud", Value::Null),
        with("iss", json!("https://evil.test")),
        with("iss", json!(["https://id.test"])),
        with("iss", Value::Null),
    ] {
        let reply = host.post_as(&issuer.token(&claims), "/v1/chat/ping", "").await;
        assert_eq!((reply.status, reply.problem().as_str()), (401, "unauthenticated"), "{claims}");
    }
    assert_eq!(status(&host, &issuer.token(&with("nbf", json!(now() + 5)))).await, 200);
}

#[tokio::test]
async fn a_token_does_not_choose_how_it_is_checked() {
    let (issuer, stranger) = (Issuer::new("k1"), Issuer::new("k1"));
    let server = KeyServer::start(&[issuer.jwk()]).await;
    let host = Host::start(&served(&server, "")).await;
    let pem = issuer.pem();
    let secret = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
    let hs256 = json!({"alg": "HS256", "kid": "k1"}).to_string();
    let confused = jwt(&hs256, &claims().to_string(), |message| {
        hmac::sign(&secret, message).as_ref().to_vec()
    });
    let embedded = json!({"alg": "ES256", "kid": "k1", "jwk": stranger.jwk()});
    let linked = json!({"alg": "ES256", "kid": "k1", "jku": "https://evil.test/keys"});
    let critical = json!({"alg": "ES256", "kid": "k1", "crit": ["exp"]});
    let logout = json!({"alg": "ES256", "kid": "k1", "typ": "logout+jwt"});
    let rs256 = json!({"alg": "RS256", "kid": "k1"});
    let good = issuer.token(&claims());
    let twice = format!("{{\"sub\":\"u2\",{}", claims().to_string().split_off(1));
    let twice = twice.replace("\"sub\":\"u1\"", "\"sub\":\"u1\",\"sub\":\"u3\"");
    let duplicate = issuer.signed_text(r#"{"alg":"ES256","kid":"k1"}"#, &twice);
    for (what, token) in [
        ("none", plain_jwt(&json!({"alg": "none", "kid": "k1"}), &claims())),
        ("None", plain_jwt(&json!({"alg": "None", "kid": "k1"}), &claims())),
        ("no algorithm", plain_jwt(&json!({"kid": "k1"}), &claims())),
        ("the public key as a secret", confused),
        ("another family", issuer.signed(&rs256, &claims())),
        ("a stranger's key", stranger.token(&claims())),
        ("a key in the token", stranger.signed(&embedded, &claims())),
        ("a link in the token", stranger.signed(&linked, &claims())),
        ("an extension", issuer.signed(&critical, &claims())),
        ("another purpose", issuer.signed(&logout, &claims())),
        ("a claim twice", duplicate),
        ("no signature", good.rsplit_once('.').map(|(m, _)| format!("{m}.")).unwrap()),
        ("another message", format!("{good}x")),
        ("four parts", format!("{good}.x")),
        ("two parts", "a.b".to_owned()),
        ("dots", "..".to_owned()),
        ("long", format!("{good}{}", "a".repeat(9000))),
    ] {
        assert_eq!(status(&host, &token).await, 401, "{what}");
    }
    assert_eq!(status(&host, &good).await, 200);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_in_a_while() {
    let (first, second, stranger) = (Issuer::new("k1"), Issuer::new("k2"), Issuer::new("k3"));
    let server = KeyServer::start(&[first.jwk()]).await;
    let host = Host::start(&served(&server, "retry = \"1h\"")).await;
    assert_eq!(status(&host, &first.token(&claims())).await, 200);
    server.set(&[first.jwk(), second.jwk()]);
    for _ in 0..20 {
        assert_eq!(status(&host, &stranger.token(&claims())).await, 401);
    }
    assert_eq!(server.hits(), 1, "a flood of unknown keys is no flood at the issuer");

    let eager = Host::start(&served(&server, "retry = \"0ms\"")).await;
    server.set(&[first.jwk()]);
    assert_eq!(status(&eager, &first.token(&claims())).await, 200);
    server.set(&[second.jwk()]);
    assert_eq!(status(&eager, &second.token(&claims())).await, 200);
    assert_eq!(status(&eager, &first.token(&claims())).await, 401, "a key that is gone is gone");
}

#[tokio::test]
async fn known_keys_go_on_while_the_issuer_does_not_answer() {
    let issuer = Issuer::new("k1");
    let server = KeyServer::start(&[issuer.jwk()]).await;
    let more = "refresh = \"0ms\"\nretry = \"0ms\"";
    let host = Host::start(&served(&server, more)).await;
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200);
    server.fail();
    let asked = server.hits();
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200);
    assert!(server.hits() > asked);
    let impatient = Host::start(&served(&server, more)).await;
    let reply = impatient.post_as(&issuer.token(&claims()), "/v1/chat/ping", "").await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "unavailable"));
    server.set(&[issuer.jwk()]);
    assert_eq!(status(&impatient, &issuer.token(&claims())).await, 200);
}

#[tokio::test]
async fn a_key_that_can_not_be_used_does_not_spoil_the_others() {
    let issuer = Issuer::new("k1");
    let mut for_encryption = Issuer::new("k2").jwk();
    for_encryption["use"] = json!("enc");
    let symmetric = json!({"kty": "oct", "kid": "k3", "k": "c2VjcmV0", "alg": "HS256"});
    let server = KeyServer::start(&[
        json!({"kty": "new"}),
        json!(7),
        for_encryption,
        symmetric,
        issuer.jwk(),
    ])
    .await;
    let host = Host::start(&served(&server, "")).await;
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200);
    let without_id = json!({"alg": "ES256"});
    assert_eq!(
        status(&host, &issuer.signed(&without_id, &claims())).await,
        200,
        "there is one only"
    );
}

#[tokio::test]
async fn keys_come_from_files_too() {
    let issuer = Issuer::new("k1");
    let file = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    };
    let pem = file(&issuer.pem());
    let host = Host::start(&config(&format!("{{ pem-file = {:?} }}", pem.path()), "")).await;
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200);
    assert_eq!(status(&host, &Issuer::new("k1").token(&claims())).await, 401);
    let set = file(&json!({"keys": [issuer.jwk()]}).to_string());
    let from_set = config(&format!("{{ jwks-file = {:?} }}", set.path()), "");
    let host = Host::start(&from_set).await;
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200);
    let nothing = config("{ jwks-file = \"/nowhere/keys.json\" }", "");
    let error =
        host.auth.reload(&avenire_server_tests::config(&nothing).auth).expect_err("refused");
    assert!(error.to_string().contains("/nowhere/keys.json"), "{error}");
    assert_eq!(status(&host, &issuer.token(&claims())).await, 200, "the former ones stay");
}

#[tokio::test]
async fn scopes_of_a_claim_add_to_the_issuers() {
    let issuer = Issuer::new("k1");
    let server = KeyServer::start(&[issuer.jwk()]).await;
    let host = Host::start(&served(&server, "scopes-claim = \"scope\"")).await;
    let bearer = |claims: &Value| format!("Bearer {}", issuer.token(claims));
    let plain = host.get("/metrics", &[("authorization", &bearer(&claims()))]).await;
    let more = host
        .get("/metrics", &[("authorization", &bearer(&with("scope", json!("openid metrics"))))])
        .await;
    assert_eq!((plain.status, more.status), (403, 200));
}
