//! The index of a primary key or unique constraint, built ahead of it.

use super::Phase;
use super::constraints::{commented, drop_statement};
use super::hazard::HazardKind;
use super::text::{alter_table, lowered};
use super::work::{Class, Work};
use crate::catalog::name::quoted;
use crate::catalog::{Constraint, QName};

/// What an index for a constraint needs to be told.
pub(super) struct IndexOf {
    /// All after the table's name.
    definition: String,
    /// What comes after `using index name`.
    rest: String,
    /// `unique` or `primary key`.
    word: &'static str,
}

/// The index of a primary key or unique constraint, when an ordinary one does. Read from the text
/// that `pg_get_constraintdef` prints.
pub(super) fn index_of(about: &Constraint) -> Option<IndexOf> {
    let text = lowered(&about.definition);
    if text.contains("without overlaps") || text.contains("using index tablespace") {
        return None;
    }
    let (word, rest) = match text.strip_prefix("primary key ") {
        Some(rest) => ("primary key", rest),
        None => ("unique", text.strip_prefix("unique ")?),
    };
    let (distinct, rest) = match rest.strip_prefix("nulls not distinct ") {
        Some(rest) => (" nulls not distinct", rest),
        None => ("", rest),
    };
    let (rest, deferrable) = match rest.find(" deferrable") {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (rest, with) = match rest.find(" with (") {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let definition = format!("{rest}{distinct}{with}");
    Some(IndexOf { definition, rest: deferrable.to_owned(), word })
}

/// Builds the index for a constraint under a name.
pub(super) fn built_for(table: &QName, name: &str, index: &str, about: &IndexOf) -> Work {
    let (quoted_index, on) = (quoted(index), table.sql());
    let definition = &about.definition;
    Work::new(Class::Table, table, format!("build the index for constraint {name} of {table}"))
        .part(40, name)
        .phase(Phase::Concurrent)
        .up(format!("create unique index concurrently {quoted_index} on {on} {definition}"))
        .down(format!(
            "drop index concurrently if exists {}",
            QName::new(&table.schema, index).sql()
        ))
        .hazard(HazardKind::MayFail, "rows that exist may be twins")
}

/// The inverse builds the index anew, since it goes with the constraint.
pub(super) fn take_over(
    table: &QName,
    name: &str,
    about: &Constraint,
    index: &str,
    by: &IndexOf,
) -> Work {
    let add = format!(
        "add constraint {} {} using index {}{}",
        quoted(name),
        by.word,
        quoted(index),
        by.rest
    );
    let rebuilt =
        format!("create unique index {} on {} {}", quoted(index), table.sql(), by.definition);
    Work::new(Class::Table, table, format!("add constraint {name} to {table}"))
        .part(50, name)
        .phase(Phase::Finish)
        .up(alter_table(table, &[add]))
        .ups(commented(table, name, about))
        .down(drop_statement(table, name))
        .down(rebuilt)
        .down_hazard(HazardKind::BlocksWrites, "the constraint's index is built anew")
}
