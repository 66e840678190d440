//! The hosts of a database: what each of them serves, as it says itself. Never: tells a host what to
//! do, or asks one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use avenire_postgres::{Row, Type};
use serde_json::json;

use super::connection::Parameters;
use super::error::RegistryError;
use super::record::{cell, malformed, utc};
use super::{Registry, text};

/// A host that was not seen for so many of its intervals is gone.
const MISSED: u32 = 3;

/// One message and one answer; what has not changed is not written, except for when the host was
/// seen. Hosts that were not seen for a day go; those that another host is removing are skipped, so
/// that two never wait for each other.
const BEAT: &str = "
with host as (
    insert into _avenire.hosts (id, name, version, beats_every_ms) values ($1, $2, $3, $4)
    on conflict (id) do update set name = excluded.name, version = excluded.version,
        beats_every_ms = excluded.beats_every_ms, seen_at = clock_timestamp()
    returning id
), said as (
    select * from pg_catalog.jsonb_to_recordset($5::text::jsonb) as said (component text,
        generation bigint, canary bigint, refused bigint, state text, reason text, revision bigint)
), put as (
    insert into _avenire.host_slots as old
        (host, component, generation, canary, refused, state, reason, revision)
    select host.id, said.* from said cross join host
    where not exists (
        select from _avenire.host_slots s where s.host = host.id and s.component = said.component
            and (s.generation, s.canary, s.refused, s.state, s.reason, s.revision)
                is not distinct from (said.generation, said.canary, said.refused, said.state,
                    said.reason, said.revision))
    on conflict (host, component) do update set generation = excluded.generation,
        canary = excluded.canary, refused = excluded.refused, state = excluded.state,
        reason = excluded.reason, revision = excluded.revision,
        since = case
            when (old.generation, old.canary, old.refused, old.state) is not distinct from
                (excluded.generation, excluded.canary, excluded.refused, excluded.state)
            then old.since else clock_timestamp() end
), dropped as (
    delete from _avenire.host_slots s
    where s.host = $1 and not exists (select from said where said.component = s.component)
), forgotten as (
    delete from _avenire.hosts where id in (
        select id from _avenire.hosts
        where seen_at < now() - interval '1 day' and id <> $1 limit 100 for update skip locked)
)
select revision from _avenire.registry";

/// Told once for each host and generation. The host itself may not have reported yet.
const REFUSED: &str = "
with known as (
    select from _avenire.generations where component = $1 and number = $2
), told as (
    insert into _avenire.events (component, generation, what, by, host, reason)
    select $1, $2, 'refused', coalesce((select name from _avenire.hosts where id = $3), $3), $3, $4
    from known
    on conflict (component, generation, host) where what = 'refused' do nothing
), put as (
    insert into _avenire.host_slots as old (host, component, refused, state, reason, revision)
    select $3, $1, $2, 'refused', $4,
        coalesce((select revision from _avenire.slots where component = $1), 0)
    from known where exists (select from _avenire.hosts where id = $3)
    on conflict (host, component) do update set refused = excluded.refused,
        state = excluded.state, reason = excluded.reason, revision = excluded.revision,
        since = case
            when old.refused is not distinct from excluded.refused and old.state = excluded.state
            then old.since else clock_timestamp() end
)
select count(*) as known from known";

const FLEET: &str = concat!(
    "select h.id, h.name, h.version, h.beats_every_ms, ",
    utc!("h.started_at"),
    " as started_at, extract(epoch from clock_timestamp() - h.seen_at)::float8 as seen_ago, ",
    "s.component, s.generation, s.canary, s.refused, s.state, left(s.reason, 500) as reason, ",
    "s.revision, ",
    utc!("s.since"),
    " as since from _avenire.hosts h left join _avenire.host_slots s on s.host = h.id ",
    "order by h.name, h.id, s.component"
);

const LEAVE: &str = "delete from _avenire.hosts where id = $1";

/// How a host does with what the registry says of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostState {
    /// It serves that.
    Serving,
    /// It could not take a generation, and serves on what it had.
    Refused,
    /// What a newer program calls it.
    Other(String),
}

impl HostState {
    /// As it stands in the database.
    pub fn as_str(&self) -> &str {
        match self {
            HostState::Serving => "serving",
            HostState::Refused => "refused",
            HostState::Other(other) => other,
        }
    }
}

/// A slot as one host has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSlot {
    /// The component.
    pub component: String,
    /// The generation that serves there.
    pub generation: Option<i64>,
    /// The canary there.
    pub canary: Option<i64>,
    /// The generation that the host could not take.
    pub refused: Option<i64>,
    /// How it does.
    pub state: HostState,
    /// Why it could not; what is longer than 500 characters is cut.
    pub reason: Option<String>,
    /// The revision of the slot that the host has acted upon.
    pub revision: i64,
    /// Since when this is so, by the database's clock; not looked at in a report.
    pub since: Option<String>,
}

/// What a host says of itself.
#[derive(Debug, Clone)]
pub struct HostReport<'a> {
    /// Its own for as long as it runs: up to 64 letters, digits and `-_.:`.
    pub id: &'a str,
    /// What people call it, such as the name of its machine.
    pub name: &'a str,
    /// The program's version.
    pub version: &'a str,
    /// How often it reports.
    pub interval: Duration,
    /// All its slots.
    pub slots: &'a [HostSlot],
}

/// A host of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct HostRecord {
    /// Its own for as long as it runs.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// When it reported first, by the database's clock.
    pub started_at: String,
    /// How long ago it reported last.
    pub seen_ago: Duration,
    /// How often it reports.
    pub interval: Duration,
    /// Whether it has missed three reports.
    pub is_gone: bool,
    /// What it serves, by component.
    pub slots: Vec<HostSlot>,
}

