//! A plan as migration files.

use serde::Serialize;

use super::bodies::{UNCHECKED, mention_others};
use super::hazard::Hazard;
use super::{Phase, Plan, Step};
use crate::migrations::NO_TRANSACTION;

/// How many locks the statements of one transaction may take, about. A server has room for
/// `max_locks_per_transaction` times `max_connections` (PostgreSQL documentation, 19.12), which is
/// 6,400 by default and belongs to all that are connected.
const LOCKS: usize = 2000;

/// A table's own, its TOAST table's, those of its primary key, a unique one and a sequence.
const LOCKS_OF_A_TABLE: usize = 6;

/// A file of a plan. The files are applied in order and undone in reverse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedFile {
    /// What its name ends with, when the plan has several files and it is not the main one.
    pub suffix: Option<String>,
    /// Whether it runs in a transaction. The text says so too.
    pub transaction: bool,
    /// Its text.
    pub up: String,
    /// The text of its inverse, which says itself whether it runs in a transaction; none when
    /// there is no way back.
    pub down: Option<String>,
}

impl Plan {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The hazards of all steps.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.steps.iter().flat_map(|step| &step.hazards)
    }

    /// As many files as are needed.
    pub fn files(&self) -> Vec<PlannedFile> {
        let groups = self.steps.chunk_by(|one, next| one.file == next.file);
        let groups: Vec<&[Step]> = groups.flat_map(within_locks).collect();
        let several = groups.len() > 1;
        let mut seen = Vec::new();
        let mut files = Vec::new();
        for steps in groups {
            let Some(phase) = steps.first().map(|step| step.phase) else { continue };
            let before = seen.iter().filter(|one| **one == phase).count();
            seen.push(phase);
            let suffix = if several { suffix(phase, before) } else { None };
            files.push(PlannedFile {
                suffix,
                transaction: is_transaction(phase),
                up: up(steps, phase),
                down: down(steps, phase),
            });
        }
        files
    }
}

/// A group of steps as groups whose locks a server has room for. Steps outside of a transaction
/// give theirs back one by one.
fn within_locks(steps: &[Step]) -> Vec<&[Step]> {
    if steps.first().is_none_or(|step| !is_transaction(step.phase)) {
        return vec![steps];
    }
    let mut groups = Vec::new();
    let (mut start, mut locks) = (0, 0);
    for (at, step) in steps.iter().enumerate() {
        let more: usize = step.up.iter().map(|sql| locks_of(sql)).sum();
        if locks + more > LOCKS && at > start {
            groups.extend(steps.get(start..at));
            (start, locks) = (at, 0);
        }
        locks += more;
    }
    groups.extend(steps.get(start..));
    groups
}

fn locks_of(sql: &str) -> usize {
    if sql.starts_with("create table") { LOCKS_OF_A_TABLE } else { 1 }
}

fn is_transaction(phase: Phase) -> bool {
    !matches!(phase, Phase::EnumValues | Phase::Concurrent)
}

/// What tells a file from the others of its plan, `before` being how many of its phase there are
/// already.
fn suffix(phase: Phase, before: usize) -> Option<String> {
    let word = match phase {
        Phase::EnumValues => "values",
        Phase::Main if before == 0 => return None,
        Phase::Main => "part",
        Phase::Concurrent => "indexes",
        Phase::Validate => "validate",
        Phase::Finish => "finish",
    };
    Some(if before == 0 { word.to_owned() } else { format!("{word}_{}", before + 1) })
}

fn up(steps: &[Step], phase: Phase) -> String {
    let groups = steps.iter().map(|step| group(&step.hazards, &step.up));
    let header = match phase {
        Phase::EnumValues | Phase::Concurrent => outside(),
        _ => header(steps.iter().flat_map(|step| &step.up)),
    };
    text(header, groups.collect())
}

/// The values of an enum are taken away by making the type anew, which is a transaction's work.
fn down(steps: &[Step], phase: Phase) -> Option<String> {
    let groups = steps
        .iter()
        .rev()
        .map(|step| Some(group(&step.down_hazards, step.down.as_ref()?)))
        .collect::<Option<Vec<String>>>()?;
    let header = match phase {
        Phase::Concurrent => outside(),
        _ => header(steps.iter().rev().filter_map(|step| step.down.as_ref()).flatten()),
    };
    Some(text(header, groups))
}

/// What a transaction begins with.
fn header<'a>(statements: impl Iterator<Item = &'a String>) -> String {
    let statements: Vec<&str> = statements.map(String::as_str).collect();
    if mention_others(&statements) { UNCHECKED.to_owned() } else { String::new() }
}

/// What a file whose statements run one by one begins with.
fn outside() -> String {
    format!("{NO_TRANSACTION}\n")
}

fn group(hazards: &[Hazard], statements: &[String]) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let hazards = hazards.iter().map(|hazard| format!("{hazard}\n"));
    hazards.chain(statements.iter().map(|sql| format!("{sql};\n"))).collect()
}

/// Groups are separated by a blank line.
fn text(header: String, mut groups: Vec<String>) -> String {
    groups.retain(|group| !group.is_empty());
    if !header.is_empty() {
        groups.insert(0, header);
    }
    groups.join("\n")
}
