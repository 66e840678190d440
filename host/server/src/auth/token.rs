//! Bearer tokens by their digests. Never: keeps a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Pattern;
use super::error::AuthError;
use crate::config::TokenEntry;
use crate::hex;

/// What a token of ours begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "avn_";

/// A new bearer token. The secret is to be shown once; only the digest is to be kept.
pub struct NewToken {
    /// What a caller sends: `avn_` and 43 characters, 256 random bits.
    pub secret: String,
    /// SHA-256 of it in hexadecimal digits, for the configuration.
    pub sha256: String,
}

/// Without the secret.
impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

/// Makes a token from the operating system's random numbers; fails when it has none.
pub fn new_token() -> Result<NewToken, std::io::Error> {
    let mut bytes = [0_u8; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let sha256 = hex::encode(&Sha256::digest(secret.as_bytes()));
    Ok(NewToken { secret, sha256 })
}

/// The tokens that count.
pub(super) struct Tokens(Vec<Known>);

struct Known {
    name: String,
    digest: [u8; 32],
    scopes: Vec<Pattern>,
    expires: Option<OffsetDateTime>,
}

impl Tokens {
    /// From entries that were checked; what is no digest fits no token.
    pub(super) fn new(entries: &[TokenEntry]) -> Self {
        Self(entries.iter().filter_map(known).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name and scopes of a token.
    ///
    /// Every digest is compared, each in constant time, so that the time taken says nothing of how
    /// much of one was right.
    pub(super) fn find(
        &self,
        token: &str,
        now: OffsetDateTime,
    ) -> Result<(&str, &[Pattern]), AuthError> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for known in &self.0 {
            if bool::from(known.digest.ct_eq(&digest)) {
                found = Some(known);
            }
        }
        let known = found.ok_or(AuthError::Unknown)?;
        if known.expires.is_some_and(|end| end <= now) {
            return Err(AuthError::Expired);
        }
        Ok((&known.name, &known.scopes))
    }
}

fn known(entry: &TokenEntry) -> Option<Known> {
    let expires = match &entry.expires {
        Some(text) => Some(OffsetDateTime::parse(text, &Rfc3339).ok()?),
        None => None,
    };
    Some(Known {
        name: entry.name.clone(),
        digest: hex::decode(&entry.sha256)?,
        scopes: entry.scopes.iter().filter_map(|scope| Pattern::parse(scope)).collect(),
        expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sha256: &str, expires: Option<&str>) -> TokenEntry {
        TokenEntry {
            name: "ci".into(),
            sha256: sha256.into(),
            scopes: vec!["chat.*".into()],
            expires: expires.map(str::to_owned),
        }
    }

    #[test]
    fn a_new_token_is_found_by_its_digest_and_no_other_one_is() {
        let token = new_token().expect("random numbers");
        assert_eq!(token.secret.len(), 47);
        assert!(!format!("{token:?}").contains(&token.secret));
        let tokens = Tokens::new(&[entry(&token.sha256.to_uppercase(), None)]);
        let now = OffsetDateTime::now_utc();
        assert_eq!(tokens.find(&token.secret, now).map(|(name, _)| name), Ok("ci"));
        let other = new_token().expect("random numbers");
        assert_eq!(tokens.find(&other.secret, now), Err(AuthError::Unknown));
        assert_eq!(tokens.find("", now), Err(AuthError::Unknown));
    }

    #[test]
    fn a_token_ends_when_it_expires() {
        let token = new_token().expect("random numbers");
        let tokens = Tokens::new(&[entry(&token.sha256, Some("2026-01-01T00:00:00Z"))]);
        let at = |text| OffsetDateTime::parse(text, &Rfc3339).expect("time");
        assert!(tokens.find(&token.secret, at("2025-12-31T23:59:59Z")).is_ok());
        let end = at("2026-01-01T00:00:00Z");
        assert_eq!(tokens.find(&token.secret, end), Err(AuthError::Expired));
    }
}
