//! `[server]` of the manifest as plain values, and whether they can be used.
//! Never: opens a file or a socket.

mod auth;
mod error;
mod limits;
mod units;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

pub use auth::{Algorithm, AuthConfig, JwtConfig, KeysFrom, PinMissing, TokenEntry};
pub use error::ConfigError;
pub use limits::LimitsConfig;
pub use units::{Size, Time};

/// The port that is listened on when nothing else is said.
const PORT: u16 = 7700;

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ServerConfig {
    /// Addresses to listen on, each with a port; port 0 takes a free one. `["127.0.0.1:7700"]`.
    /// Others than loopback need authentication.
    pub listen: Vec<SocketAddr>,
    /// Names in the header `Host` that are served, without port. Empty: on loopback `localhost`,
    /// `127.0.0.1` and `[::1]` only (a web page could otherwise reach the server by a name of its
    /// own that leads here), elsewhere any.
    pub hosts: Vec<String>,
    /// Who may call what.
    pub auth: AuthConfig,
    /// What a caller may ask for, and all of them together.
    pub limits: LimitsConfig,
    /// Which web pages may call.
    pub cors: CorsConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)],
            hosts: Vec::new(),
            auth: AuthConfig::default(),
            limits: LimitsConfig::default(),
            cors: CorsConfig::default(),
        }
    }
}

/// `[server.cors]`: which web pages may call (the Fetch standard, "CORS protocol").
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CorsConfig {
    /// Origins such as `https://app.example.com`. Empty: no page of another origin may call.
    pub origins: Vec<String>,
}

impl ServerConfig {
    /// Whether everything in it can be used together. Files and URLs are not looked at.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.listen.is_empty() {
            let hint = "give at least one address, such as `127.0.0.1:7700`";
            return Err(ConfigError::value("listen", "there is no address", hint));
        }
        self.limits.check()?;
        self.auth.check()?;
        self.check_open()?;
        for host in &self.hosts {
            let bracketed = host.starts_with('[') && host.ends_with(']');
            if host.is_empty() || (!bracketed && host.contains([':', '/', '*'])) {
                let message = format!("`{host}` is not a name of a host");
                return Err(ConfigError::value("hosts", message, "give names without port"));
            }
        }
        self.cors.origins.iter().try_for_each(|origin| check_origin(origin))
    }

    /// Without authentication only this machine may call.
    pub(crate) fn check_open(&self) -> Result<(), ConfigError> {
        match self.listen.iter().find(|address| !address.ip().is_loopback()) {
            Some(&address) if !self.auth.is_configured() => Err(ConfigError::Open { address }),
            _ => Ok(()),
        }
    }
}

/// An origin as browsers send it: scheme and host, and the port unless it is the scheme's own.
fn check_origin(origin: &str) -> Result<(), ConfigError> {
    let refuse = |message: String| {
        let hint = "write each origin as browsers do, such as `https://app.example.com`";
        Err(ConfigError::value("cors.origins", message, hint))
    };
    if origin == "*" {
        return refuse("`*` would let every web page call".into());
    }
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_host = |rest: &str| {
        !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase())
            && !rest.contains(['/', '@', '*', '?', '#'])
    };
    if rest.is_some_and(is_host) { Ok(()) } else { refuse(format!("`{origin}` is not an origin")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ServerConfig, toml::de::Error> {
        toml::from_str(text)
    }

    fn refused(text: &str) -> ConfigError {
        parsed(text).expect("toml").check().expect_err(text)
    }

    const TOKEN: &str = r#"auth.tokens = [{ name = "ci", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", scopes = ["*"] }]"#;

    #[test]
    fn the_defaults_can_be_used() {
        assert_eq!(ServerConfig::default().check(), Ok(()));
        assert_eq!(parsed("").expect("toml"), ServerConfig::default());
    }

    #[test]
    fn unknown_keys_are_refused() {
        for text in ["lisen = []", "limits.bodies = \"1MiB\"", "cors.origin = []", "auth.jtw = []"]
        {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_goes_without_authentication() {
        for address in ["0.0.0.0:80", "[::]:80", "192.168.0.1:80"] {
            let text = format!("listen = [\"127.0.0.1:80\", \"{address}\"]");
            let address = address.parse().expect("address");
            assert_eq!(refused(&text), ConfigError::Open { address });
            let secured = format!("{text}\n{TOKEN}");
            assert_eq!(parsed(&secured).expect("toml").check(), Ok(()));
        }
        assert_eq!(parsed("listen = [\"[::1]:80\"]").expect("toml").check(), Ok(()));
    }

    #[test]
    fn origins_are_written_as_browsers_do() {
        for origin in ["*", "app.example.com", "https://app.example.com/", "https://*.example.com"]
        {
            let error = refused(&format!("cors.origins = [\"{origin}\"]"));
            assert!(error.to_string().starts_with("server.cors.origins: "), "{error}");
        }
        let fine = r#"cors.origins = ["https://app.example.com", "http://localhost:3000"]"#;
        assert_eq!(parsed(fine).expect("toml").check(), Ok(()));
    }

    #[test]
    fn limits_that_would_serve_nothing_are_refused() {
        for text in ["concurrency = 0", "body = \"0B\"", "head = \"4KiB\"", "json-depth = 500"] {
            refused(&format!("limits.{text}"));
        }
    }
}
