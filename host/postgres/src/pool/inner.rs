//! What the lanes of a pool share: the endpoint, the way to open a connection, and
//! the counters. Never hands out a connection itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use tokio::time::sleep;

use super::exclusive::Lane;
use super::shapes::Shapes;
use super::shared::Shared;
use super::{PoolFigures, PoolOptions};
use crate::classify;
use crate::connect::{Connector, after};
use crate::connection::Connection;
use crate::endpoint::{Endpoint, StatementMode};
use crate::error::{DatabaseError, Error, Execution, UnavailableCause};
use crate::packed::{Budget, Caps, Header};
use crate::parameters::Parameters;
use crate::run::Want;

/// After a successful connect the endpoint counts as awake for this long, and
/// several connections may be opened at once.
const WARM: Duration = Duration::from_secs(10);
/// How long `close` waits for what is running.
const CLOSING: Duration = Duration::from_secs(5);
/// Most types kept by name.
const MAXIMUM_TYPES: usize = 1024;

/// Finds a type along the search path.
const TYPE_BY_NAME: &str = "select t.oid, t.typarray from pg_catalog.pg_type t \
     where t.typname = $1::text and pg_catalog.pg_type_is_visible(t.oid)";
/// Finds a type in a schema.
const TYPE_BY_SCHEMA: &str = "select t.oid, t.typarray from pg_catalog.pg_type t \
     join pg_catalog.pg_namespace n on n.oid = t.typnamespace \
     where t.typname = $1::text and n.nspname = $2::text";

type TypeKey = (Option<String>, String);

pub(crate) struct Inner {
    endpoint: Endpoint,
    options: PoolOptions,
    mode: StatementMode,
    connector: OnceLock<Arc<Connector>>,
    /// One connection at a time while the endpoint may be asleep.
    gate: tokio::sync::Mutex<()>,
    last_connect: Mutex<Option<Instant>>,
    last_failure: Mutex<Option<(Instant, Error)>>,
    pub(super) shared: Shared,
    pub(super) exclusive: Lane,
    /// A connection for finding out the columns of statements behind a pooler, apart
    /// from the exclusive ones so that a transaction never waits for itself.
    pub(super) scouts: Lane,
    pub(super) shapes: Shapes,
    types: Mutex<HashMap<TypeKey, (u32, u32)>>,
    /// Raised when the schema was seen to have changed.
    epoch: AtomicU64,
    connects: AtomicU64,
    failures: AtomicU64,
    pub(super) waiting: AtomicUsize,
    pub(super) closed: AtomicBool,
    pub(super) upkeep: AtomicBool,
}

impl Inner {
    pub(super) fn new(endpoint: Endpoint, options: PoolOptions) -> Inner {
        if endpoint.is_pooled() && !endpoint.settings().is_empty() {
            tracing::warn!(
                endpoint = %endpoint.redacted(),
                "the URL's settings can not be passed through a pooler; set them on the role",
            );
        }
        Inner {
            mode: endpoint.statement_mode(),
            connector: OnceLock::new(),
            gate: tokio::sync::Mutex::new(()),
            last_connect: Mutex::new(None),
            last_failure: Mutex::new(None),
            shared: Shared::new(options.shared.max(1)),
            exclusive: Lane::new(options.exclusive.max(1)),
            scouts: Lane::new(1),
            shapes: Shapes::new(),
            types: Mutex::new(HashMap::new()),
            epoch: AtomicU64::new(0),
            connects: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            upkeep: AtomicBool::new(false),
            endpoint,
            options,
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn options(&self) -> &PoolOptions {
        &self.options
    }

    pub(crate) fn mode(&self) -> StatementMode {
        self.mode
    }

    pub(crate) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// A prepared statement was stale, so others will be, on every connection.
    pub(crate) fn schema_changed(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.shapes.clear();
        lock(&self.types).clear();
    }

    /// Opens a connection within the pool's own time for it.
    pub(super) async fn connect(self: &Arc<Self>) -> Result<Connection, Error> {
        let patience = self.endpoint.connect_timeout().unwrap_or(self.options.connect_timeout);
        let begin = Instant::now();
        let is_warm = lock(&self.last_connect).is_some_and(|last| last.elapsed() < WARM);
        let _gate = if is_warm { None } else { Some(self.gate.lock().await) };
        if let Some(error) = self.failure_since(begin)
            && !error.is_retryable_connect()
        {
            // Whoever held the gate was refused for good; so would we be.
            return Err(error);
        }
        let connected = self.open(after(patience)).await;
        match &connected {
            Ok(_) => {
                self.connects.fetch_add(1, Ordering::Relaxed);
                *lock(&self.last_connect) = Some(Instant::now());
                *lock(&self.last_failure) = None;
            }
            Err(error) => self.note_failure(error),
        }
        connected
    }

    async fn open(self: &Arc<Self>, deadline: Instant) -> Result<Connection, Error> {
        let connector = self.connector()?;
        let opened = connector.connect(deadline, |error| {
            self.failures.fetch_add(1, Ordering::Relaxed);
            self.note_failure(error);
            tracing::debug!(endpoint = %self.endpoint.redacted(), %error, "connecting failed");
        });
        let opened = opened.await?;
        // A tenth of jitter, so that connections opened together do not end together.
        let lifetime = self.options.max_lifetime;
        let lifetime = lifetime.saturating_sub((lifetime / 10).mul_f64(rand::rng().random()));
        let mut connection =
            Connection::start(opened, connector, lifetime, self.options.statement_cache);
        let types = self.shapes.user_types();
        let learned =
            tokio::time::timeout_at(deadline.into(), connection.learn_types(&types)).await;
        match learned {
            Ok(Ok(())) => Ok(connection),
            Ok(Err(error)) => {
                // A type may have been dropped; the next look finds out afresh.
                self.shapes.clear();
                Err(connection.error(&error, classify::Stage::Preparing))
            }
            Err(_) => Err(classify::unavailable(
                UnavailableCause::Starting,
                format!("{} did not answer in time", self.endpoint.redacted()),
                None,
                Execution::NotExecuted,
                None,
            )),
        }
    }

    /// Reads certificates only once, but again after a failure, since files can be
    /// mended.
    fn connector(&self) -> Result<&Arc<Connector>, Error> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let connector = Connector::new(
            &self.endpoint,
            &self.options.application_name,
            self.options.statement_timeout,
        )?;
        Ok(self.connector.get_or_init(|| Arc::new(connector)))
    }

    fn note_failure(&self, error: &Error) {
        *lock(&self.last_failure) = Some((Instant::now(), error.clone()));
    }

    /// The last failure to connect, when it is younger than `begin`: it tells more
    /// than that a caller's deadline passed.
    pub(super) fn failure_since(&self, begin: Instant) -> Option<Error> {
        lock(&self.last_failure)
            .as_ref()
            .filter(|(at, _)| *at >= begin)
            .map(|(_, error)| error.clone())
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Relaxed) { Err(Error::closed_pool()) } else { Ok(()) }
    }

