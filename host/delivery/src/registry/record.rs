//! What the registry says of slots and generations, and how it is read from rows.
//! Never: lets one row that cannot be read hide another.

use std::collections::BTreeMap;

use avenire_postgres::Row;

use super::Digest;
use super::error::RegistryError;
use super::text;

/// A cell of a row, by the name of its column; `what` names the row.
macro_rules! cell {
    ($row:expr, $column:expr, $what:expr) => {
        $row.try_get($column).map_err(|error| $crate::registry::record::malformed($what, &error))
    };
}
pub(super) use cell;

/// A time as text: it is only shown. Infinite times have no such form.
macro_rules! utc {
    ($column:literal) => {
        concat!(
            "coalesce(to_char(",
            $column,
            " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ",
            $column,
            "::text)"
        )
    };
}
pub(super) use utc;

/// The columns of a generation `g` with the size of its artifact `a`.
macro_rules! generation_columns {
    () => {
        concat!(
            "g.component, g.number, g.sha256, a.size, g.contract, g.signature, ",
            "left(g.source, 500) as source, left(g.deployed_by, 500) as deployed_by, ",
            $crate::registry::record::utc!("g.deployed_at"),
            " as deployed_at, g.state, left(g.reason, 500) as reason, ",
            $crate::registry::record::utc!("g.ended_at"),
            " as ended_at, g.before"
        )
    };
}
pub(super) use generation_columns;

/// What has become of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It takes the calls.
    Serving,
    /// It takes a share of the calls, on trial.
    Canary,
    /// It served until another one was deployed; a rollback may return to it.
    Former,
    /// It was found wanting; a rollback returns to it only when it is named.
    RolledBack,
    /// A canary that was not promoted.
    Abandoned,
    /// What a newer program calls it.
    Other(String),
}

impl State {
    /// As it stands in the database.
    pub fn as_str(&self) -> &str {
        match self {
            State::Serving => "serving",
            State::Canary => "canary",
            State::Former => "former",
            State::RolledBack => "rolled-back",
            State::Abandoned => "abandoned",
            State::Other(other) => other,
        }
    }

    fn parse(state: String) -> State {
        let known =
            [State::Serving, State::Canary, State::Former, State::RolledBack, State::Abandoned];
        let found = known.into_iter().find(|known| known.as_str() == state);
        found.unwrap_or(State::Other(state))
    }
}

/// Which calls a canary takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CanaryTerms {
    /// How many of a thousand, 0 to 1000.
    pub share_per_mille: u16,
    /// Keys whose calls it takes always; 100 at most, of 500 characters each.
    pub keys: Vec<String>,
}

/// One accepted version of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationRecord {
    /// The component.
    pub component: String,
    /// Counts up for each component, and is never used again.
    pub number: i64,
    /// The name of its bytes.
    pub sha256: Digest,
    /// How many bytes it has; none when they are missing.
    pub size: Option<i64>,
    /// The contract that it was deployed with.
    pub contract: Option<String>,
    /// The signature file that it was deployed with.
    pub signature: Option<String>,
    /// Where it came from.
    pub source: String,
    /// Who deployed it.
    pub deployed_by: String,
    /// When, by the database's clock, such as `2026-01-31T23:59:59Z`.
    pub deployed_at: String,
    /// What has become of it.
    pub state: State,
    /// Why it ended, if somebody said so.
    pub reason: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// The generation that served before it.
    pub before: Option<i64>,
}

/// A generation on trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryRecord {
    /// The generation.
    pub generation: GenerationRecord,
    /// Which calls it takes.
    pub terms: CanaryTerms,
}

/// What a component serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRecord {
    /// The component.
    pub component: String,
    /// The registry's revision when the slot changed last.
    pub revision: i64,
    /// What takes the calls.
    pub serving: Option<GenerationRecord>,
    /// What takes a share of them.
    pub canary: Option<CanaryRecord>,
}

/// What all components serve, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// Counts the changes of the registry.
    pub revision: i64,
    /// The slots that could be read, by component.
    pub slots: Vec<SlotRecord>,
    /// Why others could not.
    pub problems: Vec<RegistryError>,
    /// The components of those others, as they stand in the database.
    pub unreadable: Vec<String>,
}

