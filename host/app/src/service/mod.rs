//! A host in production: what it serves follows the registry and the watched files, and it reports
//! to the fleet.
//!
//! Owns the order of starting and stopping. What the registry says of a component counts; files
//! count for components that the registry does not know. Never: decides whether a component may
//! serve (the host does), stores components (the registry does).

mod follow;
mod notice;
mod origin;
mod report;
mod slot;
mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use avenire_delivery::Keys;
use avenire_delivery::registry::{Feed, Poll, Registry};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::error::AppError;
use crate::host::{Host, Selection};
use crate::project::Project;
use crate::roles::Extent;
use crate::targets::Targets;
use start::Start;

pub use notice::Notice;
pub(crate) use origin::{keys, signed, stored};
pub(crate) use report::machine;

/// How long one conversation with the registry may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How a host serves.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Whether changed files are served at once.
    pub watch: bool,
    /// Whether the registry counts.
    pub registry: bool,
    /// How often the registry is looked at when no notification comes, and the host reports.
    pub interval: Duration,
    /// Whether notifications are listened for, which takes a connection, where the target allows it.
    pub listen: bool,
    /// What people call the host.
    pub name: String,
}

impl Default for ServeOptions {
    /// The registry without files, looked at every ten seconds, under the machine's name.
    fn default() -> Self {
        let interval = Poll::default().interval;
        Self { watch: false, registry: true, interval, listen: true, name: report::machine() }
    }
}

/// What everything that runs for a service shares.
pub(crate) struct Ground {
    pub(crate) project: Project,
    pub(crate) host: Host,
    pub(crate) registry: Option<Registry>,
    pub(crate) keys: Keys,
    /// This host's id in the registry.
    pub(crate) id: String,
    told: Box<dyn Fn(Notice) + Send + Sync>,
    standings: Mutex<BTreeMap<String, Standing>>,
    /// Rung when the fleet should hear of something before the next interval.
    changed: Notify,
}

/// How a slot stands to what the registry says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// The generation that could not be taken.
    pub(crate) refused: Option<i64>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The revision that was acted upon.
    pub(crate) revision: i64,
}

impl Ground {
    fn standings(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how a slot stands now.
    pub(crate) fn stands(&self, component: &str, standing: Standing) {
        self.standings().insert(component.to_owned(), standing);
        self.changed.notify_one();
    }

    pub(crate) fn tell(&self, notice: Notice) {
        notice.log();
        (self.told)(notice);
    }
}

/// A host that serves until it is stopped.
pub struct Service {
    ground: Arc<Ground>,
    tasks: JoinSet<()>,
}

impl Service {
    /// Serves what the registry says, and what the manifest's files hold of the rest. `told` hears of
    /// everything that changes; it must not block.
    pub async fn start(
        project: Project,
        targets: Targets,
        options: ServeOptions,
        told: Box<dyn Fn(Notice) + Send + Sync>,
    ) -> Result<Self, AppError> {
        let keys = origin::keys(&project)?;
        let registry = if options.registry {
            Some(Registry::open(&targets.direct, Instant::now() + PATIENCE).await?)
        } else {
            None
        };
        let at_start = match &registry {
            Some(registry) => start::at_start(&project, registry, &keys).await?,
            None => BTreeMap::new(),
        };
        let in_registry: BTreeSet<String> = at_start.keys().cloned().collect();
        let stored = at_start.into_iter().filter_map(|(name, start)| match start {
            Start::Generation(number, artifact) => Some((name, (number, artifact))),
            Start::Damaged => None,
        });
        let stored = stored.collect();
        let host =
            Host::start_with(&project, targets, &Selection::All, Extent::Exact, &stored).await?;
        let id = report::new_id();
        let ground = Arc::new(Ground {
            project,
            host,
            registry,
            keys,
            id,
            told,
            standings: Mutex::default(),
            changed: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        let senders = slot::spawn(&ground, &stored, &in_registry, &mut tasks);
        if let Some(registry) = ground.registry.clone() {
            let poll = Poll {
                interval: options.interval,
                listen: options.listen && !registry.endpoint().is_pooled(),
                ..Poll::default()
            };
            let feed = Feed::start(&registry, poll);
            tasks.spawn(follow::registry(Arc::clone(&ground), feed, senders.clone()));
            tasks.spawn(report::beat(Arc::clone(&ground), options.clone()));
        }
        if options.watch {
            let files = follow::files(&ground)?;
            tasks.spawn(follow::folder(Arc::clone(&ground), files, senders));
        }
        Ok(Self { ground, tasks })
    }

    /// What everything that runs for it shares.
    pub(crate) fn ground(&self) -> Arc<Ground> {
        Arc::clone(&self.ground)
    }

    /// What serves.
    pub fn host(&self) -> &Host {
        &self.ground.host
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.ground.project
    }

    /// Leaves the fleet, ends what runs beside calls, and closes every connection.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        if let Some(registry) = &self.ground.registry {
            let left =
                registry.leave(&self.ground.id, Instant::now() + Duration::from_secs(5)).await;
            if let Err(error) = left {
                tracing::warn!(%error, "the host could not take its leave of the registry");
            }
        }
        self.ground.host.close_connections().await;
    }
}
