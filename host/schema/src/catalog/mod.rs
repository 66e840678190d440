//! What a database has: tables, types, views and the rest, as Postgres itself describes them.
//!
//! Owns the model of a catalog and its reading. Two catalogs can be compared when the same server
//! has described them, since Postgres normalises what it prints. Never: writes to a database,
//! judges a difference.

mod introspect;
pub mod name;
mod normal;
mod table;
pub(crate) mod text;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use introspect::{IntrospectError, Scope, introspect};
pub use name::QName;
pub use table::{
    Column, Constraint, ConstraintKind, Generated, Identity, Index, PartitionOf, Policy, Table,
    Trigger, View,
};
pub use types::{
    Composite, Domain, DomainCheck, Enum, Extension, Object, ObjectKind, Schema, Sequence,
    SequenceOptions,
};

/// Whether a field is what it is when a snapshot does not mention it: snapshots are read by people,
/// and most fields of most things are off or empty.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Everything in a database that the toolkit knows, without what belongs to the system, to an
/// extension, or to the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalog {
    /// By name.
    #[serde(skip_serializing_if = "is_default")]
    pub schemas: BTreeMap<String, Schema>,
    /// By name, without `plpgsql`.
    #[serde(skip_serializing_if = "is_default")]
    pub extensions: BTreeMap<String, Extension>,
    /// Enumerated types.
    #[serde(skip_serializing_if = "is_default")]
    pub enums: BTreeMap<QName, Enum>,
    /// Domains.
    #[serde(skip_serializing_if = "is_default")]
    pub domains: BTreeMap<QName, Domain>,
    /// Composite types that are no table's.
    #[serde(skip_serializing_if = "is_default")]
    pub composites: BTreeMap<QName, Composite>,
    /// Sequences that are no identity column's.
    #[serde(skip_serializing_if = "is_default")]
    pub sequences: BTreeMap<QName, Sequence>,
    /// Tables.
    #[serde(skip_serializing_if = "is_default")]
    pub tables: BTreeMap<QName, Table>,
    /// Views and materialized views.
    #[serde(skip_serializing_if = "is_default")]
    pub views: BTreeMap<QName, View>,
    /// What the language does not model, by kind and name.
    #[serde(skip_serializing_if = "is_default")]
    pub objects: BTreeMap<ObjectKind, BTreeMap<String, Object>>,
}

/// A catalog as it was read, with what comparing it does not look at.
#[derive(Clone, Debug, Default)]
pub struct Introspected {
    /// What there is.
    pub catalog: Catalog,
    /// What each object needs to be there before it can be made (`pg_depend`), transitively not.
    pub needs: BTreeMap<Id, BTreeSet<Id>>,
    /// What there is besides, and is not in the catalog.
    pub left_out: Vec<LeftOut>,
    /// `server_version_num`, such as 150018.
    pub version: i32,
}

/// Something in the database that the catalog has no place for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeftOut {
    /// Such as `foreign table`, `publication`, `operator`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Which object, across all kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// A schema.
    Schema(String),
    /// An extension.
    Extension(String),
    /// An enum, domain or composite type.
    Type(QName),
    /// A sequence.
    Sequence(QName),
    /// A table.
    Table(QName),
    /// A column of a table; what depends on a column's default depends on the column.
    Column(QName, String),
    /// A constraint of a table.
    Constraint(QName, String),
    /// An index; its schema is its table's.
    Index(QName),
    /// A trigger of a table or view.
    Trigger(QName, String),
    /// A policy of a table.
    Policy(QName, String),
    /// A view.
    View(QName),
    /// What is carried as it is.
    Object(ObjectKind, String),
}
