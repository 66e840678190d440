//! JSON Web Tokens (RFC 7519): signature, then time, audience and issuer.
//! Never: lets the token decide how it is checked.
//!
//! Only the signature is left to the library. Header and claims are read by this crate's own strict
//! reader: a key that is there twice is refused, and the library's checks do not see numbers that
//! keep every digit, which this workspace has switched on.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm as Signature;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::error::AuthError;
use super::fetch::Fetcher;
use super::keys::Keys;
use super::rules::Rules;
use crate::config::{Algorithm, ConfigError, JwtConfig};
use crate::json;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 << 10;

/// The deepest nesting of claims.
const DEPTH: usize = 16;

/// One issuer whose tokens are taken.
pub(super) struct Issuer {
    config: JwtConfig,
    algorithms: Vec<Signature>,
    keys: Arc<Keys>,
    pub(super) rules: Arc<Rules>,
}

/// A token whose signature has not been looked at yet.
struct Unverified<'a> {
    message: &'a str,
    signature: &'a str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Issuer {
    /// Takes over the keys of an earlier configuration when they come from the same place.
    pub(super) fn new(
        config: &JwtConfig,
        earlier: &[Issuer],
        fetcher: &Fetcher,
    ) -> Result<Self, ConfigError> {
        let kept = earlier.iter().find(|issuer| issuer.keys.are_of(config));
        let keys = match kept {
            Some(issuer) => Arc::clone(&issuer.keys),
            None => Arc::new(Keys::new(config, fetcher.clone()).map_err(|reason| {
                config.refuse("keys", reason, "give a public key or a JSON Web Key Set")
            })?),
        };
        Ok(Self {
            config: config.clone(),
            algorithms: config.algorithms.iter().copied().map(signature).collect(),
            keys,
            rules: Arc::new(Rules::new(config)),
        })
    }

    async fn verify(&self, token: &Unverified<'_>, now: OffsetDateTime) -> Result<(), AuthError> {
        let name = token.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = self.algorithms.iter().copied().find(|known| format!("{known:?}") == name);
        let algorithm = algorithm.ok_or(AuthError::Algorithm)?;
        let id = match token.header.get("kid") {
            None => None,
            Some(id) => Some(id.as_str().ok_or(AuthError::BadJwt)?),
        };
        let key = self.keys.find(id, algorithm).await?;
        let message = token.message.as_bytes();
        let verified =
            jsonwebtoken::crypto::verify(token.signature, message, &key.decoding, algorithm);
        if !verified.unwrap_or(false) {
            return Err(AuthError::Signature);
        }
        self.check_claims(&token.claims, now)
    }

    fn check_claims(
        &self,
        claims: &Map<String, Value>,
        now: OffsetDateTime,
    ) -> Result<(), AuthError> {
        let leeway = self.config.leeway.0;
        let now = Duration::try_from(now - OffsetDateTime::UNIX_EPOCH).unwrap_or_default();
        let expires = seconds(claims.get("exp").ok_or(AuthError::BadJwt)?)?;
        if expires.saturating_add(leeway) <= now {
            return Err(AuthError::Expired);
        }
        if let Some(begins) = claims.get("nbf")
            && seconds(begins)? > now.saturating_add(leeway)
        {
            return Err(AuthError::NotYet);
        }
        let is_ours = |audience: &Value| {
            audience.as_str().is_some_and(|name| self.config.audience.iter().any(|a| a == name))
        };
        match claims.get("aud") {
            Some(Value::Array(audiences)) if audiences.iter().any(is_ours) => Ok(()),
            Some(audience) if is_ours(audience) => Ok(()),
            _ => Err(AuthError::Audience),
        }
    }
}

/// Checks a token; tells its issuer and its claims.
pub(super) async fn verify<'a>(
    issuers: &'a [Issuer],
    token: &str,
    now: OffsetDateTime,
) -> Result<(&'a Issuer, Map<String, Value>), AuthError> {
    let token = split(token)?;
    let name = token.claims.get("iss").and_then(Value::as_str).ok_or(AuthError::Issuer)?;
    let issuer = issuers.iter().find(|issuer| issuer.config.issuer == name);
    let issuer = issuer.ok_or(AuthError::Issuer)?;
    issuer.verify(&token, now).await?;
    Ok((issuer, token.claims))
}

fn split(token: &str) -> Result<Unverified<'_>, AuthError> {
    if token.len() > LONGEST {
        return Err(AuthError::BadJwt);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(AuthError::BadJwt)?;
    let (header, claims) = message.split_once('.').ok_or(AuthError::BadJwt)?;
    let header = part(header)?;
    // Extensions that must be understood are not (RFC 7515, section 4.1.11).
    if header.contains_key("crit") || !is_access_token(header.get("typ")) {
        return Err(AuthError::BadJwt);
    }
    Ok(Unverified { message, signature, header, claims: part(claims)? })
}

fn part(text: &str) -> Result<Map<String, Value>, AuthError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| AuthError::BadJwt)?;
    json::read_object(&bytes, DEPTH).map_err(|_| AuthError::BadJwt)
}

/// A token made for another purpose says so in its type (RFC 8725, section 3.11).
fn is_access_token(kind: Option<&Value>) -> bool {
    let kind = match kind {
        None => return true,
        Some(kind) => kind.as_str().unwrap_or_default().to_ascii_lowercase(),
    };
    matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
}

/// A NumericDate (RFC 7519, section 2).
fn seconds(value: &Value) -> Result<Duration, AuthError> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    let seconds = seconds.ok_or(AuthError::BadJwt)?;
    if seconds < 0.0 {
        return Ok(Duration::ZERO);
    }
    // What is beyond all clocks is never reached.
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn signature(algorithm: Algorithm) -> Signature {
    match algorithm {
        Algorithm::RS256 => Signature::RS256,
        Algorithm::RS384 => Signature::RS384,
        Algorithm::RS512 => Signature::RS512,
        Algorithm::PS256 => Signature::PS256,
        Algorithm::PS384 => Signature::PS384,
        Algorithm::PS512 => Signature::PS512,
        Algorithm::ES256 => Signature::ES256,
        Algorithm::ES384 => Signature::ES384,
        Algorithm::EdDSA => Signature::EdDSA,
    }
}
