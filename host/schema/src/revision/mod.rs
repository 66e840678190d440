//! From one catalog to another, proven: what `generate` and `push` have in common.
//!
//! Owns the order of the work: renames first, carried out by Postgres itself in a scratch
//! database, then the comparison, then the plan, then the proof. Never: writes to any database but
//! a scratch one, writes a file.

mod desired;
mod error;
mod proof;
mod settle;

use avenire_postgres::Endpoint;

use crate::catalog::{Introspected, Scope};
use crate::diff;
use crate::plan::{self, HazardKind, PlanOptions, PlannedFile, Step};
use crate::renames::{Answers, Question, Rename};
use crate::scratch::Scratch;

pub use desired::desired;
pub use error::RevisionError;
pub(crate) use error::listed;

/// What may be asked while a revision is made. Returns none when nobody can be asked.
pub type Ask<'a> = &'a (dyn Fn(&[Question]) -> Option<Answers> + Send + Sync);

/// What a revision is made with.
pub struct Terms<'a> {
    /// The server of scratch databases.
    pub scratch: &'a Endpoint,
    /// Which schemas are compared.
    pub scope: &'a Scope,
    /// What is known of renames.
    pub answers: &'a Answers,
    /// Hazards that are accepted although they are refused by default.
    pub accept: &'a [HazardKind],
    /// Asked when `answers` does not suffice.
    pub ask: Ask<'a>,
}

/// How one catalog becomes another.
#[derive(Debug)]
pub struct Revision {
    /// What is renamed, in order, before anything else.
    pub renames: Vec<Rename>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// The same as files, renames included, in order.
    pub files: Vec<PlannedFile>,
    /// What the catalog is afterwards.
    pub to: Introspected,
}

impl Revision {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Makes and proves the revision that leads from what is in `from` to `to`. `from` is changed on
/// the way and of no use afterwards.
///
/// Proven means: the files, as they are, were applied to `from` and gave exactly `to`; their downs,
/// where all have one, were applied after that and gave exactly what `from` was.
pub async fn revise(
    from: &Scratch,
    to: Introspected,
    frame: Frame,
    terms: &Terms<'_>,
) -> Result<Revision, RevisionError> {
    let settled = settle::settle(from, &to.catalog, terms).await?;
    let difference = diff::compare(&settled.after.catalog, &to.catalog);
    if difference.is_empty() && settled.renames.is_empty() && frame.is_empty() {
        return Ok(Revision { renames: Vec::new(), steps: Vec::new(), files: Vec::new(), to });
    }
    let options = PlanOptions { online: true, accept: terms.accept.iter().copied().collect() };
    let plan = plan::plan(&settled.after, &to, &options);
    if !plan.refused.is_empty() {
        return Err(RevisionError::Refused(plan.refused));
    }
    let files = frame.around(with_renames(&settled.renames, plan.files()));
    proof::prove(from, &files, &settled, &to.catalog, terms.scope).await?;
    Ok(Revision { renames: settled.renames, steps: plan.steps, files, to })
}

/// What comes before and after the planned files, and no comparison of catalogs asks for.
#[derive(Debug, Default)]
pub struct Frame {
    /// Runs before the renames and all else.
    pub first: Option<PlannedFile>,
    /// Runs after all else.
    pub last: Option<PlannedFile>,
}

impl Frame {
    fn is_empty(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// With nothing between them, the two are one file.
    fn around(self, files: Vec<PlannedFile>) -> Vec<PlannedFile> {
        match (self.first, self.last) {
            (Some(first), Some(last)) if files.is_empty() => {
                let PlannedFile { suffix, transaction, up, down } = last;
                let down = down.zip(first.down).map(|(last, first)| last + &first);
                vec![PlannedFile { suffix, transaction, up: first.up + &up, down }]
            }
            (first, last) => first.into_iter().chain(files).chain(last).collect(),
        }
    }
}

/// The renames open the first file when that is one transaction, and are a file of their own
/// otherwise.
fn with_renames(renames: &[Rename], mut files: Vec<PlannedFile>) -> Vec<PlannedFile> {
    if renames.is_empty() {
        return files;
    }
    let up: String = renames.iter().map(|rename| hazard(rename) + &rename.up() + "\n").collect();
    let down: String =
        renames.iter().rev().map(|rename| hazard(rename) + &rename.down() + "\n").collect();
    match files.first_mut() {
        Some(first) if first.transaction => {
            first.up = format!("{up}\n{}", first.up);
            first.down = first.down.take().map(|rest| format!("{rest}\n{down}"));
        }
        _ => {
            let suffix = (!files.is_empty()).then(|| "renames".to_owned());
            files.insert(0, PlannedFile { suffix, transaction: true, up, down: Some(down) });
        }
    }
    files
}

/// The comment before a rename that running code notices.
fn hazard(rename: &Rename) -> String {
    if rename.breaks_callers() {
        format!("-- hazard: {}: the former name is gone\n", HazardKind::BreaksCallers)
    } else {
        String::new()
    }
}
