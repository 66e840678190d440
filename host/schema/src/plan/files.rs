//! A plan as migration files.

use serde::Serialize;

use super::bodies::{UNCHECKED, mention_others};
use super::hazard::Hazard;
use super::{Phase, Plan, Step};

/// The first line of a file whose statements run one by one.
const NO_TRANSACTION: &str = "-- avenire: no-transaction\n";

/// A file of a plan. The files are applied in order and undone in reverse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedFile {
    /// What its name ends with, when the plan has several files and it is not the main one.
    pub suffix: Option<&'static str>,
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
        let groups: Vec<&[Step]> = self.steps.chunk_by(|one, next| one.file == next.file).collect();
        let several = groups.len() > 1;
        let mut seen = Vec::new();
        let mut files = Vec::new();
        for steps in groups {
            let Some(phase) = steps.first().map(|step| step.phase) else { continue };
            let again = seen.contains(&phase);
            seen.push(phase);
            let suffix = if several { suffix(phase, again) } else { None };
            let transaction = !matches!(phase, Phase::EnumValues | Phase::Concurrent);
            files.push(PlannedFile {
                suffix,
                transaction,
                up: up(steps, phase),
                down: down(steps, phase),
            });
        }
        files
    }
}

fn suffix(phase: Phase, again: bool) -> Option<&'static str> {
    match (phase, again) {
        (Phase::EnumValues, _) => Some("values"),
        (Phase::Main, _) => None,
        (Phase::Concurrent, false) => Some("indexes"),
        (Phase::Concurrent, true) => Some("more_indexes"),
        (Phase::Validate, false) => Some("validate"),
        (Phase::Validate, true) => Some("validate_more"),
        (Phase::Finish, false) => Some("finish"),
        (Phase::Finish, true) => Some("finish_more"),
    }
}

fn up(steps: &[Step], phase: Phase) -> String {
    let groups = steps.iter().map(|step| group(&step.hazards, &step.up));
    let header = match phase {
        Phase::EnumValues | Phase::Concurrent => NO_TRANSACTION,
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
        Phase::Concurrent => NO_TRANSACTION,
        _ => header(steps.iter().rev().filter_map(|step| step.down.as_ref()).flatten()),
    };
    Some(text(header, groups))
}

/// What a transaction begins with.
fn header<'a>(statements: impl Iterator<Item = &'a String>) -> &'static str {
    let statements: Vec<&str> = statements.map(String::as_str).collect();
    if mention_others(&statements) { UNCHECKED } else { "" }
}

fn group(hazards: &[Hazard], statements: &[String]) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let hazards = hazards.iter().map(|hazard| format!("{hazard}\n"));
    hazards.chain(statements.iter().map(|sql| format!("{sql};\n"))).collect()
}

/// Groups are separated by a blank line.
fn text(header: &str, mut groups: Vec<String>) -> String {
    groups.retain(|group| !group.is_empty());
    if !header.is_empty() {
        groups.insert(0, header.to_owned());
    }
    groups.join("\n")
}
