//! Tables and views: columns, constraints, indexes, policies, triggers.
//! Never: an expression of our own writing; they are as Postgres prints them back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;
use super::name::QName;
use super::types::SequenceOptions;

/// A table, partitioned or not, or a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Table {
    /// Whether it is `unlogged`.
    #[serde(skip_serializing_if = "is_default")]
    pub unlogged: bool,
    /// In the table's order, which is no part of a table's identity: two tables that differ only
    /// in the order of their columns are equal to the comparison.
    pub columns: Vec<Column>,
    /// By name. The not-null constraints that Postgres 18 keeps as such are not here; they are
    /// [`Column::not_null`].
    #[serde(skip_serializing_if = "is_default")]
    pub constraints: BTreeMap<String, Constraint>,
    /// By name, without those that belong to a constraint.
    #[serde(skip_serializing_if = "is_default")]
    pub indexes: BTreeMap<String, Index>,
    /// By name, without those that belong to a constraint or come from a partitioned parent.
    #[serde(skip_serializing_if = "is_default")]
    pub triggers: BTreeMap<String, Trigger>,
    /// By name.
    #[serde(skip_serializing_if = "is_default")]
    pub policies: BTreeMap<String, Policy>,
    /// `enable row level security`.
    #[serde(skip_serializing_if = "is_default")]
    pub row_security: bool,
    /// `force row level security`.
    #[serde(skip_serializing_if = "is_default")]
    pub force_row_security: bool,
    /// Of a partitioned table: what stands after `partition by`.
    #[serde(skip_serializing_if = "is_default")]
    pub partition_by: Option<String>,
    /// Of a partition: its parent and bound.
    #[serde(skip_serializing_if = "is_default")]
    pub partition_of: Option<PartitionOf>,
    /// Parents in the older sense, in order.
    #[serde(skip_serializing_if = "is_default")]
    pub inherits: Vec<QName>,
    /// Storage parameters, such as `fillfactor`.
    #[serde(skip_serializing_if = "is_default")]
    pub options: BTreeMap<String, String>,
    /// `comment on table`.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// Where a partition belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionOf {
    /// The partitioned table.
    pub parent: QName,
    /// As Postgres prints it: `FOR VALUES …` or `DEFAULT`.
    pub bound: String,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// As `format_type` prints it with an empty search path, such as `character varying(255)`,
    /// `public.mood[]`, `timestamp(3) with time zone`.
    pub data_type: String,
    /// Only when it is not the type's own.
    #[serde(skip_serializing_if = "is_default")]
    pub collation: Option<QName>,
    /// Also true for what a primary key or an identity implies.
    #[serde(skip_serializing_if = "is_default")]
    pub not_null: bool,
    /// The default's expression; none for generated and identity columns.
    #[serde(skip_serializing_if = "is_default")]
    pub default: Option<String>,
    /// `generated … as identity`.
    #[serde(skip_serializing_if = "is_default")]
    pub identity: Option<Identity>,
    /// `generated always as (…)`.
    #[serde(skip_serializing_if = "is_default")]
    pub generated: Option<Generated>,
    /// Only when it is not the type's own: `PLAIN`, `EXTERNAL`, `EXTENDED` or `MAIN`.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: Option<String>,
    /// Whether it comes from a parent (a partitioned table or `inherits`), not from this table.
    #[serde(skip_serializing_if = "is_default")]
    pub inherited: bool,
    /// `comment on column`.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// An identity column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `always`; `by default` otherwise.
    pub always: bool,
    /// Of the sequence behind it.
    pub sequence: SequenceOptions,
}

/// A generated column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// As Postgres prints it.
    pub expression: String,
    /// `stored`; `virtual` (Postgres 18) otherwise.
    pub stored: bool,
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Constraint {
    /// What kind, with what comparisons and generated code need to know of it.
    pub kind: ConstraintKind,
    /// All of it, as `pg_get_constraintdef` prints it with an empty search path, without the
    /// `NOT VALID` at its end: what stands after `add constraint name`.
    pub definition: String,
    /// Whether it was checked for the rows that there are.
    pub validated: bool,
    /// Whether it comes from a parent table.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inherited: bool,
    /// `comment on constraint`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// The parts of a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum ConstraintKind {
    /// `primary key`
    PrimaryKey {
        /// In order.
        columns: Vec<String>,
    },
    /// `unique`
    Unique {
        /// In order.
        columns: Vec<String>,
        /// Whether two nulls are the same.
        nulls_not_distinct: bool,
    },
    /// `foreign key`
    ForeignKey {
        /// In order.
        columns: Vec<String>,
        /// The table referred to.
        references: QName,
        /// Its columns, in order.
        referenced_columns: Vec<String>,
    },
    /// `check`
    Check {
        /// The expression, without the outer parentheses.
        expression: String,
        /// The columns it uses.
        columns: Vec<String>,
    },
    /// `exclude`
    Exclusion,
}

/// An index that does not belong to a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Index {
    /// `unique`
    pub unique: bool,
    /// All after the table's name, as `pg_get_indexdef` prints it: `USING btree (…) …`.
    pub definition: String,
    /// The access method, such as `btree`.
    pub method: String,
    /// The key columns and expressions, in order, each as `pg_get_indexdef(index, n, false)`
    /// prints it, followed by collation, operator class and order where they are not the usual.
    pub keys: Vec<String>,
    /// `include`
    #[serde(default, skip_serializing_if = "is_default")]
    pub include: Vec<String>,
    /// The predicate of a partial index, without the outer parentheses.
    #[serde(default, skip_serializing_if = "is_default")]
    pub predicate: Option<String>,
    /// Whether two nulls are the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nulls_not_distinct: bool,
    /// Storage parameters.
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: BTreeMap<String, String>,
    /// False after `create index concurrently` failed.
    pub valid: bool,
    /// Whether it is a partition of an index of the parent table.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inherited: bool,
    /// `comment on index`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// A trigger, as it is: the language does not model it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// As `pg_get_triggerdef` prints it, without a semicolon.
    pub definition: String,
    /// `pg_trigger.tgenabled`: `O` origin, `D` disabled, `R` replica, `A` always.
    pub enabled: char,
    /// `comment on trigger`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// A policy of row-level security.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `permissive`; `restrictive` otherwise.
    pub permissive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub command: String,
    /// The roles it is for, sorted; `public` for everybody.
    pub roles: Vec<String>,
    /// `using (…)`, without the outer parentheses.
    #[serde(default, skip_serializing_if = "is_default")]
    pub using: Option<String>,
    /// `with check (…)`, without the outer parentheses.
    #[serde(default, skip_serializing_if = "is_default")]
    pub check: Option<String>,
    /// `comment on policy`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}

/// A view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct View {
    /// `create materialized view`.
    #[serde(skip_serializing_if = "is_default")]
    pub materialized: bool,
    /// The query, as `pg_get_viewdef` prints it with an empty search path, without a semicolon.
    pub definition: String,
    /// The names and types of its columns, in order.
    pub columns: Vec<(String, String)>,
    /// Such as `security_barrier`, `check_option`.
    #[serde(skip_serializing_if = "is_default")]
    pub options: BTreeMap<String, String>,
    /// Of a materialized view, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub indexes: BTreeMap<String, Index>,
    /// Of a view, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub triggers: BTreeMap<String, Trigger>,
    /// `comment on view` or `comment on materialized view`.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: Option<String>,
}
