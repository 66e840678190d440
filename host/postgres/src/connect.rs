//! Opens connections: names, sockets, TLS, sign-in, and when to try again. Owns the
//! total deadline around all of it. Never keeps a connection and never runs a
//! guest's statement.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rustix::net::sockopt;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout_at};
use tokio_postgres::config::{
    ChannelBinding as DriverBinding, SslMode, SslNegotiation as DriverNegotiation,
};
use tokio_postgres::{CancelToken, Client, Config, SimpleQueryMessage};

use crate::classify;
use crate::endpoint::{
    ChannelBinding, Endpoint, Host, Keepalive, LoadBalance, Place, SessionAttributes,
};
use crate::error::{Error, Execution, UnavailableCause, WaitingFor};
use crate::tls::Handshake;
use crate::transport::{Established, Socket, Transport};

/// First pause between two attempts; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a server that does not answer at all is asked again. Servers that are
/// waking up answer, so this only has to outlast a restart.
const UNREACHABLE_PATIENCE: Duration = Duration::from_secs(3);

/// The driver's half that does the reading and writing.
pub(crate) type Driver = tokio_postgres::Connection<Transport, Transport>;

/// All that is needed to connect to an endpoint, made once.
pub(crate) struct Connector {
    endpoint: Endpoint,
    config: Config,
    handshake: Option<Handshake>,
    session: Option<String>,
}

/// A connection that was just opened.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) driver: Driver,
    pub(crate) route: Route,
}

/// Where a connection went, for cancel requests.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The name that the certificate must be for.
    name: String,
    address: Address,
}

