//! Going back, and the end of a canary's trial. Never: makes a new generation.

use std::time::Instant;

use avenire_postgres::Type;

use super::change::{Change, Published, Slot};
use super::connection::Parameters;
use super::deploy::check_terms;
use super::error::{Place, RegistryError};
use super::event::What;
use super::record::{CanaryTerms, State, cell};
use super::{Registry, text};

/// Whether a component has a generation.
const KNOWN: &str = "
select from _avenire.generations where component = $1 and number = $2";

/// The nearest one that served before, of what was not given up. Numbers get smaller on the way, so
/// that it ends whatever the rows say.
const BEFORE: &str = "
with recursive back as (
    select g.number, g.before, g.state
    from _avenire.generations g where g.component = $1 and g.number = $2
    union all
    select g.number, g.before, g.state
    from back join _avenire.generations g on g.component = $1 and g.number = back.before
    where g.number < back.number
)
select number from back where number < $2 and state = 'former' order by number desc limit 1";

/// A rollback that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolledBack {
    /// What served.
    pub from: i64,
    /// What serves now, under its old number.
    pub to: i64,
    /// The registry's revision of the change.
    pub revision: i64,
}

/// How to go back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rollback<'a> {
    /// The component.
    pub component: &'a str,
    /// The generation to serve, whatever became of it; else the one that served before, of those
    /// that were not given up.
    pub to: Option<i64>,
    /// The generation that the caller saw serving; another one refuses the rollback.
    pub expected: Option<i64>,
    /// Who goes back, 500 characters at most.
    pub by: &'a str,
    /// Why, 500 characters at most.
    pub reason: Option<&'a str>,
}

/// The end of a canary's trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The canary.
    pub canary: i64,
    /// What serves now.
    pub serving: Option<i64>,
    /// What served until now.
    pub former: Option<i64>,
    /// The registry's revision of the change.
    pub revision: i64,
}

