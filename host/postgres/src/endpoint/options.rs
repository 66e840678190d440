//! Gives the keys of a connection string their meaning. Owns the list of known
//! keys and the defaults; refuses what it can not honour, with the reason.

use std::path::PathBuf;
use std::time::Duration;

use super::error::UrlError;
use super::hosts::{is_local, named_by_host, pair, pooling};
use super::keys;
use super::pairs::Pair;
use super::startup;
use super::{
    ChannelBinding, Endpoint, Host, Keepalive, LoadBalance, Negotiation, Place, Roots,
    SessionAttributes, Tls, TlsMode,
};

/// What was read so far.
#[derive(Default)]
struct Draft {
    hosts: Option<String>,
    addresses: Option<String>,
    ports: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<SslMode>,
    libpq_compatible: bool,
    roots: Option<Roots>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    negotiation: Option<Negotiation>,
    channel_binding: Option<ChannelBinding>,
    pooled: Option<bool>,
    connect_timeout: Option<Duration>,
    application_name: Option<String>,
    routing: Option<String>,
    settings: Vec<(String, String)>,
    connection_limit: Option<usize>,
    pool_timeout: Option<Duration>,
    session_attributes: Option<SessionAttributes>,
    load_balance: Option<LoadBalance>,
    keepalives: Option<bool>,
    keepalives_idle: Option<Duration>,
    keepalives_interval: Option<Duration>,
    keepalives_retries: Option<u32>,
    tcp_user_timeout: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SslMode {
    Disable,
    /// `allow` and `prefer`.
    Prefer,
    Require,
    NoVerify,
    VerifyCa,
    VerifyFull,
}

pub(super) fn interpret(pairs: Vec<Pair>) -> Result<Endpoint, UrlError> {
    let mut draft = Draft::default();
    for (key, value) in pairs {
        draft.take(&key, value)?;
    }
    draft.finish()
}

fn expects(key: &str, expected: &'static str) -> UrlError {
    UrlError::Value { key: key.to_owned(), expected }
}

fn seconds(key: &str, value: &str) -> Result<Option<Duration>, UrlError> {
    let seconds: i64 = value.parse().map_err(|_| expects(key, "a number of seconds"))?;
    // Zero and below mean "no limit" in libpq.
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

fn flag(key: &str, value: &str) -> Result<bool, UrlError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(expects(key, "true or false")),
    }
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, UrlError> {
    value.parse().map_err(|_| expects(key, "a whole number"))
}

impl Draft {
    fn take(&mut self, key: &str, value: String) -> Result<(), UrlError> {
        if value.contains('\0') {
            return Err(expects(key, "a text without NUL bytes"));
        }
        match key {
            "host" => self.hosts = Some(value),
            "hostaddr" => self.addresses = Some(value),
            "port" => self.ports = Some(value),
            "user" | "username" => self.user = Some(value).filter(|user| !user.is_empty()),
            "password" => self.password = Some(value).filter(|password| !password.is_empty()),
            "dbname" | "database" => self.database = Some(value).filter(|name| !name.is_empty()),
            "application_name" | "ApplicationName" => self.application_name = Some(value),
            "connect_timeout" | "connectTimeout" => self.connect_timeout = seconds(key, &value)?,
            _ if key.starts_with("ssl") || key == "channel_binding" || key == "uselibpqcompat" => {
                return self.take_tls(key, &value);
            }
            "keepalives" => self.keepalives = Some(flag(key, &value)?),
            "keepalives_idle" => self.keepalives_idle = seconds(key, &value)?,
            "keepalives_interval" => self.keepalives_interval = seconds(key, &value)?,
            "keepalives_count" | "keepalives_retries" => {
                self.keepalives_retries = Some(number(key, &value)?).filter(|count| *count > 0);
            }
            // Milliseconds in libpq (PostgreSQL documentation, "tcp_user_timeout").
            "tcp_user_timeout" => {
                let milliseconds: u64 = number(key, &value)?;
                self.tcp_user_timeout =
                    Some(Duration::from_millis(milliseconds)).filter(|time| !time.is_zero());
            }
            _ => return self.take_behaviour(key, value),
        }
        Ok(())
    }