#[derive(Debug, Clone)]
enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Connector {
    /// Reads the certificates the endpoint names. `application_name` is used
    /// unless the URL has one; `statement_timeout` becomes a session setting on
    /// direct endpoints.
    pub(crate) fn new(
        endpoint: &Endpoint,
        application_name: &str,
        statement_timeout: Option<Duration>,
    ) -> Result<Connector, Error> {
        let handshake = Handshake::new(&endpoint.tls)?;
        let mut config = Config::new();
        config.user(&endpoint.user).dbname(&endpoint.database);
        config.application_name(endpoint.application_name.as_deref().unwrap_or(application_name));
        if let Some(password) = &endpoint.password {
            config.password(password);
        }
        if let Some(options) = &endpoint.startup_options {
            config.options(options);
        }
        // TLS is established before the driver sees the stream; `Direct` makes it
        // ask for the stream's channel binding without negotiating again.
        config.ssl_mode(SslMode::Require).ssl_negotiation(DriverNegotiation::Direct);
        config.channel_binding(match endpoint.channel_binding {
            ChannelBinding::Disable => DriverBinding::Disable,
            ChannelBinding::Prefer => DriverBinding::Prefer,
            ChannelBinding::Require => DriverBinding::Require,
        });
        let session = session_settings(endpoint, statement_timeout);
        Ok(Connector { endpoint: endpoint.clone(), config, handshake, session })
    }

    /// Connects, trying again after failures that pass by themselves, until the
    /// deadline. `failed` is told of each failure.
    pub(crate) async fn connect(
        &self,
        deadline: Instant,
        failed: impl Fn(&Error),
    ) -> Result<Opened, Error> {
        let begin = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.attempt(deadline).await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            failed(&error);
            // Full jitter: hosts that lost the same server do not return in step.
            let wait = pause.mul_f64(rand::rng().random::<f64>());
            pause = (pause * 2).min(LONGEST_PAUSE);
            let patience_ends = match &error {
                Error::Unavailable(unavailable)
                    if unavailable.cause == UnavailableCause::Unreachable =>
                {
                    deadline.min(begin + UNREACHABLE_PATIENCE)
                }
                _ => deadline,
            };
            if !error.is_retryable_connect() || Instant::now() + wait >= patience_ends {
                return Err(error);
            }
            sleep(wait).await;
        }
    }

    /// One round over the endpoint's servers.
    async fn attempt(&self, deadline: Instant) -> Result<Opened, Error> {
        let mut hosts: Vec<&Host> = self.endpoint.hosts.iter().collect();
        if self.endpoint.load_balance == LoadBalance::Random {
            hosts.shuffle(&mut rand::rng());
        }
        let mut last = None;
        let count = hosts.len();
        for (index, host) in hosts.into_iter().enumerate() {
            let until = share(deadline, count - index);
            match timeout_at(until.into(), self.open(host, until)).await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(silent(host)),
            }
        }
        Err(last.unwrap_or(Error::Timeout { waiting_for: WaitingFor::Connection }))
    }

    async fn open(&self, host: &Host, until: Instant) -> Result<Opened, Error> {
        let addresses = addresses(host).await?;
        let mut last = classify::unresolved(&host.to_string(), None);
        let count = addresses.len();
        for (index, address) in addresses.into_iter().enumerate() {
            let route = Route { name: server_name(host), address };
            let share = share(until, count - index);
            let socket = match timeout_at(share.into(), route.open(&self.endpoint.keepalive)).await
            {
                Ok(Ok(socket)) => socket,
                Ok(Err(error)) => {
                    last = classify::unreachable(&host.to_string(), &error);
                    continue;
                }
                Err(_) => {
                    last = silent(host);
                    continue;
                }
            };
            return self.sign_in(host, route, socket).await;
        }
        Err(last)
    }

    async fn sign_in(&self, host: &Host, route: Route, socket: Socket) -> Result<Opened, Error> {
        let transport = self.secure(&route, socket).await?;
        let failed = |error: &tokio_postgres::Error| classify::connecting(&host.to_string(), error);
        let (client, mut driver) = self
            .config
            .connect_raw(transport, Established)
            .await
            .map_err(|error| failed(&error))?;
        // Nobody drives the connection yet, so it is driven beside the statements.
        tokio::select! {
            biased;
            result = self.prepare_session(host, &client) => result?,
            result = &mut driver => {
                result.map_err(|error| failed(&error))?;
                return Err(silent(host));
            }
        }
        Ok(Opened { client, driver, route })
    }

    async fn secure(&self, route: &Route, socket: Socket) -> Result<Transport, Error> {
        match (&self.handshake, &route.address) {
            (Some(handshake), Address::Tcp(_)) => handshake.establish(socket, &route.name).await,
            _ => Ok(Transport::plain(socket)),
        }
    }

    async fn prepare_session(&self, host: &Host, client: &Client) -> Result<(), Error> {
        let failed = |error: &tokio_postgres::Error| classify::connecting(&host.to_string(), error);
        if let Some(session) = &self.session {
            client.batch_execute(session).await.map_err(|error| failed(&error))?;
        }
        if self.endpoint.session_attributes == SessionAttributes::Any {
            return Ok(());
        }
        let messages = client
            .simple_query("show transaction_read_only")
            .await
            .map_err(|error| failed(&error))?;
        let read_only = messages.iter().any(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0) == Some("on"),
            _ => false,
        });
        let wanted = self.endpoint.session_attributes == SessionAttributes::ReadOnly;
        if read_only == wanted {
            return Ok(());
        }
        let state = if read_only { "does not take writes" } else { "takes writes" };
        Err(classify::unavailable(
            UnavailableCause::Starting,
            format!("{host} {state}, which target_session_attrs rules out"),
            None,
            Execution::NotExecuted,
            None,
        ))
    }

    /// Asks the server to cancel what a connection is doing. Returns when the
    /// request was sent; the server may act on it later.
    pub(crate) async fn cancel(&self, route: &Route, token: &CancelToken) -> Result<(), Error> {
        let socket = route
            .open(&self.endpoint.keepalive)
            .await
            .map_err(|error| classify::unreachable(&route.name, &error))?;
        let transport = self.secure(route, socket).await?;
        token
            .cancel_query_raw(transport, Established)
            .await
            .map_err(|error| classify::connecting(&route.name, &error))
    }
}

