//! A rename, and its SQL in both directions.
//! Never: decides that something was renamed.

use std::fmt;

use serde::Serialize;

use crate::catalog::QName;
use crate::catalog::name::{literal, quoted};

/// What kind of named thing in a schema is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A sequence.
    Sequence,
    /// An enum or a composite type.
    Type,
    /// A domain.
    Domain,
}

/// What belongs to a table, view or type and is renamed within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A column of a table.
    Column,
    /// An attribute of a composite type.
    Attribute,
    /// A value of an enum.
    Value,
    /// A constraint of a table.
    Constraint,
    /// A constraint of a domain.
    DomainConstraint,
    /// An index; `of` is its table.
    Index,
    /// A trigger of a table or view.
    Trigger,
    /// A policy of a table.
    Policy,
}

/// Something that has another name than before.
///
/// The renames of one list are executed in its order and undone in the opposite one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Rename {
    /// A schema, with everything in it.
    Schema {
        /// Its former name.
        from: String,
        /// Its name from now on.
        to: String,
    },
    /// Something in a schema. It may have moved to another schema, too.
    Relation {
        /// What it is.
        kind: Relation,
        /// Its former name.
        from: QName,
        /// Its name from now on.
        to: QName,
    },
    /// Something within a table, view or type.
    Part {
        /// What it is.
        kind: Part,
        /// What it belongs to, by its name from now on.
        of: QName,
        /// Its former name.
        from: String,
        /// Its name from now on.
        to: String,
    },
}

impl Rename {
    /// The statements that rename, each with its semicolon, one a line.
    pub fn up(&self) -> String {
        match self {
            Self::Schema { from, to } => schema(from, to),
            Self::Relation { kind, from, to } => relation(*kind, from, to),
            Self::Part { kind, of, from, to } => part(*kind, of, from, to),
        }
    }

    /// The statements that give the former name back.
    pub fn down(&self) -> String {
        match self {
            Self::Schema { from, to } => schema(to, from),
            Self::Relation { kind, from, to } => relation(*kind, to, from),
            Self::Part { kind, of, from, to } => part(*kind, of, to, from),
        }
    }

    /// Whether code that uses the former name stops working: the hazard `breaks-callers`. The names
    /// of constraints, indexes, triggers and policies are hardly ever used by code.
    pub fn breaks_callers(&self) -> bool {
        match self {
            Self::Schema { .. } | Self::Relation { .. } => true,
            Self::Part { kind, .. } => matches!(kind, Part::Column | Part::Attribute | Part::Value),
        }
    }
}

/// What is renamed, such as `column public.chat.title to name`.
impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { from, to } => write!(f, "schema {} to {}", quoted(from), quoted(to)),
            Self::Relation { kind, from, to } => write!(f, "{} {from} to {to}", kind.word()),
            Self::Part { kind, of, from, to } => {
                write!(f, "{} {of}.{} to {}", kind.word(), quoted(from), quoted(to))
            }
        }
    }
}

impl Relation {
    fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Domain => "domain",
        }
    }
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::Attribute => "attribute",
            Self::Value => "value",
            Self::Constraint | Self::DomainConstraint => "constraint",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
        }
    }
}

fn schema(from: &str, to: &str) -> String {
    format!("alter schema {} rename to {};", quoted(from), quoted(to))
}

fn relation(kind: Relation, from: &QName, to: &QName) -> String {
    let word = kind.word();
    let mut statements = Vec::new();
    let mut at = from.clone();
    // A name may be taken in the old schema or in the new one, hardly in both; whoever has both
    // taken is told by Postgres when the renames are tried on the scratch database.
    if from.schema != to.schema {
        statements.push(format!("alter {word} {} set schema {};", at.sql(), quoted(&to.schema)));
        at.schema.clone_from(&to.schema);
    }
    if from.name != to.name {
        statements.push(format!("alter {word} {} rename to {};", at.sql(), quoted(&to.name)));
    }
    statements.join("\n")
}

fn part(kind: Part, of: &QName, from: &str, to: &str) -> String {
    let (owner, old, new) = (of.sql(), quoted(from), quoted(to));
    match kind {
        Part::Column => format!("alter table {owner} rename column {old} to {new};"),
        Part::Attribute => format!("alter type {owner} rename attribute {old} to {new};"),
        Part::Value => {
            format!("alter type {owner} rename value {} to {};", literal(from), literal(to))
        }
        Part::Constraint => format!("alter table {owner} rename constraint {old} to {new};"),
        Part::DomainConstraint => format!("alter domain {owner} rename constraint {old} to {new};"),
        Part::Index => {
            let index = QName::new(&of.schema, from);
            format!("alter index {} rename to {new};", index.sql())
        }
        Part::Trigger => format!("alter trigger {old} on {owner} rename to {new};"),
        Part::Policy => format!("alter policy {old} on {owner} rename to {new};"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(kind: Relation, from: (&str, &str), to: (&str, &str)) -> Rename {
        let (from, to) = (QName::new(from.0, from.1), QName::new(to.0, to.1));
        Rename::Relation { kind, from, to }
    }

    fn part(kind: Part, from: &str, to: &str) -> Rename {
        Rename::Part { kind, of: QName::new("app", "chat"), from: from.into(), to: to.into() }
    }

    #[test]
    fn a_table_is_moved_and_renamed_and_back() {
        let rename = relation(Relation::Table, ("public", "chat"), ("app", "Order"));
        let up = "alter table chat set schema app;\nalter table app.chat rename to \"Order\";";
        assert_eq!(rename.up(), up);
        let down =
            "alter table app.\"Order\" set schema public;\nalter table \"Order\" rename to chat;";
        assert_eq!(rename.down(), down);
    }

    #[test]
    fn each_kind_has_its_own_statement() {
        let view = relation(Relation::MaterializedView, ("public", "a"), ("public", "b"));
        assert_eq!(view.up(), "alter materialized view a rename to b;");
        for (kind, sql) in [
            (Part::Column, "alter table app.chat rename column a to \"user\";"),
            (Part::Attribute, "alter type app.chat rename attribute a to \"user\";"),
            (Part::Value, "alter type app.chat rename value 'a' to 'user';"),
            (Part::Constraint, "alter table app.chat rename constraint a to \"user\";"),
            (Part::DomainConstraint, "alter domain app.chat rename constraint a to \"user\";"),
            (Part::Index, "alter index app.a rename to \"user\";"),
            (Part::Trigger, "alter trigger a on app.chat rename to \"user\";"),
            (Part::Policy, "alter policy a on app.chat rename to \"user\";"),
        ] {
            assert_eq!(part(kind, "a", "user").up(), sql);
            assert_eq!(part(kind, "user", "a").down(), sql);
        }
    }

    #[test]
    fn only_names_that_code_uses_break_callers() {
        assert!(part(Part::Column, "a", "b").breaks_callers());
        assert!(part(Part::Value, "a", "b").breaks_callers());
        assert!(!part(Part::Index, "a", "b").breaks_callers());
    }
}
