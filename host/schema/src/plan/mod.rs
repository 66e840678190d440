//! The way from one catalog to another: statements, their inverses, their hazards and their order.
//! Owns: the face. Never: asks a database, knows of renames (they are carried out before).
//!
//! Every step has an exact inverse, so that the inverses in reverse order lead back. Steps are
//! ordered by what their objects need, and fall into phases, since some statements may not share a
//! transaction; each phase that is needed becomes a file.

mod bodies;
mod change;
mod columns;
mod connections;
mod constraint_index;
mod constraints;
mod dependents;
mod domains;
mod files;
mod hazard;
mod indexes;
mod not_null;
mod objects;
mod order;
mod parts;
mod retype;
mod sequences;
mod swap;
mod tables;
mod text;
mod together;
mod type_change;
mod types;
mod views;
mod work;
mod write;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::catalog::{Catalog, Introspected};

pub use files::PlannedFile;
pub use hazard::{Hazard, HazardKind, UnknownHazard};
pub(crate) use type_change::is_grown;

/// What leads from one catalog to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In the order in which they run.
    pub steps: Vec<Step>,
    /// What must not be written without being accepted, or can not be planned at all.
    pub refused: Vec<Refusal>,
}

/// One change of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it does, such as `add column title to public.chat`.
    pub what: String,
    /// The statements, without semicolons.
    pub up: Vec<String>,
    /// The statements that undo it; empty when undoing another step does that. None when there is
    /// no way back.
    pub down: Option<Vec<String>>,
    /// What may hurt when it runs.
    pub hazards: Vec<Hazard>,
    /// What may hurt when it is undone.
    pub down_hazards: Vec<Hazard>,
    /// When it runs.
    pub phase: Phase,
    /// Which of the files it is in, counted from 0.
    pub(crate) file: usize,
}

/// When a step runs, relative to the others of its plan. A phase can occur a second time when
/// something needs what an earlier one finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Values of enums, which no statement of the transaction that adds them may use
    /// (PostgreSQL documentation, ALTER TYPE, Notes). Outside of a transaction.
    EnumValues,
    /// Most changes, in a transaction.
    Main,
    /// Indexes built and dropped while the table is written to. Outside of a transaction; every
    /// statement may be repeated.
    Concurrent,
    /// Existing rows are checked, in a transaction that holds no lock against reads and writes.
    Validate,
    /// What the checked rows and the built indexes are for, in a transaction.
    Finish,
}

/// Something the plan does not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// What was asked.
    pub what: String,
    /// Why it is refused.
    pub reason: String,
    /// What to do instead, one sentence without a full stop.
    pub safer: String,
    /// Accepting this hazard lifts the refusal; none when nothing does.
    pub unless: Option<HazardKind>,
}

/// How careful the plan is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// The variants that hold no lock for long: indexes concurrently, constraints `not valid`
    /// first. Otherwise everything is in the main phase, apart from enum values.
    pub online: bool,
    /// Hazards that do not lead to a refusal.
    pub accept: BTreeSet<HazardKind>,
}

impl Default for PlanOptions {
    /// Online, nothing accepted.
    fn default() -> Self {
        Self { online: true, accept: BTreeSet::new() }
    }
}

/// The way from one catalog to another, both described by the same server. No steps when
/// [`compare`](crate::diff::compare) finds no difference.
pub fn plan(from: &Introspected, to: &Introspected, options: &PlanOptions) -> Plan {
    let mut change = change::Change::new(from, to, options);
    types::plan(&mut change);
    sequences::plan(&mut change);
    tables::plan(&mut change);
    views::plan(&mut change);
    objects::plan(&mut change);
    let (works, refused) = change.finish();
    Plan { steps: order::steps(works, &from.needs, &to.needs), refused }
}

/// Everything from nothing, in one file when a transaction has room for it.
pub fn baseline(to: &Introspected) -> Plan {
    let mut schemas = to.catalog.schemas.clone();
    schemas.retain(|name, schema| {
        schema.comment = None;
        name == "public"
    });
    let catalog = Catalog { schemas, ..Catalog::default() };
    let from = Introspected { catalog, version: to.version, ..Introspected::default() };
    plan(&from, to, &PlanOptions { online: false, accept: BTreeSet::new() })
}