    fn take_behaviour(&mut self, key: &str, value: String) -> Result<(), UrlError> {
        match key {
            "pgbouncer" => self.pooled = Some(flag(key, &value)?),
            "connection_limit" => self.connection_limit = Some(number(key, &value)?),
            "pool_timeout" => self.pool_timeout = seconds(key, &value)?,
            "schema" | "currentSchema" | "search_path" => {
                // `public` is the default and what tools append by themselves.
                if value != "public" && !value.is_empty() {
                    self.settings.push(("search_path".to_owned(), value));
                }
            }
            "statement_timeout" => {
                let _milliseconds: u64 = number(key, &value)?;
                self.settings.push((key.to_owned(), value));
            }
            "options" => {
                let startup = startup::interpret(&value)?;
                self.routing = startup.routing.or(self.routing.take());
                self.settings.extend(startup.settings);
            }
            "target_session_attrs" => {
                self.session_attributes = Some(match value.as_str() {
                    "any" | "prefer-standby" => SessionAttributes::Any,
                    "read-write" | "primary" => SessionAttributes::ReadWrite,
                    "read-only" | "standby" => SessionAttributes::ReadOnly,
                    _ => {
                        return Err(expects(
                            key,
                            "any, read-write, read-only, primary, standby or prefer-standby",
                        ));
                    }
                });
            }
            "load_balance_hosts" => {
                self.load_balance = Some(match value.as_str() {
                    "disable" => LoadBalance::Disable,
                    "random" => LoadBalance::Random,
                    _ => return Err(expects(key, "disable or random")),
                });
            }
            "client_encoding" => {
                if !matches!(
                    value.to_ascii_lowercase().as_str(),
                    "utf8" | "utf-8" | "auto" | "unicode"
                ) {
                    return Err(expects(key, "utf8; texts are always exchanged in it"));
                }
            }
            "gssencmode" => {
                if !matches!(value.as_str(), "disable" | "prefer") {
                    return Err(UrlError::Unsupported {
                        key: key.to_owned(),
                        reason: "connections are encrypted with TLS, not GSSAPI",
                    });
                }
            }
            _ => return keys::unknown(key),
        }
        Ok(())
    }

