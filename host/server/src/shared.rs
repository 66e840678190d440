//! What every request of one server shares. Never: anything of a single request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::AuthHandle;
use crate::backend::Backend;
use crate::config::{LimitsConfig, ServerConfig};
use crate::guard::{Admission, Hosts};
use crate::metrics::Metrics;
use crate::problem::{Kind, Problem};

/// Answers up to this size are not counted as unsent: there are never more of them than connections
/// and streams.
const SMALL: usize = 64 << 10;

/// What unsent answers are counted in, so that a size fits a count of permits.
const UNIT: usize = 1 << 10;

pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) auth: AuthHandle,
    pub(crate) limits: LimitsConfig,
    pub(crate) hosts: Hosts,
    pub(crate) origins: Vec<String>,
    pub(crate) admission: Admission,
    pub(crate) metrics: Metrics,
    unsent: Arc<Semaphore>,
    stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn new(config: ServerConfig, auth: AuthHandle, backend: Arc<dyn Backend>) -> Self {
        let limits = config.limits;
        let unsent = limits.unsent.0.div_ceil(UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            backend,
            auth,
            hosts: Hosts::new(&config.hosts),
            origins: config.cors.origins,
            admission: Admission::new(&limits),
            metrics: Metrics::default(),
            unsent: Arc::new(Semaphore::new(unsent)),
            stopping: AtomicBool::new(false),
            limits,
        }
    }

    /// From now on the server is not ready.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Room for a finished answer until its caller has taken it.
    pub(crate) fn room_for(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, Problem> {
        if bytes <= SMALL {
            return Ok(None);
        }
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Arc::clone(&self.unsent).try_acquire_many_owned(units).map(Some).map_err(|_| {
            self.metrics.shed();
            let detail = "Too many answers wait for their callers to take them.";
            Problem::new(Kind::Overloaded, detail)
                .with_hint("try again later, or ask for a stream: `Accept: application/x-ndjson`")
        })
    }
}