/// All slots, one row for each generation in one; a row without a component when there is none.
pub(super) const SLOTS: &str = concat!(
    "select r.revision as registry_revision, s.component as slot, s.revision as slot_revision, ",
    "s.serving, s.canary, s.canary_share, s.canary_keys, ",
    generation_columns!(),
    " from _avenire.registry r left join _avenire.slots s on true ",
    "left join _avenire.generations g ",
    "on g.component = s.component and g.number in (s.serving, s.canary) ",
    "left join _avenire.artifacts a on a.sha256 = g.sha256 order by s.component"
);

/// The rows of [`SLOTS`].
pub(super) fn slots(rows: &[Row]) -> Result<Slots, RegistryError> {
    let what = "the registry's revision";
    let Some(first) = rows.first() else {
        let reason = "the table _avenire.registry has no row".into();
        return Err(RegistryError::Malformed { what: what.into(), reason });
    };
    let mut all = Slots { revision: cell!(first, "registry_revision", what)?, ..Slots::default() };
    let mut by_component: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let component: Option<String> = cell!(row, "slot", "the name of a slot")?;
        if let Some(component) = component {
            by_component.entry(component).or_default().push(row);
        }
    }
    for (component, rows) in by_component {
        match slot(component.clone(), &rows) {
            Ok(slot) => all.slots.push(slot),
            Err(problem) => {
                all.problems.push(problem);
                all.unreadable.push(component);
            }
        }
    }
    Ok(all)
}

fn slot(component: String, rows: &[&Row]) -> Result<SlotRecord, RegistryError> {
    text::component(&component)?;
    let what = format!("the slot of component `{component}`");
    let missing = |generation: i64| {
        let component = component.clone();
        RegistryError::NoGeneration { component, generation }
    };
    let Some(row) = rows.first() else { return Err(missing(0)) };
    let mut generations = Vec::new();
    for row in rows {
        let number: Option<i64> = cell!(row, "number", &what)?;
        if number.is_some() {
            generations.push(generation(row)?);
        }
    }
    let mut take = |number: Option<i64>| -> Result<Option<GenerationRecord>, RegistryError> {
        let Some(number) = number else { return Ok(None) };
        let found = generations.iter().position(|one| one.number == number);
        found.map(|found| generations.swap_remove(found)).map(Some).ok_or_else(|| missing(number))
    };
    let serving = take(cell!(row, "serving", &what)?)?;
    let canary = take(cell!(row, "canary", &what)?)?;
    let canary = match canary {
        Some(generation) => Some(CanaryRecord { generation, terms: terms(row, &what)? }),
        None => None,
    };
    Ok(SlotRecord { revision: cell!(row, "slot_revision", &what)?, serving, canary, component })
}

fn terms(row: &Row, what: &str) -> Result<CanaryTerms, RegistryError> {
    let share: i32 = cell!(row, "canary_share", what)?;
    match u16::try_from(share) {
        Ok(share_per_mille @ 0..=1000) => {
            Ok(CanaryTerms { share_per_mille, keys: cell!(row, "canary_keys", what)? })
        }
        _ => Err(malformed(what, &format!("a canary's share of {share} per mille"))),
    }
}

/// A row with [`generation_columns`].
pub(super) fn generation(row: &Row) -> Result<GenerationRecord, RegistryError> {
    let component: String = cell!(row, "component", "the component of a generation")?;
    let number: i64 = cell!(row, "number", "the number of a generation")?;
    let what = format!("generation {number} of component `{component}`");
    if number < 1 {
        return Err(malformed(&what, &"its number is not positive"));
    }
    let sha256: Vec<u8> = cell!(row, "sha256", &what)?;
    Ok(GenerationRecord {
        number,
        sha256: digest(&sha256, &what)?,
        size: cell!(row, "size", &what)?,
        contract: cell!(row, "contract", &what)?,
        signature: cell!(row, "signature", &what)?,
        source: cell!(row, "source", &what)?,
        deployed_by: cell!(row, "deployed_by", &what)?,
        deployed_at: cell!(row, "deployed_at", &what)?,
        state: State::parse(cell!(row, "state", &what)?),
        reason: cell!(row, "reason", &what)?,
        ended_at: cell!(row, "ended_at", &what)?,
        before: cell!(row, "before", &what)?,
        component,
    })
}

pub(super) fn digest(bytes: &[u8], what: &str) -> Result<Digest, RegistryError> {
    Digest::try_from(bytes).map_err(|error| malformed(what, &error))
}

pub(super) fn malformed(what: impl Into<String>, reason: &impl ToString) -> RegistryError {
    RegistryError::Malformed { what: what.into(), reason: reason.to_string() }
}
