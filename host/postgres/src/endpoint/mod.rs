//! Where a database is and how to reach it: the parsed connection string. Never
//! opens a connection or reads a file, and never shows the password.

mod error;
mod hosts;
mod keys;
mod options;
mod pairs;
mod startup;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use error::UrlError;

/// How statements are sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementMode {
    /// Named prepared statements, kept per connection: direct endpoints.
    Named,
    /// Unnamed statements in one round trip: poolers that hand out another server
    /// connection for each transaction.
    Unnamed,
}

/// A parsed connection string. `Debug` and [`Endpoint::redacted`] leave the
/// password out.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) hosts: Vec<Host>,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    pub(crate) tls: Tls,
    pub(crate) channel_binding: ChannelBinding,
    pub(crate) pooling: Pooling,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) application_name: Option<String>,
    /// Sent as the startup parameter `options`; only Neon's `endpoint=…`.
    pub(crate) startup_options: Option<String>,
    /// Session settings asked for in the URL, in order.
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) connection_limit: Option<usize>,
    pub(crate) pool_timeout: Option<Duration>,
    pub(crate) session_attributes: SessionAttributes,
    pub(crate) load_balance: LoadBalance,
    pub(crate) keepalive: Keepalive,
}

/// One server of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) place: Place,
    /// Connected to instead of looking the name up; the name still counts for TLS.
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Name(String),
    /// The folder of a Unix socket.
    Socket(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) mode: TlsMode,
    pub(crate) roots: Roots,
    /// Certificate and key files of the client.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    pub(crate) negotiation: Negotiation,
}

/// What is asked of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disabled,
    /// TLS when the server has it, without verification: loopback only.
    Opportunistic,
    /// TLS without verification, asked for explicitly.
    Unverified,
    /// A trusted chain, whatever the name.
    VerifyCa,
    /// A trusted chain for the name that was asked for.
    VerifyFull,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    System,
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negotiation {
    Postgres,
    Direct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// Whether a transaction pooler stands in between, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Direct,
    /// A pooler of a provider that is known to pass on cancel requests.
    Managed(&'static str),
    /// A pooler of unknown make. Old ones end when they are sent a cancel request
    /// (PgBouncer 1.18).
    Unknown(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionAttributes {
    Any,
    ReadWrite,
    ReadOnly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadBalance {
    Disable,
    Random,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keepalive {
    pub(crate) enabled: bool,
    pub(crate) idle: Duration,
    pub(crate) interval: Option<Duration>,
    pub(crate) retries: Option<u32>,
    pub(crate) user_timeout: Option<Duration>,
}

impl Endpoint {
    /// Parses what users paste: `postgres://` and `postgresql://` URLs (with a
    /// driver suffix or `jdbc:` too) and libpq's `key=value` lists. The user falls
    /// back to the environment's `PGUSER` or `USER`, the database to the user.
    ///
    /// # Errors
    /// Names the part or key that is wrong, and for typos the nearest key.
    pub fn parse(url: &str) -> Result<Endpoint, UrlError> {
        options::interpret(pairs::split(url)?)
    }

    /// The same place, as another user.
    #[must_use]
    pub fn with_credentials(&self, user: &str, password: Option<&str>) -> Endpoint {
        Endpoint { user: user.to_owned(), password: password.map(str::to_owned), ..self.clone() }
    }

    /// The same place, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Endpoint {
        Endpoint { database: name.to_owned(), ..self.clone() }
    }

    /// Whether a transaction pooler stands in between.
    pub fn is_pooled(&self) -> bool {
        self.pooling != Pooling::Direct
    }

    /// How statements are sent.
    pub fn statement_mode(&self) -> StatementMode {
        if self.is_pooled() { StatementMode::Unnamed } else { StatementMode::Named }
    }

    /// Whether it is safe to send cancel requests.
    pub(crate) fn accepts_cancel(&self) -> bool {
        !matches!(self.pooling, Pooling::Unknown(_))
    }

    /// Name of the user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The password. Never put it into a message.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// Settings that the URL asks for (`options=-c …`, `schema=…`), as name and
    /// value. Sessions apply them on direct endpoints; behind a pooler they must be
    /// settings of the role (`ALTER ROLE … SET …`).
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// The URL's `connection_limit`, if any.
    pub fn connection_limit(&self) -> Option<usize> {
        self.connection_limit
    }

    /// The URL's `pool_timeout`, if any: how long to wait for a connection.
    pub fn pool_timeout(&self) -> Option<Duration> {
        self.pool_timeout
    }

    /// The URL's `connect_timeout`, if any.
    pub fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }

    /// `host:port` of each server, for messages.
    pub(crate) fn servers(&self) -> String {
        let servers: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        servers.join(", ")
    }

    /// A URL for messages: no password, no options.
    pub fn redacted(&self) -> String {
        format!("postgres://{}@{}/{}", self.user, self.servers(), self.database)
    }

    /// What was understood, for diagnosis: names and values, no password.
    pub fn explain(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("server", self.servers()),
            ("database", self.database.clone()),
            ("user", self.user.clone()),
            ("password", if self.password.is_some() { "given" } else { "none" }.to_owned()),
            (
                "connection",
                match self.pooling {
                    Pooling::Direct => "direct".to_owned(),
                    Pooling::Managed(why) | Pooling::Unknown(why) => format!("pooled ({why})"),
                },
            ),
            (
                "statements",
                match self.statement_mode() {
                    StatementMode::Named => "named, prepared once per connection".to_owned(),
                    StatementMode::Unnamed => "unnamed, one round trip each".to_owned(),
                },
            ),
            ("tls", self.tls.to_string()),
        ];
        if !self.settings.is_empty() {
            let names: Vec<&str> = self.settings.iter().map(|(name, _)| name.as_str()).collect();
            let place = if self.is_pooled() {
                "must be set on the role, a pooler does not pass them on"
            } else {
                "set in each session"
            };
            lines.push(("settings", format!("{} ({place})", names.join(", "))));
        }
        if let Some(limit) = self.connection_limit {
            lines.push(("connection limit", limit.to_string()));
        }
        if let Some(timeout) = self.connect_timeout {
            lines.push(("connect timeout", format!("{} s", timeout.as_secs())));
        }
        lines
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.redacted())
            .field("pooling", &self.pooling)
            .field("tls", &self.tls.mode)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Place::Name(name) => write!(f, "{name}:{}", self.port),
            Place::Socket(folder) => {
                write!(f, "{}", folder.join(format!(".s.PGSQL.{}", self.port)).display())
            }
        }
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            TlsMode::Disabled => return f.write_str("off"),
            TlsMode::Opportunistic => return f.write_str("if the server offers it, not verified"),
            TlsMode::Unverified => return f.write_str("required, not verified"),
            TlsMode::VerifyCa => "required, certificate verified, name not",
            TlsMode::VerifyFull => "required, certificate and name verified",
        };
        match &self.roots {
            Roots::System => write!(f, "{mode} (against the system's authorities)"),
            Roots::File(path) => write!(f, "{mode} (against {})", path.display()),
        }
    }
}