impl Route {
    async fn open(&self, keepalive: &Keepalive) -> io::Result<Socket> {
        match &self.address {
            Address::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix),
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                keep_alive(&stream, keepalive)?;
                Ok(Socket::Tcp(stream))
            }
        }
    }
}

fn keep_alive(stream: &TcpStream, keepalive: &Keepalive) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(timeout) = keepalive.user_timeout {
        let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(stream, milliseconds)?;
    }
    if !keepalive.enabled {
        return Ok(());
    }
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, keepalive.idle)?;
    if let Some(interval) = keepalive.interval {
        sockopt::set_tcp_keepintvl(stream, interval)?;
    }
    if let Some(retries) = keepalive.retries {
        sockopt::set_tcp_keepcnt(stream, retries)?;
    }
    Ok(())
}

/// The moment after a duration from now. Durations come from configurations, so that
/// those beyond a year count as a year and can not overflow a clock.
pub(crate) fn after(duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    Instant::now() + duration.min(YEAR)
}

/// The part of the time until `deadline` that the next of `count` candidates gets,
/// so that a silent one does not use it all.
fn share(deadline: Instant, count: usize) -> Instant {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    now + left / u32::try_from(count.max(1)).unwrap_or(u32::MAX)
}

fn silent(host: &Host) -> Error {
    classify::unreachable(&host.to_string(), &io::Error::from(io::ErrorKind::TimedOut))
}

fn server_name(host: &Host) -> String {
    match &host.place {
        Place::Name(name) => name.clone(),
        Place::Socket(_) => String::new(),
    }
}

async fn addresses(host: &Host) -> Result<Vec<Address>, Error> {
    match (&host.place, host.address) {
        (Place::Socket(folder), _) => {
            Ok(vec![Address::Unix(folder.join(format!(".s.PGSQL.{}", host.port)))])
        }
        (Place::Name(_), Some(address)) => {
            Ok(vec![Address::Tcp(SocketAddr::new(address, host.port))])
        }
        (Place::Name(name), None) => {
            let found = tokio::net::lookup_host((name.as_str(), host.port))
                .await
                .map_err(|error| classify::unresolved(name, Some(&error)))?;
            Ok(found.map(Address::Tcp).collect())
        }
    }
}

/// The statement that applies the endpoint's settings to a session. Poolers would
/// hand the settings to strangers, so there is none for them.
fn session_settings(endpoint: &Endpoint, statement_timeout: Option<Duration>) -> Option<String> {
    if endpoint.is_pooled() {
        return None;
    }
    let mut sql = String::new();
    if let Some(timeout) = statement_timeout {
        let _ = write!(sql, "set statement_timeout = {};", timeout_milliseconds(timeout));
    }
    for (name, value) in &endpoint.settings {
        let _ = write!(
            sql,
            "select pg_catalog.set_config({}, {}, false);",
            literal(name),
            literal(value)
        );
    }
    (!sql.is_empty()).then_some(sql)
}

/// `statement_timeout` is a positive 32-bit number of milliseconds; 0 would mean
/// none.
pub(crate) fn timeout_milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// A string constant (PostgreSQL documentation, "String Constants with C-Style
/// Escapes"), safe whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_quoted_and_left_out_behind_a_pooler() {
        let direct = Endpoint::parse("postgres://u@h/d?options=-c%20search_path%3Dit's").unwrap();
        let sql = session_settings(&direct, Some(Duration::from_secs(2))).unwrap();
        assert!(sql.starts_with("set statement_timeout = 2000;"), "{sql}");
        let pooled = Endpoint::parse("postgres://u@h:6543/d?schema=app").unwrap();
        assert_eq!(session_settings(&pooled, Some(Duration::from_secs(2))), None);
        assert_eq!(literal(r"a'\"), r"E'a''\\'");
    }

    #[test]
    fn a_timeout_never_becomes_no_timeout() {
        assert_eq!(timeout_milliseconds(Duration::ZERO), 1);
        assert_eq!(timeout_milliseconds(Duration::MAX), i32::MAX);
    }
}
