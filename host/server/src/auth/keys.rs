//! The public keys of an issuer: read, kept, and read again when they are old or one is missing.
//! Never: takes a shared secret for a key.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::sync::Mutex;

use super::error::AuthError;
use super::fetch::{self, Fetcher};
use crate::config::{JwtConfig, KeysFrom};
use crate::json;

/// More keys than this are not taken from one set.
const MOST_KEYS: usize = 100;

/// A public key and what it is for.
pub(super) struct Key {
    /// Its id; none for a PEM file's, which fits every id.
    id: Option<String>,
    /// The one algorithm that it is for, when the set says so.
    algorithm: Option<KeyAlgorithm>,
    any_id: bool,
    pub(super) decoding: DecodingKey,
}

/// Keys and when they were read.
struct Known {
    keys: Vec<Arc<Key>>,
    at: Instant,
}

/// The keys of one issuer.
pub(super) struct Keys {
    config: JwtConfig,
    fetcher: Fetcher,
    known: ArcSwapOption<Known>,
    /// When reading was last begun. Whoever holds it reads.
    attempt: Mutex<Option<Instant>>,
}

impl Keys {
    /// Reads files at once; a URL is fetched when the first token comes.
    pub(super) fn new(config: &JwtConfig, fetcher: Fetcher) -> Result<Self, String> {
        let known = match &config.keys {
            KeysFrom::JwksUrl(_) => None,
            KeysFrom::PemFile(path) | KeysFrom::JwksFile(path) => {
                let keys = parse(&config.keys, &read_file(path)?)?;
                Some(Arc::new(Known { keys, at: Instant::now() }))
            }
        };
        let known = ArcSwapOption::new(known);
        Ok(Self { config: config.clone(), fetcher, known, attempt: Mutex::new(None) })
    }

    /// Whether these are the keys that a configuration asks for.
    pub(super) fn are_of(&self, config: &JwtConfig) -> bool {
        let same = |a: &JwtConfig| (a.keys.clone(), a.refresh, a.retry, a.stale);
        same(&self.config) == same(config)
    }

    /// The key that a token names, or the only one that fits when it names none.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<Key>, AuthError> {
        let known = self.known.load_full();
        let found = known.as_ref().and_then(|known| pick(&known.keys, id, algorithm));
        let age = known.as_ref().map(|known| known.at.elapsed());
        match (found, age) {
            (Some(key), Some(age)) if age < self.config.refresh.0 => return Ok(key),
            // One caller reads them again; the others go on with what is known.
            (Some(key), Some(age)) if age < self.config.stale.0 => {
                if let Ok(mut last) = self.attempt.try_lock() {
                    self.read_again(&mut last).await;
                } else {
                    return Ok(key);
                }
            }
            _ => {
                let mut last = self.attempt.lock().await;
                let is_newer = match (&known, &*self.known.load()) {
                    (Some(before), Some(now)) => now.at > before.at,
                    (None, now) => now.is_some(),
                    (Some(_), None) => false,
                };
                if !is_newer {
                    self.read_again(&mut last).await;
                }
            }
        }
        let known = self.known.load_full().ok_or(AuthError::KeysUnavailable)?;
        if known.at.elapsed() >= self.config.stale.0.max(self.config.refresh.0) {
            return Err(AuthError::KeysUnavailable);
        }
        pick(&known.keys, id, algorithm).ok_or(AuthError::UnknownKey)
    }

    /// Reads the keys unless that was tried a moment ago; what is known stays when it fails.
    async fn read_again(&self, last: &mut Option<Instant>) {
        if last.is_some_and(|at| at.elapsed() < self.config.retry.0) {
            return;
        }
        *last = Some(Instant::now());
        match self.read().await.and_then(|text| parse(&self.config.keys, &text)) {
            Ok(keys) => self.known.store(Some(Arc::new(Known { keys, at: Instant::now() }))),
            Err(reason) => {
                tracing::warn!(
                    issuer = self.config.issuer,
                    reason,
                    "could not read an issuer's keys"
                );
            }
        }
    }

    async fn read(&self) -> Result<Vec<u8>, String> {
        match &self.config.keys {
            KeysFrom::JwksUrl(url) => {
                let url = url.parse().map_err(|_| "it is not a URL".to_owned())?;
                self.fetcher.get(&url).await.map(|bytes| bytes.to_vec())
            }
            KeysFrom::PemFile(path) | KeysFrom::JwksFile(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_file(&path)).await;
                read.map_err(|_| "reading was interrupted".to_owned())?
            }
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let limit = u64::try_from(fetch::LONGEST).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length > fetch::LONGEST => Err(format!("{} is too long", path.display())),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn parse(from: &KeysFrom, text: &[u8]) -> Result<Vec<Arc<Key>>, String> {
    match from {
        KeysFrom::PemFile(_) => pem(text).map(|key| vec![Arc::new(key)]),
        KeysFrom::JwksFile(_) | KeysFrom::JwksUrl(_) => set(text),
    }
}

fn pem(text: &[u8]) -> Result<Key, String> {
    if text.windows(7).any(|part| part == b"PRIVATE") {
        return Err("it is a private key; give the public one".into());
    }
    let decoding = DecodingKey::from_ec_pem(text)
        .or_else(|_| DecodingKey::from_ed_pem(text))
        .or_else(|_| DecodingKey::from_rsa_pem(text))
        .map_err(|_| "it is not a public key of RSA, EC or Ed25519 in PEM".to_owned())?;
    Ok(Key { id: None, algorithm: None, any_id: true, decoding })
}

/// The usable keys of a set: one that can not be used does not spoil the others (RFC 7517, section 5).
fn set(text: &[u8]) -> Result<Vec<Arc<Key>>, String> {
    let object = json::read_object(text, 16).map_err(|error| error.to_string())?;
    let Some(Value::Array(entries)) = object.get("keys") else {
        return Err("it is not a JSON Web Key Set".into());
    };
    if entries.len() > MOST_KEYS {
        return Err(format!("it has more than {MOST_KEYS} keys"));
    }
    let keys: Vec<_> = entries.iter().filter_map(key).map(Arc::new).collect();
    if keys.is_empty() { Err("it has no key for signatures".into()) } else { Ok(keys) }
}

fn key(entry: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(entry.clone()).ok()?;
    let is_secret = matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_));
    let signs =
        jwk.common.public_key_use.as_ref().is_none_or(|for_| *for_ == PublicKeyUse::Signature);
    if is_secret || !signs {
        return None;
    }
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key {
        id: jwk.common.key_id,
        algorithm: jwk.common.key_algorithm,
        any_id: false,
        decoding,
    })
}

fn pick(keys: &[Arc<Key>], id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
    let mut fitting = keys.iter().filter(|key| {
        let fits_id = key.any_id || id.is_none() || key.id.as_deref() == id;
        let fits_algorithm =
            key.algorithm.is_none_or(|only| only.to_string() == format!("{algorithm:?}"));
        fits_id && fits_algorithm && key.decoding.family() == algorithm.family()
    });
    let first = fitting.next()?;
    // A token that names no key must leave no choice.
    (id.is_some() || fitting.next().is_none()).then(|| Arc::clone(first))
}
