//! One transaction that changes the registry, and what all changes have in common: the slot's lock,
//! the revision, the event, the notification. Never: decides what a change means.

use std::time::Instant;

use avenire_postgres::{Row, Session, Type};

use super::Digest;
use super::Registry;
use super::connection::{Parameters, within};
use super::error::{Place, RegistryError};
use super::event::What;
use super::record::{CanaryTerms, State, cell, digest};

/// Where changes are told: `component revision`, separated by a space.
pub(super) const CHANNEL: &str = "avenire_registry";

/// Waits for whoever is changing the slot. A statement of its own: the next one sees what they did.
const LOCK: &str = "select from _avenire.slots where component = $1 for update";

const SLOT: &str = "
select s.serving, s.canary, s.canary_share, s.canary_keys, s.revision,
    greatest(s.newest, s.serving, s.canary, (
        select max(number) from _avenire.generations where component = $1)) as newest,
    g.sha256 as serving_sha256, g.signature as serving_signature,
    c.sha256 as canary_sha256, c.signature as canary_signature
from _avenire.slots s
left join _avenire.generations g on g.component = s.component and g.number = s.serving
left join _avenire.generations c on c.component = s.component and c.number = s.canary
where s.component = $1";

/// The revision is counted last, since everybody who changes anything waits for its row.
const PUBLISH: &str = "
with counted as (
    update _avenire.registry set revision = revision + 1 returning revision
), changed as (
    update _avenire.slots s
    set serving = $2, canary = $3, canary_share = $4, canary_keys = $5,
        newest = greatest(s.newest, $2, $3, $6), revision = counted.revision
    from counted where s.component = $1
    returning s.revision
), told as (
    insert into _avenire.events (component, generation, what, by, reason, serving)
    select $1, $6, $7, $8, $9, $2 from changed
)
select revision, pg_catalog.pg_notify('avenire_registry', $1 || ' ' || revision) from changed";

const MARK: &str = "
update _avenire.generations
set state = $3, reason = $4, before = coalesce($5, before),
    ended_at = case when $3 in ('serving', 'canary') then null else clock_timestamp() end
where component = $1 and number = $2";

/// A transaction. Dropped, it is rolled back with its connection.
pub(super) struct Change<'a> {
    registry: &'a Registry,
    session: Session,
    deadline: Instant,
}

/// What a slot is before a change.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) serving: Option<i64>,
    pub(super) canary: Option<i64>,
    pub(super) terms: CanaryTerms,
    /// The highest number that was given.
    pub(super) newest: i64,
    pub(super) revision: i64,
    pub(super) serving_file: Option<File>,
    pub(super) canary_file: Option<File>,
}

/// What a generation was made of.
#[derive(Debug)]
pub(super) struct File {
    pub(super) sha256: Digest,
    pub(super) signature: Option<String>,
}

/// What a slot is after a change, and what is told of it.
pub(super) struct Published<'a> {
    pub(super) component: &'a str,
    pub(super) serving: Option<i64>,
    pub(super) canary: Option<(i64, &'a CanaryTerms)>,
    /// The generation that the event is about.
    pub(super) generation: i64,
    pub(super) what: What,
    pub(super) by: &'a str,
    pub(super) reason: Option<&'a str>,
}

impl Slot {
    /// Refuses when the place holds another generation than the caller expects; 0 means none.
    pub(super) fn expect(
        &self,
        component: &str,
        place: Place,
        expected: Option<i64>,
    ) -> Result<(), RegistryError> {
        let found = match place {
            Place::Serving => self.serving,
            Place::Canary => self.canary,
        };
        match expected {
            Some(expected) if expected != found.unwrap_or(0) => {
                let component = component.to_owned();
                Err(RegistryError::Moved { component, place, expected, found })
            }
            _ => Ok(()),
        }
    }