impl Registry {
    /// Reports that a host is there and what it serves. The registry's revision, so that reports
    /// alone suffice to notice a change.
    pub async fn beat(
        &self,
        report: &HostReport<'_>,
        deadline: Instant,
    ) -> Result<i64, RegistryError> {
        let slots = check(report)?;
        let every = i64::try_from(report.interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let parameters: &Parameters<'_> = &[
            (&report.id, Type::TEXT),
            (&report.name, Type::TEXT),
            (&report.version, Type::TEXT),
            (&every, Type::INT8),
            (&slots, Type::TEXT),
        ];
        let rows = self.rows("report to the registry", BEAT, parameters, deadline).await?;
        let what = "the registry's revision";
        let row = rows.first().ok_or_else(|| malformed(what, &"there is none"))?;
        cell!(row, "revision", what)
    }

    /// All hosts that reported within a day and have not left, by name.
    pub async fn fleet(&self, deadline: Instant) -> Result<Vec<HostRecord>, RegistryError> {
        let rows = self.rows("read the hosts", FLEET, &[], deadline).await?;
        let mut hosts: Vec<HostRecord> = Vec::new();
        for (host, slot) in super::readable(rows.iter().map(parse)) {
            match hosts.last_mut().filter(|last| last.id == host.id) {
                Some(last) => last.slots.extend(slot),
                None => hosts.push(HostRecord { slots: slot.into_iter().collect(), ..host }),
            }
        }
        Ok(hosts)
    }

    /// Removes a host that stops.
    pub async fn leave(&self, host: &str, deadline: Instant) -> Result<(), RegistryError> {
        text::host(host)?;
        let parameters: &Parameters<'_> = &[(&host, Type::TEXT)];
        self.rows("leave the registry", LEAVE, parameters, deadline).await.map(drop)
    }

    /// Records that a host could not take a generation: in the history once for each host and
    /// generation, and in what the host has reported. What is longer than 500 characters of the
    /// reason is cut.
    ///
    /// # Errors
    /// [`RegistryError::NoGeneration`] among others.
    pub async fn refused(
        &self,
        component: &str,
        generation: i64,
        host: &str,
        reason: &str,
        deadline: Instant,
    ) -> Result<(), RegistryError> {
        text::component(component)?;
        text::host(host)?;
        let reason = text::shortened(reason);
        let parameters: &Parameters<'_> = &[
            (&component, Type::TEXT),
            (&generation, Type::INT8),
            (&host, Type::TEXT),
            (&reason, Type::TEXT),
        ];
        let rows = self.rows("record a refusal", REFUSED, parameters, deadline).await?;
        match rows.first().map_or(Ok(0), |row| cell!(row, "known", "a refusal"))? {
            0_i64 => {
                let component = component.to_owned();
                Err(RegistryError::NoGeneration { component, generation })
            }
            _ => Ok(()),
        }
    }
}

/// The slots of a report as JSON.
fn check(report: &HostReport<'_>) -> Result<String, RegistryError> {
    text::host(report.id)?;
    text::text("the host's name", report.name, text::MAXIMUM_TEXT)?;
    text::text("the host's version", report.version, text::MAXIMUM_TEXT)?;
    let mut seen = BTreeSet::new();
    let mut slots = Vec::new();
    for slot in report.slots {
        text::component(&slot.component)?;
        text::text("the state of a slot", slot.state.as_str(), text::MAXIMUM_TEXT)?;
        if !seen.insert(&slot.component) {
            let reason = format!("names the component `{}` twice", slot.component);
            return Err(RegistryError::BadText { what: "the host's report", reason });
        }
        slots.push(json!({
            "component": slot.component,
            "generation": slot.generation,
            "canary": slot.canary,
            "refused": slot.refused,
            "state": slot.state.as_str(),
            "reason": slot.reason.as_deref().map(text::shortened),
            "revision": slot.revision,
        }));
    }
    Ok(serde_json::Value::from(slots).to_string())
}

fn parse(row: &Row) -> Result<(HostRecord, Option<HostSlot>), RegistryError> {
    let id: String = cell!(row, "id", "the id of a host")?;
    let what = || format!("host `{id}`");
    let every: i64 = cell!(row, "beats_every_ms", what())?;
    let interval = Duration::from_millis(u64::try_from(every).unwrap_or(0));
    let ago: f64 = cell!(row, "seen_ago", what())?;
    // The clock of a database that was moved may have been ahead.
    let seen_ago = Duration::try_from_secs_f64(ago.max(0.0)).unwrap_or_default();
    let host = HostRecord {
        name: cell!(row, "name", what())?,
        version: cell!(row, "version", what())?,
        started_at: cell!(row, "started_at", what())?,
        seen_ago,
        interval,
        is_gone: seen_ago > interval.saturating_mul(MISSED),
        slots: Vec::new(),
        id: id.clone(),
    };
    let component: Option<String> = cell!(row, "component", what())?;
    let Some(component) = component else { return Ok((host, None)) };
    let state: String = cell!(row, "state", what())?;
    let slot = HostSlot {
        component,
        generation: cell!(row, "generation", what())?,
        canary: cell!(row, "canary", what())?,
        refused: cell!(row, "refused", what())?,
        state: match state.as_str() {
            "serving" => HostState::Serving,
            "refused" => HostState::Refused,
            _ => HostState::Other(state),
        },
        reason: cell!(row, "reason", what())?,
        revision: cell!(row, "revision", what())?,
        since: cell!(row, "since", what())?,
    };
    Ok((host, Some(slot)))
}
