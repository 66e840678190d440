//! What has happened to components: the registry's events. Never: changes or deletes one.

use std::time::Instant;

use avenire_postgres::{Row, Type};

use super::error::RegistryError;
use super::record::{cell, utc};
use super::{Registry, text};

const HISTORY: &str = concat!(
    "select e.id, e.component, e.generation, e.what, left(e.by, 500) as by, ",
    utc!("e.at"),
    " as at, left(e.reason, 500) as reason, e.host, e.serving from _avenire.events e ",
    "where $1::text is null or e.component = $1 order by e.id desc limit $2"
);

/// What happened to a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It was deployed, and serves.
    Deployed,
    /// It was deployed as a canary.
    Tried,
    /// The canary takes other calls than before.
    Adjusted,
    /// The canary serves.
    Promoted,
    /// The canary was given up.
    Abandoned,
    /// It was given up for an earlier one.
    RolledBack,
    /// A host could not take it.
    Refused,
    /// Its damaged or missing bytes were stored again.
    Repaired,
    /// What a newer program calls it.
    Other(String),
}

impl What {
    /// As it stands in the database.
    pub fn as_str(&self) -> &str {
        match self {
            What::Deployed => "deployed",
            What::Tried => "tried",
            What::Adjusted => "adjusted",
            What::Promoted => "promoted",
            What::Abandoned => "abandoned",
            What::RolledBack => "rolled-back",
            What::Refused => "refused",
            What::Repaired => "repaired",
            What::Other(other) => other,
        }
    }

    fn parse(what: String) -> What {
        let known = [
            What::Deployed,
            What::Tried,
            What::Adjusted,
            What::Promoted,
            What::Abandoned,
            What::RolledBack,
            What::Refused,
            What::Repaired,
        ];
        let found = known.into_iter().find(|known| known.as_str() == what);
        found.unwrap_or(What::Other(what))
    }
}

/// Something that happened to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts up, with gaps.
    pub id: i64,
    /// The component.
    pub component: String,
    /// The generation that it happened to.
    pub generation: i64,
    /// What happened.
    pub what: What,
    /// Who did it: a person, a program, or the host that refused.
    pub by: String,
    /// When, by the database's clock, such as `2026-01-31T23:59:59Z`.
    pub at: String,
    /// Why, if somebody said so.
    pub reason: Option<String>,
    /// The id of the host that refused.
    pub host: Option<String>,
    /// The generation that served afterwards.
    pub serving: Option<i64>,
}

impl Registry {
    /// The latest events, the newest first, of one component or of all. Those that cannot be read
    /// are left out with a warning in the log.
    pub async fn history(
        &self,
        component: Option<&str>,
        limit: u16,
        deadline: Instant,
    ) -> Result<Vec<Event>, RegistryError> {
        component.map_or(Ok(()), text::component)?;
        let limit = i64::from(limit);
        let parameters = [(&component as _, Type::TEXT), (&limit as _, Type::INT8)];
        let rows = self.rows("read the history", HISTORY, &parameters, deadline).await?;
        Ok(super::readable(rows.iter().map(event)))
    }
}

fn event(row: &Row) -> Result<Event, RegistryError> {
    let id: i64 = cell!(row, "id", "the id of an event")?;
    let what = || format!("event {id}");
    Ok(Event {
        id,
        component: cell!(row, "component", what())?,
        generation: cell!(row, "generation", what())?,
        what: What::parse(cell!(row, "what", what())?),
        by: cell!(row, "by", what())?,
        at: cell!(row, "at", what())?,
        reason: cell!(row, "reason", what())?,
        host: cell!(row, "host", what())?,
        serving: cell!(row, "serving", what())?,
    })
}
