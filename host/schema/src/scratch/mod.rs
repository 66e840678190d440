//! Scratch databases: made to find out what SQL leads to, and dropped when that is known.
//! Never: touches a database whose name does not begin with `avenire_scratch_`.

mod definitions;

use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Error, Session};

use crate::catalog::name::literal;

pub use definitions::{DefinitionsError, Statement, run_definitions};

/// What the names of scratch databases begin with; eight hexadecimal digits follow.
const PREFIX: &str = "avenire_scratch_";

/// The first key of the advisory locks that say whose scratch database is in use; the second is
/// the number in its name. `pg_locks` shows them across databases. ("AVSC" in ASCII.)
const LOCKS: i32 = 0x4156_5343;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes the lock of a random name that is free.
const TAKE: &str = "
select n, pg_try_advisory_lock({locks}, n)
from (select (random() * 2147483647)::int8::int4 as n) random";

/// Scratch databases whose owner is gone: nobody holds the lock.
const LEFT: &str = "
select d.datname::text from pg_database d
where d.datname ~ '^avenire_scratch_[0-9a-f]{8}$' and not exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.classid = {locks} and l.objsubid = 2
        and l.objid = ('x' || right(d.datname, 8))::bit(32)::int4::int8
)";

/// A database of nobody else's. Dropped, it is dropped at the server too, as well as that can be
/// known; [`Scratch::drop`] waits for it and tells. One that a killed process left behind is
/// dropped when the next one is made.
#[derive(Debug)]
pub struct Scratch {
    endpoint: Endpoint,
    name: String,
    /// Holds the lock as long as the database is in use, and drops it. None once dropped.
    keeper: Option<Session>,
}

impl Scratch {
    /// Makes an empty database on the server of `endpoint`, from `template0`. `label` tells in its
    /// comment what it is for.
    ///
    /// # Errors
    /// [`ScratchError`]; the user must have the right to make databases.
    pub async fn create(endpoint: &Endpoint, label: &str) -> Result<Self, ScratchError> {
        if endpoint.is_pooled() {
            return Err(ScratchError::Pooled);
        }
        let keeper = Session::connect(endpoint, Instant::now() + PATIENCE).await?;
        clean(&keeper).await?;
        let name = reserve(&keeper).await?;
        let create = format!("create database {name} template template0");
        keeper.batch(&create).await.map_err(|error| match error.sqlstate() {
            Some("42501") => ScratchError::MayNot { error },
            _ => error.into(),
        })?;
        let scratch = Self { endpoint: endpoint.with_database(&name), name, keeper: Some(keeper) };
        let comment = format!("avenire-db works in it ({label}) and drops it afterwards");
        scratch.comment(&comment).await?;
        Ok(scratch)
    }

    async fn comment(&self, comment: &str) -> Result<(), ScratchError> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let sql = format!("comment on database {} is {}", self.name, literal(comment));
        Ok(keeper.batch(&sql).await?)
    }

    /// Where to log in to it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new connection to it.
    pub async fn session(&self) -> Result<Session, ScratchError> {
        Ok(Session::connect(&self.endpoint, Instant::now() + PATIENCE).await?)
    }

    /// Drops it, with whoever is connected to it.
    ///
    /// # Errors
    /// [`ScratchError::Database`]; it is then left to the next one that is made.
    pub async fn drop(mut self) -> Result<(), ScratchError> {
        let Some(keeper) = self.keeper.take() else { return Ok(()) };
        Ok(keeper.batch(&dropping(&self.name)).await?)
    }
}

impl Drop for Scratch {
    /// In the background: when the program ends before, the next one that is made sees to it.
    fn drop(&mut self) {
        let Some(keeper) = self.keeper.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let sql = dropping(&self.name);
            runtime.spawn(async move {
                // Nobody is left to hear of a failure.
                drop(keeper.batch(&sql).await);
            });
        }
    }
}

fn dropping(name: &str) -> String {
    format!("drop database if exists {name} with (force)")
}

/// A name that nobody has or is about to have.
async fn reserve(keeper: &Session) -> Result<String, ScratchError> {
    let sql = TAKE.replace("{locks}", &LOCKS.to_string());
    for _ in 0..100 {
        for row in keeper.rows(&sql, &[]).await? {
            let (Ok(number), Ok(is_ours)) = (row.try_get::<_, i32>(0), row.try_get::<_, bool>(1))
            else {
                continue;
            };
            if is_ours {
                return Ok(format!("{PREFIX}{number:08x}"));
            }
        }
    }
    Err(ScratchError::NoName)
}

/// Drops what others left behind. Those that are not ours to drop stay: somebody may.
async fn clean(keeper: &Session) -> Result<(), ScratchError> {
    for row in keeper.rows(&LEFT.replace("{locks}", &LOCKS.to_string()), &[]).await? {
        if let Ok(name) = row.try_get::<_, &str>(0) {
            match keeper.batch(&dropping(name)).await {
                Ok(()) | Err(Error::Database(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Why there is no scratch database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// The connection's user may not make databases.
    #[error("no scratch database: {error}")]
    MayNot {
        /// What Postgres says.
        error: Error,
    },
    /// The endpoint is a pooler's.
    #[error("a scratch database can not be made through a pooler")]
    Pooled,
    /// All names that were tried are taken.
    #[error("no name is free for a scratch database")]
    NoName,
    /// The database could not be reached, or failed otherwise.
    #[error("no scratch database: {0}")]
    Database(#[from] Error),
}

impl ScratchError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MayNot { .. } => Some(
                "`alter role … createdb` gives the right to make databases; without a URL the \
                 private cluster is used, where everything is allowed"
                    .into(),
            ),
            Self::Pooled => Some("give the database's direct URL (not the pooler's)".into()),
            Self::NoName => Some("drop the databases called avenire_scratch_…".into()),
            Self::Database(error) => error.hint().map(std::borrow::Cow::into_owned),
        }
    }
}