/// What is to become of a canary.
#[derive(Clone, Copy)]
enum Trial<'a> {
    Promote,
    Abandon(Option<&'a str>),
    Adjust(&'a CanaryTerms),
}

impl Registry {
    /// Makes a former generation serve again. What served is not returned to unless it is named,
    /// and the next rollback goes further back. To name a later one is possible, and gives nothing
    /// up.
    ///
    /// # Errors
    /// [`RegistryError::NothingBefore`], [`RegistryError::Moved`],
    /// [`RegistryError::CanaryUnderWay`], [`RegistryError::NoGeneration`] among others.
    pub async fn rollback(
        &self,
        rollback: &Rollback<'_>,
        deadline: Instant,
    ) -> Result<RolledBack, RegistryError> {
        text::component(rollback.component)?;
        text::text("the name of who rolls back", rollback.by, text::MAXIMUM_TEXT)?;
        text::maybe("the reason", rollback.reason, text::MAXIMUM_TEXT)?;
        let change = self.begin(deadline).await?;
        let done = roll_back(&change, rollback).await;
        change.end(done).await
    }

    /// Makes the canary serve. `expected` is the canary that the caller saw.
    ///
    /// # Errors
    /// [`RegistryError::NoCanary`], [`RegistryError::Moved`] among others.
    pub async fn promote(
        &self,
        component: &str,
        expected: Option<i64>,
        by: &str,
        deadline: Instant,
    ) -> Result<Ended, RegistryError> {
        self.trial(component, expected, by, Trial::Promote, deadline).await
    }

    /// Gives the canary up; what serves goes on serving. `expected` is the canary that the caller
    /// saw: another one is left alone.
    ///
    /// # Errors
    /// [`RegistryError::NoCanary`], [`RegistryError::Moved`] among others.
    pub async fn abandon(
        &self,
        component: &str,
        expected: Option<i64>,
        by: &str,
        reason: Option<&str>,
        deadline: Instant,
    ) -> Result<Ended, RegistryError> {
        text::maybe("the reason", reason, text::MAXIMUM_TEXT)?;
        self.trial(component, expected, by, Trial::Abandon(reason), deadline).await
    }

    /// Gives the canary other calls than before. The new revision.
    ///
    /// # Errors
    /// [`RegistryError::NoCanary`], [`RegistryError::Moved`] among others.
    pub async fn adjust(
        &self,
        component: &str,
        expected: Option<i64>,
        terms: &CanaryTerms,
        by: &str,
        deadline: Instant,
    ) -> Result<i64, RegistryError> {
        check_terms(terms)?;
        let ended = self.trial(component, expected, by, Trial::Adjust(terms), deadline).await?;
        Ok(ended.revision)
    }

    async fn trial(
        &self,
        component: &str,
        expected: Option<i64>,
        by: &str,
        trial: Trial<'_>,
        deadline: Instant,
    ) -> Result<Ended, RegistryError> {
        text::component(component)?;
        text::text("the name of who decides", by, text::MAXIMUM_TEXT)?;
        let change = self.begin(deadline).await?;
        let done = decide(&change, component, expected, by, trial).await;
        change.end(done).await
    }
}

async fn locked(change: &Change<'_>, component: &str) -> Result<Slot, RegistryError> {
    let slot = change.locked(component).await?;
    slot.ok_or_else(|| RegistryError::NoComponent { component: component.to_owned() })
}

async fn roll_back(
    change: &Change<'_>,
    rollback: &Rollback<'_>,
) -> Result<RolledBack, RegistryError> {
    let Rollback { component, to, expected, by, reason } = *rollback;
    let slot = locked(change, component).await?;
    slot.expect(component, Place::Serving, expected)?;
    slot.no_canary(component)?;
    let owned = || component.to_owned();
    let Some(from) = slot.serving else {
        return Err(RegistryError::NothingBefore { component: owned(), generation: 0 });
    };
    let to = match to {
        Some(to) if to == from => {
            return Err(RegistryError::AlreadyServing { component: owned(), generation: to });
        }
        Some(to) => known(change, component, to).await?,
        None => before(change, component, from).await?,
    };
    // To a later one: the earlier one is not given up, and is what served before it.
    let (state, before) =
        if to < from { (State::RolledBack, None) } else { (State::Former, Some(from)) };
    change.mark(component, from, &state, reason, None).await?;
    change.mark(component, to, &State::Serving, None, before).await?;
    let published = Published {
        component,
        serving: Some(to),
        canary: None,
        generation: from,
        what: What::RolledBack,
        by,
        reason,
    };
    Ok(RolledBack { from, to, revision: change.publish(published).await? })
}

async fn known(change: &Change<'_>, component: &str, to: i64) -> Result<i64, RegistryError> {
    let parameters: &Parameters<'_> = &[(&component, Type::TEXT), (&to, Type::INT8)];
    let rows = change.rows("look for the generation", KNOWN, parameters).await?;
    let component = component.to_owned();
    rows.first().map(|_| to).ok_or(RegistryError::NoGeneration { component, generation: to })
}

async fn before(change: &Change<'_>, component: &str, from: i64) -> Result<i64, RegistryError> {
    let parameters: &Parameters<'_> = &[(&component, Type::TEXT), (&from, Type::INT8)];
    let rows = change.rows("look for the former generation", BEFORE, parameters).await?;
    let Some(row) = rows.first() else {
        let component = component.to_owned();
        return Err(RegistryError::NothingBefore { component, generation: from });
    };
    cell!(row, "number", format!("a former generation of component `{component}`"))
}

async fn decide(
    change: &Change<'_>,
    component: &str,
    expected: Option<i64>,
    by: &str,
    trial: Trial<'_>,
) -> Result<Ended, RegistryError> {
    let slot = locked(change, component).await?;
    let Some(canary) = slot.canary else {
        return Err(RegistryError::NoCanary { component: component.to_owned() });
    };
    slot.expect(component, Place::Canary, expected)?;
    let (serving, stays, what, reason) = match trial {
        Trial::Promote => {
            if let Some(former) = slot.serving {
                change.mark(component, former, &State::Former, None, None).await?;
            }
            change.mark(component, canary, &State::Serving, None, slot.serving).await?;
            (Some(canary), None, What::Promoted, None)
        }
        Trial::Abandon(reason) => {
            change.mark(component, canary, &State::Abandoned, reason, slot.serving).await?;
            (slot.serving, None, What::Abandoned, reason)
        }
        Trial::Adjust(terms) => (slot.serving, Some((canary, terms)), What::Adjusted, None),
    };
    let published =
        Published { component, serving, canary: stays, generation: canary, what, by, reason };
    let revision = change.publish(published).await?;
    Ok(Ended { canary, serving, former: slot.serving, revision })
}
