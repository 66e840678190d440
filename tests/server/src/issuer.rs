//! An issuer of JWTs with keys of its own, and a server for its key set.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What comes before a P-256 point in a public key's DER.
const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";

/// An issuer with one P-256 key.
pub struct Issuer {
    /// The id of its key.
    pub id: String,
    key: EcdsaKeyPair,
}

impl Issuer {
    /// With a new key.
    pub fn new(id: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { id: id.to_owned(), key }
    }

    fn point(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// Its public key for a key set.
    pub fn jwk(&self) -> Value {
        let coordinate =
            |from, to| URL_SAFE_NO_PAD.encode(self.point().get(from..to).expect("a point"));
        json!({"kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "alg": "ES256",
            "x": coordinate(1, 33), "y": coordinate(33, 65)})
    }

    /// Its public key in PEM.
    pub fn pem(&self) -> String {
        // The prefix ends in the byte that the point begins with.
        let mut der = STANDARD.decode(P256).expect("base64");
        der.pop();
        der.extend_from_slice(self.point());
        let text = STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    /// A token of these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"alg": "ES256", "typ": "JWT", "kid": self.id}), claims)
    }

    /// A token of any header and claims.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_text(&header.to_string(), &claims.to_string())
    }

    /// A token of the very texts.
    pub fn signed_text(&self, header: &str, claims: &str) -> String {
        jwt(header, claims, |message| {
            self.key.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
        })
    }
}

/// A token of the very texts, signed by whatever.
pub fn jwt(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token without a signature.
pub fn plain_jwt(header: &Value, claims: &Value) -> String {
    jwt(&header.to_string(), &claims.to_string(), |_| Vec::new())
}

/// An RSA key of 2048 bits.
pub struct RsaKey(RsaPair);

impl Default for RsaKey {
    fn default() -> Self {
        Self(RsaPair::generate(KeySize::Rsa2048).expect("a key"))
    }
}

impl RsaKey {
    /// Its public key for a key set.
    pub fn jwk(&self, id: &str) -> Value {
        // PKCS#1: a sequence of the modulus, whose 256 bytes begin at 9, and the exponent 65537.
        let der: Vec<u8> = self.0.public_key().as_ref().to_vec();
        assert_eq!(der.len(), 270);
        let modulus = URL_SAFE_NO_PAD.encode(der.get(9..265).expect("a modulus"));
        json!({"kty": "RSA", "kid": id, "n": modulus, "e": "AQAB"})
    }

    /// An RS256 token.
    pub fn token(&self, id: &str, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": id});
        jwt(&header.to_string(), &claims.to_string(), |message| {
            let mut signature = vec![0; self.0.public_modulus_len()];
            self.0
                .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                .expect("signed");
            signature
        })
    }
}

/// Serves a key set over HTTP.
pub struct KeyServer {
    /// Where.
    pub address: SocketAddr,
    answer: Arc<Mutex<Option<String>>>,
    hits: Arc<AtomicUsize>,
}

impl KeyServer {
    /// With these keys.
    pub async fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = Arc::new(Mutex::new(None));
        let hits = Arc::new(AtomicUsize::new(0));
        let server = Self { address, answer: Arc::clone(&answer), hits: Arc::clone(&hits) };
        server.set(keys);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                hits.fetch_add(1, Ordering::SeqCst);
                let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    let _length = stream.read(&mut head).await;
                    let (status, body) =
                        answer.map_or(("500 no", String::new()), |b| ("200 OK", b));
                    let text = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(text.as_bytes()).await.ok();
                });
            }
        });
        server
    }

    fn put(&self, answer: Option<String>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// Has these keys from now on.
    pub fn set(&self, keys: &[Value]) {
        self.put(Some(json!({ "keys": keys }).to_string()));
    }

    /// Answers with an error from now on.
    pub fn fail(&self) {
        self.put(None);
    }

    /// How often it was asked.
    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}
