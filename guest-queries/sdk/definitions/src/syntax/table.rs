//! Tables and their columns.

use super::name::{Name, ObjectName, Reference};
use super::parts::{Constraint, Index, Policy, Trigger};
use super::types::Type;

/// `table …`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Other attributes, for the row type; without `#[` and `]`.
    pub attributes: Vec<String>,
    /// Its name.
    pub name: ObjectName,
    /// `as Name`: the row type.
    pub row: Option<Name>,
    /// `unlogged`
    pub unlogged: bool,
    /// In the table's order, without those that come from a parent.
    pub columns: Vec<Column>,
    /// Keys and checks.
    pub constraints: Vec<Constraint>,
    /// Indexes that belong to no constraint.
    pub indexes: Vec<Index>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Policies of row-level security.
    pub policies: Vec<Policy>,
    /// `enable row level security`
    pub row_security: bool,
    /// `force row level security`
    pub force_row_security: bool,
    /// `partition by "…"`: what SQL writes after these words.
    pub partition_by: Option<String>,
    /// `partition of …`
    pub partition_of: Option<Partition>,
    /// `inherits (…)`
    pub inherits: Vec<ObjectName>,
    /// `with (…)`: storage parameters.
    pub options: Vec<(String, String)>,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// Where a partition belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The partitioned table.
    pub parent: ObjectName,
    /// Such as `for values from (1) to (2)` or `default`.
    pub bound: String,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub data_type: Type,
    /// `?` after the type.
    pub nullable: bool,
    /// What the row type has for it.
    pub field: Field,
    /// `= "…"`: an SQL expression.
    pub default: Option<String>,
    /// `collate …`
    pub collation: Option<Reference>,
    /// `generated … as identity`
    pub identity: Option<Identity>,
    /// `generated always as "…"`
    pub generated: Option<Generated>,
    /// `storage …`: `plain`, `external`, `extended` or `main`.
    pub storage: Option<String>,
    /// `comment "…"`
    pub comment: Option<String>,
}

impl Column {
    /// A column that is not null and has nothing but a type.
    pub fn new(name: impl Into<Name>, data_type: Type) -> Self {
        Self {
            docs: Vec::new(),
            name: name.into(),
            data_type,
            nullable: false,
            field: Field::Usual,
            default: None,
            collation: None,
            identity: None,
            generated: None,
            storage: None,
            comment: None,
        }
    }
}

/// What a row type has for a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// A field of the usual Rust type.
    #[default]
    Usual,
    /// `as Type`: a field of this Rust type, which must be loadable from the column's type.
    As(String),
    /// `as _`: no field.
    Absent,
}

/// An identity column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `always`; `by default` otherwise.
    pub always: bool,
    /// Of the sequence behind it.
    pub sequence: SequenceOptions,
}

/// How a sequence counts; Postgres' own choice where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceOptions {
    /// `as …`: `smallint`, `integer` or `bigint`; of identity columns the column's type.
    pub data_type: Option<String>,
    /// `start …`
    pub start: Option<i64>,
    /// `increment …`
    pub increment: Option<i64>,
    /// `minvalue …`
    pub minimum: Option<i64>,
    /// `maxvalue …`
    pub maximum: Option<i64>,
    /// `cache …`
    pub cache: Option<i64>,
    /// `cycle`
    pub cycle: bool,
}

/// A generated column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The SQL expression.
    pub expression: String,
    /// `stored`; `virtual` (Postgres 18) otherwise.
    pub stored: bool,
}
