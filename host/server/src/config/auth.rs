//! `[server.auth]`: who may call what. Holds digests of tokens, never tokens.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{ConfigError, Time};
use crate::auth::Pattern;

/// `[server.auth]`. With neither tokens nor JWTs there is no authentication, and the server listens
/// on loopback only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AuthConfig {
    /// Bearer tokens for services. `avenire-db` makes them; see [`crate::new_token`].
    pub tokens: Vec<TokenEntry>,
    /// Issuers whose JWTs are taken.
    pub jwt: Vec<JwtConfig>,
}

/// A bearer token, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenEntry {
    /// A name for people and logs, unique.
    pub name: String,
    /// SHA-256 of the token in 64 hexadecimal digits. Tokens are random and long, so that a plain
    /// digest can not be guessed backwards.
    pub sha256: String,
    /// What it may call: `"chat.*"`, `"auth.get-user"`, `"*"`; `"metrics"` for `/metrics`.
    pub scopes: Vec<String>,
    /// When it ends to count, such as `2027-01-31T00:00:00Z`. Absent: never.
    #[serde(default)]
    pub expires: Option<String>,
}

/// One issuer of JWTs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JwtConfig {
    /// What the claim `iss` must be; unique.
    pub issuer: String,
    /// The claim `aud` must have one of these.
    pub audience: Vec<String>,
    /// The algorithms that are taken. Only such with public keys exist here.
    pub algorithms: Vec<Algorithm>,
    /// Where the issuer's public keys are.
    pub keys: KeysFrom,
    /// Whether `keys` may be a URL without TLS on another machine than this one. `false`.
    #[serde(default)]
    pub allow_http: bool,
    /// How far clocks may differ, at most `"5min"`. `"30s"`.
    #[serde(default = "defaults::leeway")]
    pub leeway: Time,
    /// What every token of this issuer may call, as in a token's `scopes`. `[]`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim with further scopes: a text with spaces between them, or an array. Absent: none.
    #[serde(default)]
    pub scopes_claim: Option<String>,
    /// Arguments that are set from claims, by function: `{ "chat.*" = { userId = "sub" } }`. A caller
    /// who sends another value is refused.
    #[serde(default)]
    pub pins: BTreeMap<String, BTreeMap<String, String>>,
    /// What happens to a call of a pinned function that has no such parameter. `"refuse"`.
    #[serde(default)]
    pub pin_missing: PinMissing,
    /// Settings of the call's transactions that are set from claims: `{ "app.user_id" = "sub" }`.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The claim that names the Postgres role, by function: `{ "chat.*" = "role" }`.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// The roles that such a claim may name.
    #[serde(default)]
    pub allowed_roles: Vec<String>,
    /// How old keys may be before they are read again. `"10min"`.
    #[serde(default = "defaults::refresh")]
    pub refresh: Time,
    /// How long to wait between two attempts to read keys, such as for an unknown key id. `"10s"`.
    #[serde(default = "defaults::retry")]
    pub retry: Time,
    /// How long keys count while they can not be read again. `"24h"`.
    #[serde(default = "defaults::stale")]
    pub stale: Time,
}

mod defaults {
    use super::{Duration, Time};

    pub(super) fn leeway() -> Time {
        Time(Duration::from_secs(30))
    }

    pub(super) fn refresh() -> Time {
        Time(Duration::from_mins(10))
    }

    pub(super) fn retry() -> Time {
        Time(Duration::from_secs(10))
    }

    pub(super) fn stale() -> Time {
        Time(Duration::from_hours(24))
    }
}

/// Where public keys are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysFrom {
    /// `pem-file`: one public key (RSA, EC or Ed25519), whatever key id a token names.
    PemFile(PathBuf),
    /// `jwks-file`: a JSON Web Key Set (RFC 7517).
    JwksFile(PathBuf),
    /// `jwks-url`: the same over HTTP.
    JwksUrl(String),
}

/// A signature algorithm with a public key (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the registry")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

