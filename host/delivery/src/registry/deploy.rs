//! Deploying a component. Never: looks into its bytes.

use std::time::Instant;

use avenire_postgres::Type;

use super::change::{Change, File, Published, Slot};
use super::connection::Parameters;
use super::error::{Place, RegistryError};
use super::event::What;
use super::read::MAXIMUM_ARTIFACT;
use super::record::{CanaryTerms, State, cell};
use super::{Digest, Registry, text};

/// The most keys of a canary.
const MAXIMUM_KEYS: usize = 100;

/// Whether the artifact's bytes are what they should be; no row when there is none.
const WHOLE: &str = "
select pg_catalog.sha256(bytes) = sha256 as whole from _avenire.artifacts where sha256 = $1";

/// Another one that stores the same at this moment is waited for.
const STORE: &str = "
insert into _avenire.artifacts (sha256, size, bytes) values ($1, octet_length($2), $2)
on conflict (sha256) do update set size = excluded.size, bytes = excluded.bytes";

/// Two that make the slot at once: one waits for the other.
const SLOT: &str = "
insert into _avenire.slots (component) values ($1) on conflict (component) do nothing";

const GENERATION: &str = "
insert into _avenire.generations
    (component, number, sha256, contract, signature, source, deployed_by, state, before)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// What is to be deployed.
#[derive(Debug, Clone)]
pub struct Deployment<'a> {
    /// The component.
    pub component: &'a str,
    /// Its file, at most [`MAXIMUM_ARTIFACT`].
    pub bytes: &'a [u8],
    /// The contract it was validated against.
    pub contract: Option<&'a str>,
    /// The content of its signature file.
    pub signature: Option<&'a str>,
    /// Where it comes from, 500 characters at most.
    pub source: &'a str,
    /// Who deploys it, 500 characters at most.
    pub by: &'a str,
    /// The generation that served when it was validated, 0 for none: another one that serves now
    /// refuses the deployment. Without it the last one wins.
    pub expected: Option<i64>,
    /// It shall take only some calls, on trial.
    pub canary: Option<CanaryTerms>,
}

/// What a deployment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It serves.
    Serving,
    /// It takes some calls, on trial.
    Canary,
    /// The same bytes were there already in the same place, and nothing has changed.
    Unchanged,
    /// The same, but the stored bytes were damaged, and are right again.
    Repaired,
}

/// A deployment that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Its generation.
    pub generation: i64,
    /// The name of its bytes.
    pub sha256: Digest,
    /// What served before; for a canary what serves beside it.
    pub former: Option<i64>,
    /// What it came to.
    pub outcome: Outcome,
    /// The registry's revision when the slot changed last.
    pub revision: i64,
}

impl Registry {
    /// Makes a new generation serve, or try. One transaction: all of it happens or nothing. To
    /// deploy the same again changes nothing, so that it may be repeated after a lost answer.
    ///
    /// # Errors
    /// [`RegistryError::Moved`] when another generation serves than was expected,
    /// [`RegistryError::CanaryUnderWay`] while another one is on trial, among others.
    pub async fn deploy(
        &self,
        deployment: &Deployment<'_>,
        deadline: Instant,
    ) -> Result<Deployed, RegistryError> {
        check(deployment)?;
        let sha256 = Digest::of_many(deployment.bytes).await;
        let change = self.begin(deadline).await?;
        let done = deploy(&change, deployment, sha256).await;
        change.end(done).await
    }
}