    /// Refuses when a canary is on trial.
    pub(super) fn no_canary(&self, component: &str) -> Result<(), RegistryError> {
        self.canary.map_or(Ok(()), |generation| {
            let component = component.to_owned();
            Err(RegistryError::CanaryUnderWay { component, generation })
        })
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(registry: &'a Registry, session: Session, deadline: Instant) -> Change<'a> {
        Change { registry, session, deadline }
    }

    pub(super) async fn rows(
        &self,
        doing: &'static str,
        sql: &str,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, RegistryError> {
        let rows = within(self.deadline, self.session.query(sql, parameters)).await;
        rows.map_err(|error| self.registry.error(doing, error))
    }

    pub(super) async fn batch(&self, doing: &'static str, sql: &str) -> Result<(), RegistryError> {
        let done = within(self.deadline, self.session.batch(sql)).await;
        done.map_err(|error| self.registry.error(doing, error))
    }

    /// Commits what went well, and takes back what did not.
    pub(super) async fn end<T>(self, done: Result<T, RegistryError>) -> Result<T, RegistryError> {
        match done {
            Ok(done) => {
                self.batch("commit the change", "commit").await?;
                self.registry.keep(self.session);
                Ok(done)
            }
            Err(error) => {
                // A connection that does not even roll back is dropped, and the change with it.
                if self.batch("roll back", "rollback").await.is_ok() {
                    self.registry.keep(self.session);
                }
                Err(error)
            }
        }
    }

    /// The slot under its lock; none when there is no such component.
    pub(super) async fn locked(&self, component: &str) -> Result<Option<Slot>, RegistryError> {
        self.rows("wait for the component's slot", LOCK, &[(&component, Type::TEXT)]).await?;
        self.slot(component).await
    }

    /// The slot as it is now, whoever may be changing it.
    pub(super) async fn slot(&self, component: &str) -> Result<Option<Slot>, RegistryError> {
        let rows =
            self.rows("read the component's slot", SLOT, &[(&component, Type::TEXT)]).await?;
        rows.first().map(|row| parse(row, component)).transpose()
    }

    /// Changes the slot, counts the revision, and tells of it. The new revision.
    pub(super) async fn publish(&self, to: Published<'_>) -> Result<i64, RegistryError> {
        let nothing = CanaryTerms::default();
        let (canary, terms) = to.canary.map_or((None, &nothing), |(one, terms)| (Some(one), terms));
        let share = i32::from(terms.share_per_mille);
        let parameters: &Parameters<'_> = &[
            (&to.component, Type::TEXT),
            (&to.serving, Type::INT8),
            (&canary, Type::INT8),
            (&share, Type::INT4),
            (&terms.keys, Type::TEXT_ARRAY),
            (&to.generation, Type::INT8),
            (&to.what.as_str(), Type::TEXT),
            (&to.by, Type::TEXT),
            (&to.reason, Type::TEXT),
        ];
        let rows = self.rows("publish the change", PUBLISH, parameters).await?;
        let Some(row) = rows.first() else {
            let what = "the registry's revision".into();
            let reason = "the table _avenire.registry has no row".into();
            return Err(RegistryError::Malformed { what, reason });
        };
        cell!(row, "revision", "the registry's revision")
    }

    /// Writes what has become of a generation. `before` is what served before it.
    pub(super) async fn mark(
        &self,
        component: &str,
        generation: i64,
        state: &State,
        reason: Option<&str>,
        before: Option<i64>,
    ) -> Result<(), RegistryError> {
        let parameters: &Parameters<'_> = &[
            (&component, Type::TEXT),
            (&generation, Type::INT8),
            (&state.as_str(), Type::TEXT),
            (&reason, Type::TEXT),
            (&before, Type::INT8),
        ];
        self.rows("record what became of a generation", MARK, parameters).await.map(drop)
    }
}

fn parse(row: &Row, component: &str) -> Result<Slot, RegistryError> {
    let what = || format!("the slot of component `{component}`");
    let file = |sha256: &str, signature: &str| -> Result<Option<File>, RegistryError> {
        let bytes: Option<Vec<u8>> = cell!(row, sha256, what())?;
        let Some(bytes) = bytes else { return Ok(None) };
        let signature = cell!(row, signature, what())?;
        Ok(Some(File { sha256: digest(&bytes, &what())?, signature }))
    };
    let share: i32 = cell!(row, "canary_share", what())?;
    let terms = CanaryTerms {
        share_per_mille: u16::try_from(share).unwrap_or(0),
        keys: cell!(row, "canary_keys", what())?,
    };
    Ok(Slot {
        serving: cell!(row, "serving", what())?,
        canary: cell!(row, "canary", what())?,
        terms,
        newest: cell!(row, "newest", what())?,
        revision: cell!(row, "revision", what())?,
        serving_file: file("serving_sha256", "serving_signature")?,
        canary_file: file("canary_sha256", "canary_signature")?,
    })
}
