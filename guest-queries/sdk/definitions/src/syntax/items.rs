//! Modules and what stands in them at the top level.

use std::path::PathBuf;

use super::name::{Location, Name, ObjectName, Reference};
use super::parts::{Index, Trigger};
use super::table::{Column, SequenceOptions, Table};
use super::types::Type;

/// All `schema!` blocks of one Rust file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// The file.
    pub file: PathBuf,
    /// What the file's own documentation says, a line each.
    pub docs: Vec<String>,
    /// Where things of other modules are.
    pub uses: Vec<Use>,
    /// What is defined, in the source's order.
    pub items: Vec<Item>,
}

/// Where a table or type that another module defines is found in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The path in Rust: `crate::auth::users`, of types that of the Rust type.
    pub path: String,
    /// Its name in the database.
    pub name: ObjectName,
    /// What it is.
    pub kind: UseKind,
}

/// What another module's thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// `use …`: a table or view.
    Table,
    /// `use type …`: an enum, domain or composite type.
    Type,
}

/// Something that is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `schema …;`
    Schema(Schema),
    /// `extension …;`
    Extension(Extension),
    /// `enum …`
    Enum(Enum),
    /// `domain …;`
    Domain(Domain),
    /// `type …`
    Composite(Composite),
    /// `sequence …;`
    Sequence(Sequence),
    /// `table …`
    Table(Box<Table>),
    /// `view …`
    View(View),
    /// `object …`
    Object(Object),
}

/// A schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// An extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// `schema …`: where its objects go.
    pub schema: Option<Name>,
    /// `version "…"`
    pub version: Option<String>,
}

/// An enumerated type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enum {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: ObjectName,
    /// `as Name`: the Rust type, when not the name in camel case.
    pub rust: Option<Name>,
    /// In the type's order.
    pub values: Vec<EnumValue>,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// A value of an enumerated type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumValue {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// The word.
    pub name: Name,
    /// `as Name`: the Rust variant, when not the word in camel case.
    pub rust: Option<Name>,
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: ObjectName,
    /// The type beneath.
    pub data_type: Type,
    /// `collate …`
    pub collation: Option<Reference>,
    /// `not null`
    pub not_null: bool,
    /// `= "…"`: an SQL expression.
    pub default: Option<String>,
    /// Checks.
    pub checks: Vec<DomainCheck>,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// A check of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainCheck {
    /// Its name; Postgres' usual one otherwise.
    pub name: Option<Name>,
    /// The SQL expression, in which the value is `value`.
    pub expression: String,
}

/// A composite type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composite {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: ObjectName,
    /// `as Name`: the Rust type, when not the name in camel case.
    pub rust: Option<Name>,
    /// In order. Only name, type, collation and documentation count.
    pub attributes: Vec<Column>,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// A sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: ObjectName,
    /// `unlogged`
    pub unlogged: bool,
    /// How it counts.
    pub options: SequenceOptions,
    /// `owned by table (column)`
    pub owned_by: Option<(ObjectName, Name)>,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// A view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Other attributes, for the row type; without `#[` and `]`.
    pub attributes: Vec<String>,
    /// Its name.
    pub name: ObjectName,
    /// `as Name`: the row type.
    pub row: Option<Name>,
    /// `materialized`
    pub materialized: bool,
    /// `query "…"`
    pub query: String,
    /// The columns, for Rust; Postgres finds them in the query. Only name, type, nullability,
    /// field and documentation count.
    pub columns: Vec<Column>,
    /// `with (…)`, such as `security_barrier = true`.
    pub options: Vec<(String, String)>,
    /// Of a materialized view.
    pub indexes: Vec<Index>,
    /// Of a view.
    pub triggers: Vec<Trigger>,
    /// `comment "…"`
    pub comment: Option<String>,
    /// Where it stands.
    pub at: Location,
}

/// SQL that the language has no words for: functions, aggregates, rules and the like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// What the project calls it; nothing in the database has to have this name.
    pub name: Name,
    /// `depends on (…)`: objects, tables, types and views that must be there first.
    pub depends_on: Vec<ObjectName>,
    /// `create "…"`: the statements that make it, each without a semicolon.
    pub create: Vec<String>,
    /// `drop "…"`: the statement that drops it.
    pub drop: Option<String>,
}