fn check(deployment: &Deployment<'_>) -> Result<(), RegistryError> {
    let Deployment { component, bytes, contract, signature, source, by, canary, .. } = deployment;
    text::component(component)?;
    if bytes.is_empty() || bytes.len() > MAXIMUM_ARTIFACT {
        let (size, maximum) = (bytes.len(), MAXIMUM_ARTIFACT);
        return Err(RegistryError::Size {
            component: (*component).to_owned(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            maximum: i64::try_from(maximum).unwrap_or(i64::MAX),
        });
    }
    text::maybe("the contract", *contract, text::MAXIMUM_CONTRACT)?;
    text::maybe("the signature", *signature, text::MAXIMUM_SIGNATURE)?;
    text::text("the source", source, text::MAXIMUM_TEXT)?;
    text::text("the name of who deploys", by, text::MAXIMUM_TEXT)?;
    canary.as_ref().map_or(Ok(()), check_terms)
}

/// Whether a canary can have these terms.
pub(super) fn check_terms(terms: &CanaryTerms) -> Result<(), RegistryError> {
    if terms.share_per_mille > 1000 {
        let reason = format!("is {} per mille", terms.share_per_mille);
        return Err(RegistryError::BadText { what: "the canary's share", reason });
    }
    if terms.keys.len() > MAXIMUM_KEYS {
        let reason = format!("are more than {MAXIMUM_KEYS}");
        return Err(RegistryError::BadText { what: "the canary's keys", reason });
    }
    terms.keys.iter().try_for_each(|key| text::text("a canary's key", key, text::MAXIMUM_TEXT))
}

async fn deploy(
    change: &Change<'_>,
    deployment: &Deployment<'_>,
    sha256: Digest,
) -> Result<Deployed, RegistryError> {
    let component = deployment.component;
    // Before the bytes travel. What counts is looked at again under the lock.
    let seen = change.slot(component).await?.unwrap_or_default();
    let same = judge(deployment, &seen, sha256)?;
    let stored = whole(change, sha256).await?;
    if stored != Some(true) {
        // Before the slot's lock, so that nobody waits for it while the bytes travel.
        store(change, deployment.bytes, sha256).await?;
    } else if let Some(generation) = same {
        let (former, revision) = (seen.serving, seen.revision);
        let outcome = Outcome::Unchanged;
        return Ok(Deployed { generation, sha256, former, outcome, revision });
    }
    change.rows("make the component's slot", SLOT, &[(&component, Type::TEXT)]).await?;
    let slot = change.locked(component).await?.unwrap_or_default();
    match judge(deployment, &slot, sha256)? {
        Some(generation) => repaired(change, deployment, &slot, generation, sha256).await,
        None => new(change, deployment, &slot, sha256).await,
    }
}

/// The generation that is the same already, in the place that is asked for.
fn judge(
    deployment: &Deployment<'_>,
    slot: &Slot,
    sha256: Digest,
) -> Result<Option<i64>, RegistryError> {
    let component = deployment.component;
    let is_same = |file: &Option<File>| {
        file.as_ref().is_some_and(|file| {
            file.sha256 == sha256
                && deployment.signature.is_none_or(|one| file.signature.as_deref() == Some(one))
        })
    };
    if is_same(&slot.serving_file) {
        return Ok(slot.serving);
    }
    let is_on_trial = deployment.canary.as_ref().is_some_and(|terms| *terms == slot.terms);
    if is_on_trial && is_same(&slot.canary_file) {
        return Ok(slot.canary);
    }
    slot.expect(component, Place::Serving, deployment.expected)?;
    slot.no_canary(component)?;
    if deployment.canary.is_some() && slot.serving.is_none() {
        return Err(RegistryError::NothingServes { component: component.to_owned() });
    }
    Ok(None)
}

async fn whole(change: &Change<'_>, sha256: Digest) -> Result<Option<bool>, RegistryError> {
    let key = sha256.as_bytes();
    let rows = change.rows("look for the artifact", WHOLE, &[(&key, Type::BYTEA)]).await?;
    rows.first().map(|row| cell!(row, "whole", format!("artifact {sha256}"))).transpose()
}

async fn store(change: &Change<'_>, bytes: &[u8], sha256: Digest) -> Result<(), RegistryError> {
    let key = sha256.as_bytes();
    let parameters: &Parameters<'_> = &[(&key, Type::BYTEA), (&bytes, Type::BYTEA)];
    change.rows("store the artifact", STORE, parameters).await.map(drop)
}

/// The bytes were stored again; whoever failed to read them is told to try again.
async fn repaired(
    change: &Change<'_>,
    deployment: &Deployment<'_>,
    slot: &Slot,
    generation: i64,
    sha256: Digest,
) -> Result<Deployed, RegistryError> {
    let published = Published {
        component: deployment.component,
        serving: slot.serving,
        canary: slot.canary.map(|canary| (canary, &slot.terms)),
        generation,
        what: What::Repaired,
        by: deployment.by,
        reason: None,
    };
    let revision = change.publish(published).await?;
    let (former, outcome) = (slot.serving, Outcome::Repaired);
    Ok(Deployed { generation, sha256, former, outcome, revision })
}

async fn new(
    change: &Change<'_>,
    deployment: &Deployment<'_>,
    slot: &Slot,
    sha256: Digest,
) -> Result<Deployed, RegistryError> {
    let Deployment { component, contract, signature, source, by, canary, .. } = deployment;
    let (component, by) = (*component, *by);
    let generation = slot.newest.saturating_add(1);
    let (state, before) =
        if canary.is_some() { (State::Canary, None) } else { (State::Serving, slot.serving) };
    let key = sha256.as_bytes();
    let parameters: &Parameters<'_> = &[
        (&component, Type::TEXT),
        (&generation, Type::INT8),
        (&key, Type::BYTEA),
        (contract, Type::TEXT),
        (signature, Type::TEXT),
        (source, Type::TEXT),
        (&by, Type::TEXT),
        (&state.as_str(), Type::TEXT),
        (&before, Type::INT8),
    ];
    change.rows("record the generation", GENERATION, parameters).await?;
    let (serving, canary, what, outcome) = match canary {
        Some(terms) => (slot.serving, Some((generation, terms)), What::Tried, Outcome::Canary),
        None => (Some(generation), None, What::Deployed, Outcome::Serving),
    };
    if let (Outcome::Serving, Some(former)) = (outcome, slot.serving) {
        change.mark(component, former, &State::Former, None, None).await?;
    }
    let published = Published { component, serving, canary, generation, what, by, reason: None };
    let revision = change.publish(published).await?;
    Ok(Deployed { generation, sha256, former: slot.serving, outcome, revision })
}