/// What happens to a call of a pinned function that has no such parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinMissing {
    /// It is refused: nothing would tie the call to its caller.
    #[default]
    Refuse,
    /// It is carried out.
    Ignore,
}

impl AuthConfig {
    /// Whether callers have to authenticate.
    pub fn is_configured(&self) -> bool {
        !self.tokens.is_empty() || !self.jwt.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (index, token) in self.tokens.iter().enumerate() {
            token.check()?;
            if self.tokens.iter().take(index).any(|other| other.name == token.name) {
                let key = format!("auth.tokens.{}", token.name);
                return Err(ConfigError::value(key, "the name is there twice", "rename one"));
            }
        }
        for (index, jwt) in self.jwt.iter().enumerate() {
            jwt.check()?;
            if self.jwt.iter().take(index).any(|other| other.issuer == jwt.issuer) {
                return Err(jwt.refuse("issuer", "the issuer is there twice", "join the two"));
            }
        }
        Ok(())
    }
}

impl TokenEntry {
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, message: String, hint: &str| {
            Err(ConfigError::value(format!("auth.tokens.{}.{key}", self.name), message, hint))
        };
        if self.name.is_empty() || self.name.len() > 64 || self.name.contains(char::is_control) {
            return refuse("name", "a name has 1 to 64 characters".into(), "give it another one");
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = "a SHA-256 digest has 64 hexadecimal digits".into();
            return refuse("sha256", message, "give the digest of the token, not the token");
        }
        if let Some(expires) = &self.expires
            && OffsetDateTime::parse(expires, &Rfc3339).is_err()
        {
            let message = format!("`{expires}` is not a time");
            return refuse("expires", message, "write it as `2027-01-31T00:00:00Z` (RFC 3339)");
        }
        let wrong = self.scopes.iter().find(|scope| Pattern::parse(scope).is_none());
        match wrong {
            Some(scope) => refuse("scopes", format!("`{scope}` is not a scope"), Pattern::HINT),
            None if self.scopes.is_empty() => {
                refuse("scopes", "the token may do nothing".into(), Pattern::HINT)
            }
            None => Ok(()),
        }
    }
}

impl JwtConfig {
    fn check(&self) -> Result<(), ConfigError> {
        if self.issuer.is_empty() {
            return Err(self.refuse("issuer", "it is empty", "give the claim `iss` of its tokens"));
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            let message = "tokens made for others would be taken";
            return Err(self.refuse("audience", message, "give the claim `aud` of its tokens"));
        }
        if self.algorithms.is_empty() {
            return Err(self.refuse("algorithms", "there is none", "give one, such as `ES256`"));
        }
        if self.leeway.0 > Duration::from_mins(5) {
            return Err(self.refuse("leeway", "this is more than 5min", "give at most `5min`"));
        }
        self.check_url()?;
        self.check_rules()
    }