    fn take_tls(&mut self, key: &str, value: &str) -> Result<(), UrlError> {
        match key {
            "sslmode" => {
                self.ssl_mode = Some(match value {
                    "disable" => SslMode::Disable,
                    "allow" | "prefer" => SslMode::Prefer,
                    "require" => SslMode::Require,
                    "no-verify" => SslMode::NoVerify,
                    "verify-ca" => SslMode::VerifyCa,
                    "verify-full" => SslMode::VerifyFull,
                    _ => {
                        return Err(expects(
                            key,
                            "disable, allow, prefer, require, verify-ca, verify-full or no-verify",
                        ));
                    }
                });
            }
            "ssl" => {
                let mode = if flag(key, value)? { SslMode::VerifyFull } else { SslMode::Disable };
                self.ssl_mode = self.ssl_mode.or(Some(mode));
            }
            "sslaccept" => match value {
                "strict" => {}
                "accept_invalid_certs" => self.ssl_mode = Some(SslMode::NoVerify),
                _ => return Err(expects(key, "strict or accept_invalid_certs")),
            },
            "sslrootcert" => {
                self.roots = Some(match value {
                    "system" => Roots::System,
                    path => Roots::File(PathBuf::from(path)),
                });
            }
            "sslcert" => self.certificate = Some(PathBuf::from(value)),
            "sslkey" => self.key = Some(PathBuf::from(value)),
            "sslnegotiation" => {
                self.negotiation = Some(match value {
                    "postgres" => Negotiation::Postgres,
                    "direct" => Negotiation::Direct,
                    _ => return Err(expects(key, "postgres or direct")),
                });
            }
            "channel_binding" => {
                self.channel_binding = Some(match value {
                    "disable" => ChannelBinding::Disable,
                    "prefer" => ChannelBinding::Prefer,
                    "require" => ChannelBinding::Require,
                    _ => return Err(expects(key, "disable, prefer or require")),
                });
            }
            "uselibpqcompat" => self.libpq_compatible = flag(key, value)?,
            _ => return keys::unknown(key),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Endpoint, UrlError> {
        let hosts = pair(self.hosts.as_deref(), self.addresses.as_deref(), self.ports.as_deref())?;
        let tls = self.tls(&hosts)?;
        if self.channel_binding == Some(ChannelBinding::Require) && tls.mode == TlsMode::Disabled {
            return Err(UrlError::Unsupported {
                key: "channel_binding".to_owned(),
                reason: "`require` needs TLS, which is off for this host",
            });
        }
        let user = self
            .user
            .take()
            .or_else(|| std::env::var("PGUSER").ok())
            .or_else(|| std::env::var("USER").ok())
            .filter(|user| !user.is_empty())
            .ok_or(UrlError::NoUser)?;
        let pooling = pooling(&hosts, self.pooled);
        Ok(Endpoint {
            database: self.database.unwrap_or_else(|| user.clone()),
            user,
            password: self.password,
            tls,
            channel_binding: self.channel_binding.unwrap_or(ChannelBinding::Prefer),
            pooling,
            connect_timeout: self.connect_timeout,
            application_name: self.application_name,
            startup_options: self.routing.filter(|routing| !named_by_host(routing, &hosts)),
            settings: self.settings,
            connection_limit: self.connection_limit.filter(|limit| *limit > 0),
            pool_timeout: self.pool_timeout,
            session_attributes: self.session_attributes.unwrap_or(SessionAttributes::Any),
            load_balance: self.load_balance.unwrap_or(LoadBalance::Disable),
            keepalive: Keepalive {
                enabled: self.keepalives.unwrap_or(true),
                // The system's two hours are longer than any NAT remembers a connection.
                idle: self.keepalives_idle.unwrap_or(Duration::from_secs(45)),
                interval: self.keepalives_interval.or(Some(Duration::from_secs(15))),
                retries: self.keepalives_retries.or(Some(3)),
                user_timeout: self.tcp_user_timeout,
            },
            hosts,
        })
    }

    fn tls(&self, hosts: &[Host]) -> Result<Tls, UrlError> {
        let sockets = hosts.iter().all(|host| matches!(host.place, Place::Socket(_)));
        let local = hosts.iter().all(is_local);
        let is_direct = self.negotiation == Some(Negotiation::Direct);
        let mode = match self.ssl_mode {
            // Postgres speaks no TLS on Unix sockets, whatever is asked for.
            _ if sockets => TlsMode::Disabled,
            Some(SslMode::Disable) => TlsMode::Disabled,
            Some(SslMode::NoVerify) => TlsMode::Unverified,
            Some(SslMode::Require) if self.libpq_compatible && self.roots.is_none() => {
                TlsMode::Unverified
            }
            Some(SslMode::Require) if self.libpq_compatible => TlsMode::VerifyCa,
            Some(SslMode::VerifyCa) => TlsMode::VerifyCa,
            Some(SslMode::Prefer) | None if local && !is_direct => TlsMode::Opportunistic,
            Some(SslMode::Require | SslMode::VerifyFull | SslMode::Prefer) | None => {
                TlsMode::VerifyFull
            }
        };
        let identity = match (&self.certificate, &self.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (Some(_), None) => return Err(expects("sslcert", "`sslkey` beside it")),
            (None, Some(_)) => return Err(expects("sslkey", "`sslcert` beside it")),
        };
        Ok(Tls {
            mode,
            roots: self.roots.clone().unwrap_or(Roots::System),
            identity,
            negotiation: self.negotiation.unwrap_or(Negotiation::Postgres),
        })
    }
}
