//! Who calls, and what they may do.
//! Never: answers a request, keeps a token.

mod error;
mod fetch;
mod jwt;
mod keys;
mod pattern;
mod rules;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{HeaderMap, header};
use serde_json::{Map, Value};
use time::OffsetDateTime;

pub(crate) use error::AuthError;
pub(crate) use pattern::Pattern;
pub(crate) use rules::Bound;
pub use token::{NewToken, new_token};

use crate::backend::FunctionTraits;
use crate::config::{AuthConfig, ConfigError};
use crate::problem::Problem;
use fetch::Fetcher;
use jwt::Issuer;
use rules::Rules;
use token::Tokens;

/// Who is known, made of one configuration.
pub(crate) struct Auth {
    tokens: Tokens,
    issuers: Vec<Issuer>,
    fetcher: Fetcher,
}

/// Exchanges who is known while the server runs.
#[derive(Clone)]
pub struct AuthHandle {
    auth: Arc<ArcSwap<Auth>>,
    listen: Arc<[SocketAddr]>,
}

/// Who calls.
pub(crate) struct Caller {
    /// The token's name, `jwt`, or nothing where nobody has to authenticate.
    name: Option<String>,
    scopes: Vec<Pattern>,
    claims: Option<(Arc<Rules>, Map<String, Value>)>,
}

impl Auth {
    /// From a configuration that was checked; reads the files that it names. Keys that were fetched
    /// for an earlier configuration are taken over.
    fn new(config: &AuthConfig, earlier: Option<&Self>) -> Result<Self, ConfigError> {
        let fetcher = earlier.map_or_else(Fetcher::new, |earlier| earlier.fetcher.clone());
        let known = earlier.map_or(&[][..], |earlier| &earlier.issuers);
        let issuers = config.jwt.iter().map(|jwt| Issuer::new(jwt, known, &fetcher));
        let issuers = issuers.collect::<Result<_, _>>()?;
        Ok(Self { tokens: Tokens::new(&config.tokens), issuers, fetcher })
    }

    /// Whether callers have to authenticate.
    pub(crate) fn is_configured(&self) -> bool {
        !self.tokens.is_empty() || !self.issuers.is_empty()
    }

    /// Who sent these headers.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, AuthError> {
        if !self.is_configured() {
            return Ok(Caller { name: None, scopes: vec![Pattern::Everything], claims: None });
        }
        let token = bearer(headers)?;
        let now = OffsetDateTime::now_utc();
        // Tokens of ours have no dots, JWTs have two.
        if !self.issuers.is_empty() && token.contains('.') {
            let (issuer, claims) = jwt::verify(&self.issuers, token, now).await?;
            let scopes = issuer.rules.scopes(&claims);
            let claims = Some((Arc::clone(&issuer.rules), claims));
            return Ok(Caller { name: Some("jwt".into()), scopes, claims });
        }
        let (name, scopes) = self.tokens.find(token, now)?;
        Ok(Caller { name: Some(name.to_owned()), scopes: scopes.to_vec(), claims: None })
    }
}

impl AuthHandle {
    pub(crate) fn new(config: &AuthConfig, listen: &[SocketAddr]) -> Result<Self, ConfigError> {
        let auth = Auth::new(config, None)?;
        Ok(Self { auth: Arc::new(ArcSwap::from_pointee(auth)), listen: listen.into() })
    }

    pub(crate) fn current(&self) -> Arc<Auth> {
        self.auth.load_full()
    }

    /// Takes another configuration for every request from now on; requests under way go on. When it
    /// can not be used the former one stays.
    pub fn reload(&self, config: &AuthConfig) -> Result<(), ConfigError> {
        config.check()?;
        let open = self.listen.iter().find(|address| !address.ip().is_loopback());
        if let (Some(&address), false) = (open, config.is_configured()) {
            return Err(ConfigError::Open { address });
        }
        let auth = Auth::new(config, Some(&self.auth.load()))?;
        self.auth.store(Arc::new(auth));
        Ok(())
    }
}

impl Caller {
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the caller may call a function, named as in WIT.
    pub(crate) fn may_call(&self, slot: &str, function: &str) -> bool {
        self.scopes.iter().any(|scope| scope.covers(slot, function))
    }

    /// Whether the caller may have something of the server's own.
    pub(crate) fn may_have(&self, word: &str) -> bool {
        self.scopes.iter().any(|scope| scope.covers_word(word))
    }

    /// Sets what the caller's claims set of a call's arguments, and tells what else they give it.
    pub(crate) fn bind(
        &self,
        slot: &str,
        function: &str,
        traits: &FunctionTraits,
        arguments: &mut Map<String, Value>,
    ) -> Result<Bound, Problem> {
        match &self.claims {
            Some((rules, claims)) => rules.bind(claims, slot, function, traits, arguments),
            None => Ok(Bound::default()),
        }
    }
}

/// The one token of the one Authorization header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Malformed);
    }
    let text = value.to_str().map_err(|_| AuthError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthError::Malformed)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(AuthError::Malformed);
    }
    Ok(token)
}
