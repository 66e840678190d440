//! Why a caller is not known. Never: holds a token or a claim.

use crate::problem::{Kind, Problem};

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("a bearer token is needed")]
    Missing,
    #[error("the header Authorization is not `Bearer` and one token")]
    Malformed,
    #[error("the token is not known")]
    Unknown,
    #[error("the token has expired")]
    Expired,
    #[error("the token does not count yet")]
    NotYet,
    #[error("the token is not a well-formed JWT")]
    BadJwt,
    #[error("the token's algorithm is not taken")]
    Algorithm,
    #[error("the token's issuer is not known")]
    Issuer,
    #[error("the token is meant for others")]
    Audience,
    #[error("the token's key is not known")]
    UnknownKey,
    #[error("the token's signature is not valid")]
    Signature,
    #[error("the issuer's keys can not be had at the moment")]
    KeysUnavailable,
}

impl AuthError {
    /// As told to the caller: 401, or 503 when it is not the caller's fault.
    pub(crate) fn problem(self) -> Problem {
        let hint = match self {
            Self::Missing | Self::Malformed => "send `Authorization: Bearer` and a token",
            Self::KeysUnavailable => {
                return Problem::new(Kind::Unavailable, format!("{self}"))
                    .with_hint("try again later; the host's log says what is wrong");
            }
            Self::Expired => "get a new token",
            Self::NotYet => "compare the clocks of the issuer and of the host",
            _ => "get a token that is made for this server",
        };
        Problem::new(Kind::Unauthenticated, format!("{self}")).with_hint(hint)
    }

    /// The challenge of a 401 (RFC 6750, section 3).
    pub(crate) fn challenge(self) -> &'static str {
        match self {
            Self::Missing => "Bearer realm=\"avenire\"",
            Self::Malformed => "Bearer realm=\"avenire\", error=\"invalid_request\"",
            _ => "Bearer realm=\"avenire\", error=\"invalid_token\"",
        }
    }
}
