//! What can be wrong with a connection string. Owns the messages; none of them
//! repeats a password.

use std::borrow::Cow;

/// Why a connection string can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing was given.
    #[error("the connection string is empty")]
    Empty,
    /// It is a URL, but not one of Postgres.
    #[error("`{scheme}://` is not a Postgres URL")]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// It is neither a URL nor `key=value` pairs.
    #[error("the connection string is neither a postgres:// URL nor a list of key=value pairs")]
    Unrecognized,
    /// A `key=value` list is malformed.
    #[error("the key=value list is malformed: {problem}")]
    Malformed {
        /// What was found.
        problem: &'static str,
    },
    /// A percent escape is wrong.
    #[error(
        "the {part} has a malformed percent escape (`%` needs two hexadecimal digits and the result must be UTF-8)"
    )]
    PercentEncoding {
        /// Which part, such as `password`.
        part: String,
    },
    /// The part before the host seems to contain an unescaped character.
    #[error(
        "the host part is cut short by an unescaped `{character}`, probably inside the password"
    )]
    UnescapedPassword {
        /// The character that ended the host part.
        character: char,
    },
    /// A key nobody knows.
    #[error("unknown option `{key}`{}", nearest.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownKey {
        /// As written.
        key: String,
        /// The nearest known one.
        nearest: Option<&'static str>,
    },
    /// A known key with a value that makes no sense.
    #[error("option `{key}` expects {expected}")]
    Value {
        /// The key.
        key: String,
        /// What values it takes.
        expected: &'static str,
    },
    /// A known key that this host does not support.
    #[error("option `{key}` is not supported: {reason}")]
    Unsupported {
        /// The key.
        key: String,
        /// Why, and what to use instead.
        reason: &'static str,
    },
    /// Neither the URL nor the environment names a user.
    #[error("the connection string names no user")]
    NoUser,
    /// The lists of hosts, addresses and ports have different lengths.
    #[error("the lists of hosts, addresses and ports have different lengths")]
    HostCount,
    /// A port that is not a number from 1 to 65535.
    #[error("{} is not a port (1 to 65535)", shown_port(.port))]
    Port {
        /// As written.
        port: String,
    },
}

/// What stands where a port is expected may be a password whose host was forgotten:
/// only digits are repeated.
fn shown_port(port: &str) -> String {
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("`{port}`");
    }
    "what follows the host's colon".to_owned()
}

impl UrlError {
    /// What to do about it.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            UrlError::Empty | UrlError::Unrecognized => {
                "use postgres://user:password@host:5432/database?sslmode=require"
            }
            UrlError::Scheme { scheme } if scheme.starts_with("prisma") => {
                "that is an Accelerate URL; use the database's own postgres:// URL (often called DIRECT_URL)"
            }
            UrlError::Scheme { scheme } if scheme.starts_with("http") => {
                "that is a web address; use the database's connection string"
            }
            UrlError::Scheme { .. } => "use postgres:// or postgresql://",
            UrlError::PercentEncoding { .. } | UrlError::UnescapedPassword { .. } => {
                "write reserved characters as escapes: `%` as %25, `/` as %2F, `?` as %3F, `#` as %23, `@` as %40"
            }
            UrlError::Port { .. } => {
                "write postgres://user:password@host:5432/database; is `@host` missing?"
            }
            UrlError::NoUser => "put the user before the host: postgres://user@host/database",
            _ => return None,
        };
        Some(Cow::Borrowed(hint))
    }
}
