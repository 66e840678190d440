//! Renames: found, answered, and carried out in the scratch database, so that Postgres carries
//! them into every expression, and the comparison that follows need not know of any.

use avenire_postgres::Session;

use super::Terms;
use super::error::RevisionError;
use crate::catalog::{Catalog, Introspected, introspect};
use crate::renames::{self, Rename};
use crate::scratch::Scratch;

/// A scratch database with its renames done.
pub(super) struct Settled {
    /// What was done, in order.
    pub(super) renames: Vec<Rename>,
    /// The catalog before.
    pub(super) before: Introspected,
    /// The catalog after.
    pub(super) after: Introspected,
}

pub(super) async fn settle(
    scratch: &Scratch,
    to: &Catalog,
    terms: &Terms<'_>,
) -> Result<Settled, RevisionError> {
    let session = scratch.session().await?;
    let before = introspect(&session, terms.scope).await?;
    let mut renames = asked(&before.catalog, to, terms)?;
    let mut after = carry_out(&session, &renames, terms).await?.unwrap_or_else(|| before.clone());
    // Only now can constraints and indexes be recognised by their definitions.
    let implied = renames::implied(&after.catalog, to);
    if let Some(read) = carry_out(&session, &implied, terms).await? {
        after = read;
    }
    renames.extend(implied);
    Ok(Settled { renames, before, after })
}

/// The renames that the answers lead to, asking for what they lack. An answer may raise further
/// questions, such as those about the columns of a renamed table.
fn asked(from: &Catalog, to: &Catalog, terms: &Terms<'_>) -> Result<Vec<Rename>, RevisionError> {
    let mut answers = terms.answers.clone();
    loop {
        let unanswered = match renames::questions(from, to, &answers) {
            Ok(renames) => return Ok(renames),
            Err(unanswered) => unanswered,
        };
        let more =
            if unanswered.unmatched.is_empty() { (terms.ask)(&unanswered.questions) } else { None };
        match more {
            Some(more) => answers.extend(more),
            None => return Err(unanswered.into()),
        }
    }
}

async fn carry_out(
    session: &Session,
    renames: &[Rename],
    terms: &Terms<'_>,
) -> Result<Option<Introspected>, RevisionError> {
    if renames.is_empty() {
        return Ok(None);
    }
    for rename in renames {
        session.batch(&rename.up()).await?;
    }
    Ok(Some(introspect(session, terms.scope).await?))
}
