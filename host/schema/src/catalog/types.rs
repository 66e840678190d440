//! Types and sequences, and the objects that are carried as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;
use super::name::QName;

/// A schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schema {
    /// `comment on schema`, without the one that `public` is born with.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Where its objects are.
    pub schema: String,
    /// Which version. Comparisons do not look at it: the server's packages decide.
    pub version: String,
}

/// An enumerated type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Enum {
    /// In the type's order.
    pub values: Vec<String>,
    /// `comment on type`.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// A domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Domain {
    /// The type beneath, as for a column.
    pub data_type: String,
    /// Only when it is not the type's own.
    #[serde(skip_serializing_if = "is_default")]
    pub collation: Option<QName>,
    /// `not null`
    #[serde(skip_serializing_if = "is_default")]
    pub not_null: bool,
    /// The default's expression.
    #[serde(skip_serializing_if = "is_default")]
    pub default: Option<String>,
    /// By name.
    #[serde(skip_serializing_if = "is_default")]
    pub checks: BTreeMap<String, DomainCheck>,
    /// `comment on domain`.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// A check of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainCheck {
    /// As `pg_get_constraintdef` prints it, without `NOT VALID`.
    pub definition: String,
    /// Whether it was checked for the values that there are.
    pub validated: bool,
}

/// A composite type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Composite {
    /// In order: name, type, and collation when it is not the type's own.
    pub attributes: Vec<(String, String, Option<QName>)>,
    /// `comment on type`.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// A sequence that is no identity column's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sequence {
    /// Its parameters.
    pub options: SequenceOptions,
    /// The column it goes with (`owned by`), as that of a `serial`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub owned_by: Option<(QName, String)>,
    /// Whether it is `unlogged`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unlogged: bool,
    /// `comment on sequence`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// How a sequence counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceOptions {
    /// `smallint`, `integer` or `bigint`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// `start with`
    pub start: i64,
    /// `increment by`
    pub increment: i64,
    /// `minvalue`
    pub minimum: i64,
    /// `maxvalue`
    pub maximum: i64,
    /// `cache`
    pub cache: i64,
    /// `cycle`
    pub cycle: bool,
}

/// Something the language does not model, carried as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// The statement that makes it, as Postgres prints it, without a semicolon.
    pub create: String,
    /// The statement that drops it, without a semicolon.
    pub drop: String,
    /// Its comment, with the words that name it in `comment on …`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comment: Option<(String, String)>,
}

/// What kind of object is carried as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A function, also a procedure; named by its signature, `public.f(integer, text)`.
    Function,
    /// An aggregate, named by its signature.
    Aggregate,
    /// A range type, named as a type.
    Range,
    /// A collation.
    Collation,
    /// Extended statistics.
    Statistics,
    /// A rule of a table or view other than the one that makes a view; `public.t.rule`.
    Rule,
}