    fn check_url(&self) -> Result<(), ConfigError> {
        let KeysFrom::JwksUrl(text) = &self.keys else { return Ok(()) };
        let Ok(url) = text.parse::<http::Uri>() else {
            return Err(self.refuse("keys", "it is not a URL", "give an https URL"));
        };
        if url.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(self.refuse("keys", "it has no host, or a password", "give an https URL"));
        }
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback =
            host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        match url.scheme_str() {
            Some("https") => Ok(()),
            Some("http") if is_loopback || self.allow_http => Ok(()),
            Some("http") => {
                let message = "keys that come without TLS can be exchanged on the way";
                Err(self.refuse("keys", message, "give an https URL, or set `allow-http = true`"))
            }
            _ => Err(self.refuse("keys", "it is neither https nor http", "give an https URL")),
        }
    }

    fn check_rules(&self) -> Result<(), ConfigError> {
        if let Some(scope) = self.scopes.iter().find(|scope| Pattern::parse(scope).is_none()) {
            let message = format!("`{scope}` is not a scope");
            return Err(self.refuse("scopes", message, Pattern::HINT));
        }
        if self.scopes.is_empty() && self.scopes_claim.is_none() {
            let hint = "give `scopes`, or the claim that has them as `scopes-claim`";
            return Err(self.refuse("scopes", "the issuer's tokens may do nothing", hint));
        }
        let patterns = self.pins.keys().map(|p| ("pins", p));
        for (key, text) in patterns.chain(self.roles.keys().map(|p| ("roles", p))) {
            if Pattern::parse(text).is_none_or(|pattern| pattern.is_word()) {
                let message = format!("`{text}` names no functions");
                return Err(self.refuse(key, message, "write `slot.function` or `slot.*`"));
            }
        }
        if let Some(name) = self.settings.keys().find(|name| !is_custom_setting(name)) {
            let message = format!("`{name}` is not a setting of an application");
            return Err(self.refuse("settings", message, "write a name with a dot: `app.user_id`"));
        }
        if !self.roles.is_empty() && self.allowed_roles.is_empty() {
            let message = "a token could name any role";
            return Err(self.refuse("allowed-roles", message, "list the roles that are meant"));
        }
        Ok(())
    }

    pub(crate) fn refuse(
        &self,
        key: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> ConfigError {
        ConfigError::value(format!("auth.jwt.{}.{key}", self.issuer), message, hint)
    }
}

/// Postgres' own settings have no dot: what a claim says must not reach them.
fn is_custom_setting(name: &str) -> bool {
    let is_word = |word: &str| {
        word.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    name.len() <= 63 && name.contains('.') && name.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = r#"
        [[jwt]]
        issuer = "https://id.example.com"
        audience = ["avenire"]
        algorithms = ["ES256"]
        keys = { jwks-url = "https://id.example.com/jwks.json" }
        scopes = ["chat.*"]
    "#;

    fn check(text: &str) -> Result<(), ConfigError> {
        toml::from_str::<AuthConfig>(text).expect("toml").check()
    }

    #[test]
    fn an_issuer_needs_no_more_than_who_it_is_and_where_its_keys_are() {
        assert_eq!(check(JWT), Ok(()));
    }

    #[test]
    fn algorithms_with_shared_secrets_do_not_exist() {
        for name in ["none", "HS256", "HS512", "es256"] {
            let text = JWT.replace("ES256", name);
            assert!(toml::from_str::<AuthConfig>(&text).is_err(), "{name}");
        }
    }

    #[test]
    fn keys_come_over_tls_unless_said_otherwise() {
        for (url, fine) in [
            ("http://localhost:80/a", true),
            ("http://[::1]/a", true),
            ("http://id.example.com/a", false),
            ("https://u:p@id.example.com/a", false),
            ("ftp://id.example.com/a", false),
            ("/a", false),
        ] {
            let text = JWT.replace("https://id.example.com/jwks.json", url);
            assert_eq!(check(&text).is_ok(), fine, "{url}");
            if url.starts_with("http://") {
                assert_eq!(check(&format!("{text}\nallow-http = true")), Ok(()));
            }
        }
    }

    #[test]
    fn rules_that_mean_something_else_than_they_say_are_refused() {
        for rule in [
            "settings = { role = \"role\" }",
            "settings = { search_path = \"x\" }",
            "settings = { \"app.user id\" = \"x\" }",
            "pins = { metrics = { userId = \"sub\" } }",
            "roles = { \"chat.*\" = \"role\" }",
            "leeway = \"1h\"",
        ] {
            assert!(check(&format!("{JWT}\n{rule}")).is_err(), "{rule}");
        }
        assert!(check(&JWT.replace("scopes = [\"chat.*\"]", "")).is_err());
        assert!(check(&format!("{JWT}{JWT}")).is_err());
    }

    #[test]
    fn a_token_in_the_place_of_its_digest_is_not_repeated_in_the_error() {
        let text = r#"tokens = [{ name = "ci", sha256 = "avn_secret", scopes = ["*"] }]"#;
        let error = check(text).expect_err("refused");
        assert!(!format!("{error} {}", error.hint()).contains("avn_secret"));
    }
}
