//! What a table has besides columns: constraints, indexes, policies, triggers.

use super::name::{Location, Name, ObjectName, Reference};

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name; Postgres' usual one otherwise.
    pub name: Option<Name>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// When it is checked.
    pub deferrable: Deferrable,
    /// `comment "…"`; such a constraint must have a name.
    pub comment: Option<String>,
    /// Where it stands.
    pub at: Location,
}

impl Constraint {
    /// A constraint of that kind with nothing else said.
    pub fn new(name: Option<Name>, kind: ConstraintKind) -> Self {
        Self {
            docs: Vec::new(),
            name,
            kind,
            deferrable: Deferrable::No,
            comment: None,
            at: Location::default(),
        }
    }
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `primary key (…)`
    PrimaryKey {
        /// In order.
        columns: Vec<Name>,
        /// `include (…)`
        include: Vec<Name>,
    },
    /// `unique (…)`
    Unique {
        /// In order.
        columns: Vec<Name>,
        /// `include (…)`
        include: Vec<Name>,
        /// `nulls not distinct`
        nulls_not_distinct: bool,
    },
    /// `foreign key (…) references …`
    ForeignKey {
        /// In order.
        columns: Vec<Name>,
        /// The table referred to.
        references: ObjectName,
        /// Its columns, in order; empty for its primary key.
        referenced: Vec<Name>,
        /// `match full`
        match_full: bool,
        /// `on delete …`
        on_delete: Action,
        /// `on update …`
        on_update: Action,
    },
    /// `check "…"`
    Check {
        /// The SQL expression.
        expression: String,
        /// `no inherit`
        no_inherit: bool,
    },
    /// `exclude "…"`: what SQL writes after the word, `using gist (room with =, during with &&)`.
    Exclude(String),
    /// `constraint name "…"`: what SQL writes after the name, for what has no clause here.
    Sql(String),
}

/// What happens to rows that refer to one that goes or changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// `no action`: refused at the end of the statement. What holds when nothing is said.
    #[default]
    NoAction,
    /// `restrict`: refused at once.
    Restrict,
    /// `cascade`
    Cascade,
    /// `set null`, of these columns or all.
    SetNull(Vec<Name>),
    /// `set default`, of these columns or all.
    SetDefault(Vec<Name>),
}

/// When a constraint is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deferrable {
    /// At each statement.
    #[default]
    No,
    /// `deferrable`: at each statement, unless a transaction asks otherwise.
    Immediate,
    /// `deferrable initially deferred`: at the transaction's end.
    Deferred,
}

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name; Postgres' usual one otherwise.
    pub name: Option<Name>,
    /// `unique`
    pub unique: bool,
    /// `using …`; `btree` otherwise.
    pub method: Option<String>,
    /// In order.
    pub keys: Vec<IndexKey>,
    /// `include (…)`
    pub include: Vec<Name>,
    /// `nulls not distinct`
    pub nulls_not_distinct: bool,
    /// `with (…)`: storage parameters.
    pub options: Vec<(String, String)>,
    /// `where "…"`: an SQL expression.
    pub predicate: Option<String>,
    /// `comment "…"`; such an index must have a name.
    pub comment: Option<String>,
    /// Where it stands.
    pub at: Location,
}

/// A column or an expression in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// What is indexed.
    pub value: KeyValue,
    /// `collate …`
    pub collation: Option<Reference>,
    /// The operator class, when it is not the usual one.
    pub class: Option<OperatorClass>,
    /// `desc`
    pub descending: bool,
    /// `nulls first` or `nulls last`, when it is not the usual.
    pub nulls: Option<Nulls>,
}

impl IndexKey {
    /// A column in ascending order.
    pub fn column(name: impl Into<Name>) -> Self {
        Self::of(KeyValue::Column(name.into()))
    }

    /// An SQL expression in ascending order.
    pub fn expression(sql: impl Into<String>) -> Self {
        Self::of(KeyValue::Expression(sql.into()))
    }

    fn of(value: KeyValue) -> Self {
        Self { value, collation: None, class: None, descending: false, nulls: None }
    }
}

/// What is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValue {
    /// A column.
    Column(Name),
    /// An SQL expression, without parentheses around it. One that is exactly a column's name is
    /// that column.
    Expression(String),
}

/// An operator class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorClass {
    /// Its name.
    pub name: Reference,
    /// Such as `siglen = 32`.
    pub parameters: Vec<(String, String)>,
}

/// Where nulls stand in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// `nulls first`
    First,
    /// `nulls last`
    Last,
}

/// A policy of row-level security.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// `restrictive`
    pub restrictive: bool,
    /// `for …`
    pub command: PolicyCommand,
    /// `to …`; everybody when empty. `current_user` and the like are what they are in SQL.
    pub roles: Vec<Name>,
    /// `using "…"`: an SQL expression.
    pub using: Option<String>,
    /// `with check "…"`: an SQL expression.
    pub check: Option<String>,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// What a policy is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyCommand {
    /// `all`
    #[default]
    All,
    /// `select`
    Select,
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What the documentation says, a line each.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// The whole statement that makes it.
    pub definition: String,
    /// When it fires.
    pub fires: Fires,
    /// `comment "…"`
    pub comment: Option<String>,
}

/// When a trigger fires, by `session_replication_role` (PostgreSQL documentation, ALTER TABLE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fires {
    /// Except in replicas.
    #[default]
    Origin,
    /// `disabled`: never.
    Disabled,
    /// `replica`: only in replicas.
    Replica,
    /// `always`
    Always,
}
