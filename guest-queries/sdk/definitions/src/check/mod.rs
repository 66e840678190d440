//! What is wrong with definitions before any database has seen them. Everything is told at once,
//! each at the token it is about. Never: looks into SQL text; Postgres does.

mod items;
mod keys;
mod known;
mod names;
mod parts;
mod tables;
mod types;

use crate::definitions::Definitions;
use crate::error::DefinitionError;
use crate::parse::Block;
use crate::syntax::{Item, Location};
use known::Known;

/// Something wrong within one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Location,
    /// What is wrong: a lower-case clause without full stop.
    pub message: String,
    /// What to do: a sentence without full stop.
    pub hint: String,
}

impl Definitions {
    /// All that is wrong, by file and place.
    pub fn check(&self) -> Vec<DefinitionError> {
        let known = Known::of(self);
        let mut errors = Vec::new();
        for (number, module) in self.modules.iter().enumerate() {
            let mut found = Found::default();
            known.duplicates(number, &mut found);
            for item in &module.items {
                check_item(item, &known, &mut found);
            }
            for item in &module.uses {
                items::use_item(item, &known, &mut found);
            }
            let mut problems = found.0;
            problems.sort_by_key(|problem| (problem.at.line, problem.at.column));
            errors.extend(problems.into_iter().map(|problem| DefinitionError {
                file: module.file.clone(),
                line: problem.at.line,
                column: problem.at.column,
                message: problem.message,
                hint: problem.hint,
            }));
        }
        errors.sort_by(|left, right| left.file.cmp(&right.file));
        errors
    }
}

/// What is wrong with a block that can be told without the other modules, for the proc macro.
/// Types of other modules must be named by `use type`; tables need not be.
pub fn check_block(block: &Block) -> Vec<Problem> {
    let known = Known::of_block(block);
    let mut found = Found::default();
    known.duplicates(0, &mut found);
    for item in &block.items {
        check_item(item, &known, &mut found);
    }
    found.0
}

/// Takes what is wrong.
#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn add(&mut self, at: Location, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem { at, message: message.into(), hint: hint.into() });
    }
}

fn check_item(item: &Item, known: &Known<'_>, found: &mut Found) {
    match item {
        Item::Schema(schema) => names::name(&schema.name, "schema", found),
        Item::Extension(extension) => names::name(&extension.name, "extension", found),
        Item::Enum(item) => items::enumeration(item, known, found),
        Item::Domain(domain) => items::domain(domain, known, found),
        Item::Composite(composite) => items::composite(composite, known, found),
        Item::Sequence(sequence) => items::sequence(sequence, known, found),
        Item::Table(table) => tables::table(table, known, found),
        Item::View(view) => items::view(view, known, found),
        Item::Object(object) => items::object(object, known, found),
    }
}
