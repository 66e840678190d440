//! The registry: which generation of each component serves, for all hosts of a database. Owns the
//! tables in the schema `_avenire` that say so, and how hosts hear of a change.
//! Never: compiles, validates or runs a component.
//!
//! There is no coordinator. Whoever changes something locks the component's row in `slots`, writes,
//! counts the revision in `registry`, and notifies, all in one transaction; hosts listen and look.
//! Times are the database's, so that the hosts' clocks do not matter.

mod change;
mod connection;
mod deploy;
mod digest;
mod error;
mod event;
mod feed;
mod fleet;
mod form;
mod read;
mod record;
mod text;
mod turn;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};

pub use deploy::{Deployed, Deployment, Outcome};
pub use digest::{Digest, NotADigest};
pub use error::{Blame, Place, RegistryError};
pub use event::{Event, What};
pub use feed::{Feed, Following, FollowingWatch, Poll};
pub use fleet::{HostRecord, HostReport, HostSlot, HostState};
pub use read::MAXIMUM_ARTIFACT;
pub use record::{CanaryRecord, CanaryTerms, GenerationRecord, SlotRecord, Slots, State};
pub use turn::{Ended, Rollback, RolledBack};

/// The registry of one database. Cheap to clone; the clones share one connection, and make another
/// for each operation that runs at the same time.
///
/// # Cancel safety
/// An operation whose future is dropped takes its connection with it: a change is rolled back unless
/// its commit was under way.
#[derive(Debug, Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    /// The connection of the last operation.
    kept: Mutex<Option<Session>>,
}

impl Registry {
    /// Looks for the registry in the endpoint's database, and makes its tables when there are none.
    /// Any number of hosts may do so at once. A pooled endpoint is fine, except that a [`Feed`] on
    /// it can only poll.
    ///
    /// # Errors
    /// [`RegistryError::NotAllowed`] when the tables have to be made and the user may not,
    /// [`RegistryError::Newer`] when they have a form that this program cannot use, among others.
    pub async fn open(endpoint: &Endpoint, deadline: Instant) -> Result<Registry, RegistryError> {
        let inner = Inner { endpoint: endpoint.clone(), kept: Mutex::new(None) };
        let registry = Registry { inner: Arc::new(inner) };
        form::prepare(&registry, deadline).await?;
        Ok(registry)
    }

    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }
}

/// Up to `most`, so that many hosts do not act in step.
fn jitter(most: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 1024;
    most.saturating_mul(u32::try_from(random).unwrap_or(0)) / 1024
}

/// The rows that could be read; the others are told in the log.
fn readable<T>(rows: impl Iterator<Item = Result<T, RegistryError>>) -> Vec<T> {
    let told = rows.map(|row| {
        row.inspect_err(|error| tracing::warn!(%error, hint = error.hint(), "left out"))
    });
    told.filter_map(Result::ok).collect()
}