    pub(crate) async fn lookup_type(
        self: &Arc<Self>,
        name: &str,
        schema: Option<&str>,
        deadline: Instant,
    ) -> Result<(u32, u32), Error> {
        if name.contains('\0') || schema.is_some_and(|schema| schema.contains('\0')) {
            return Err(Error::invalid("the name of the type contains a NUL byte"));
        }
        let key = (schema.map(str::to_owned), name.to_owned());
        if let Some(found) = lock(&self.types).get(&key) {
            return Ok(*found);
        }
        let (sql, parameters) = match schema {
            Some(schema) => (TYPE_BY_SCHEMA, Parameters::texts(&[name, schema])),
            None => (TYPE_BY_NAME, Parameters::texts(&[name])),
        };
        let budget = Budget::new(Caps { rows: 8, bytes: 1024 });
        let want = Want::Rows(Header::Types, &budget);
        let packed = self.single(sql, &parameters, want, deadline).await?;
        let found = two_oids(&packed.bytes).ok_or_else(|| no_such_type(name, schema))?;
        let mut types = lock(&self.types);
        if types.len() >= MAXIMUM_TYPES {
            types.clear();
        }
        types.insert(key, found);
        Ok(found)
    }

    pub(super) fn figures(&self) -> PoolFigures {
        let (shared, in_flight) = self.shared.figures();
        PoolFigures {
            shared,
            in_flight,
            in_use: self.exclusive.in_use(),
            idle: self.exclusive.idle() + self.scouts.idle(),
            waiting: self.waiting.load(Ordering::Relaxed),
            connects: self.connects.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.exclusive.close();
        self.scouts.close();
        let end = Instant::now() + CLOSING;
        loop {
            self.shared.close();
            let figures = self.figures();
            if (figures.in_flight == 0 && figures.in_use == 0) || Instant::now() >= end {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Counts a caller that waits for a connection, until dropped.
pub(super) struct Waiting<'a>(&'a Inner);

impl<'a> Waiting<'a> {
    pub(super) fn new(inner: &'a Inner) -> Waiting<'a> {
        inner.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("endpoint", &self.endpoint)
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

/// The guard is never held across an await, and nothing panics while it is held.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The OIDs in packed rows of two columns, of the first row.
fn two_oids(packed: &[u8]) -> Option<(u32, u32)> {
    // u16 columns, u8 kind, two u32 types, u32 rows; then length and cell, twice.
    let cell = |at: usize| {
        let bytes = packed.get(at..at + 4)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    Some((cell(19)?, cell(27)?))
}

fn no_such_type(name: &str, schema: Option<&str>) -> Error {
    let full = schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"));
    Error::Database(Box::new(DatabaseError {
        // undefined_object
        code: "42704".to_owned(),
        severity: "ERROR".to_owned(),
        message: format!("type \"{full}\" does not exist"),
        ..DatabaseError::default()
    }))
}
