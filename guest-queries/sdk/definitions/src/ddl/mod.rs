//! The statements that make what definitions say, for an empty database. They are for Postgres
//! to read, not for people: every name is quoted and has its schema.
//! Never: alters anything that is there.

mod comments;
mod objects;
mod order;
mod parts;
mod tables;
mod types;
mod views;

use std::path::{Path, PathBuf};

use crate::definitions::Definitions;
use crate::syntax::{Item, Location, Module, Name, ObjectName, Reference};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ddl {
    /// The statement, without a semicolon.
    pub sql: String,
    /// What it makes, such as `table chat`.
    pub what: String,
    /// The file that asks for it.
    pub file: PathBuf,
    /// Where in the file.
    pub at: Location,
}

impl Ddl {
    /// Where the source asks for it: `file:line:column`.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file.display(), self.at.line, self.at.column)
    }
}

/// All statements in an order that works where the definitions tell what needs what: schemas,
/// extensions, types, sequences, objects that depend on nothing, tables, other objects, indexes,
/// foreign keys, views, objects that depend on views, triggers, policies, comments.
///
/// What only SQL text tells (a view on a view, a default that calls a function) may come too early;
/// run what failed for something missing again at the end. Names in SQL text are looked for along
/// the search path, which must be `public` for those without a schema. Function bodies are not to
/// be checked (`set check_function_bodies = off`).
pub fn ddl(definitions: &Definitions) -> Vec<Ddl> {
    let mut all = Vec::new();
    for module in &definitions.modules {
        let mut out = Out { statements: &mut all, file: &module.file, at: Location::default() };
        module_statements(module, &mut out);
    }
    let ranks = order::Ranks::of(definitions);
    all.sort_by_key(|(step, _)| ranks.rank(step));
    all.into_iter().map(|(_, statement)| statement).collect()
}

/// When a statement is due.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Schema,
    Extension,
    Enum,
    Type,
    Sequence,
    Table(ObjectName),
    Object(String),
    Index,
    Key,
    Owner,
    View,
    ViewIndex,
    Trigger,
    Policy,
    Comment,
}

/// Takes the statements of one module.
struct Out<'a> {
    statements: &'a mut Vec<(Step, Ddl)>,
    file: &'a Path,
    at: Location,
}

impl Out<'_> {
    fn push(&mut self, step: Step, what: impl Into<String>, sql: impl Into<String>) {
        let file = self.file.to_owned();
        let statement = Ddl { sql: sql.into(), what: what.into(), file, at: self.at };
        self.statements.push((step, statement));
    }
}

fn module_statements(module: &Module, out: &mut Out<'_>) {
    for item in &module.items {
        match item {
            Item::Schema(schema) => types::schema(schema, out),
            Item::Extension(extension) => types::extension(extension, out),
            Item::Enum(item) => types::enumeration(item, out),
            Item::Domain(domain) => types::domain(domain, out),
            Item::Composite(composite) => types::composite(composite, out),
            Item::Sequence(sequence) => types::sequence(sequence, out),
            Item::Table(table) => tables::table(table, out),
            Item::View(view) => views::view(view, out),
            Item::Object(object) => objects::object(object, out),
        }
    }
}

/// An identifier in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string as SQL writes it, whatever `standard_conforming_strings` is.
fn literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    if body.contains('\\') {
        format!("E'{}'", body.replace('\\', "\\\\"))
    } else {
        format!("'{body}'")
    }
}

fn object_name(name: &ObjectName) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}

fn reference(name: &Reference) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

/// In parentheses.
fn names(names: &[Name]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(&name.text)).collect();
    format!("({})", names.join(", "))
}

/// `name = 'value', …`; a name may have a part before a point, as `toast.fillfactor`.
fn options(options: &[(String, String)]) -> String {
    let option = |(name, value): &(String, String)| {
        let name = name.split('.').map(quoted).collect::<Vec<_>>().join(".");
        format!("{name} = {}", literal(value))
    };
    options.iter().map(option).collect::<Vec<_>>().join(", ")
}
