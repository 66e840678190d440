//! Named SQL objects that no catalog comparison sees, such as publications and grants: they are
//! tracked by their content.

use std::collections::BTreeMap;

use avenire_definitions::{Definitions, Item};

use crate::plan::PlannedFile;
use crate::snapshot::{Snapshot, TrackedObject};

/// The named objects of the modules, by name, without those that the comparison of catalogs
/// covers.
pub(super) fn tracked(definitions: &Definitions) -> BTreeMap<String, TrackedObject> {
    let objects = definitions.items().filter_map(|item| match item {
        Item::Object(object) => Some(object),
        _ => None,
    });
    objects
        .filter(|object| !object.create.iter().all(|sql| is_compared(sql)))
        .map(|object| {
            let create = object.create.clone();
            (object.name.text.clone(), TrackedObject { create, drop: object.drop.clone() })
        })
        .collect()
}

/// What is to be run so that the objects become those of the modules; none when nothing changed.
pub(super) fn changed(definitions: &Definitions, last: Option<&Snapshot>) -> Option<PlannedFile> {
    let none = BTreeMap::new();
    let before = last.map_or(&none, |snapshot| &snapshot.objects);
    let after = tracked(definitions);
    let gone = before.iter().filter(|(name, object)| after.get(*name) != Some(*object));
    let new: Vec<_> =
        after.iter().filter(|(name, object)| before.get(*name) != Some(*object)).collect();
    let gone: Vec<_> = gone.collect();
    if gone.is_empty() && new.is_empty() {
        return None;
    }
    let drops = |objects: &[(&String, &TrackedObject)]| -> Option<String> {
        objects.iter().rev().map(|(_, object)| object.drop.as_deref().map(ended)).collect()
    };
    let creates = |objects: &[(&String, &TrackedObject)]| -> String {
        objects.iter().flat_map(|(_, object)| &object.create).map(|sql| ended(sql)).collect()
    };
    let up = format!("{}{}", drops(&gone).unwrap_or_default(), creates(&new));
    let down = drops(&new).map(|dropped| format!("{dropped}{}", creates(&gone)));
    Some(PlannedFile { suffix: Some("objects"), transaction: true, up, down })
}

/// With one semicolon and one line end.
fn ended(sql: &str) -> String {
    format!("{};\n", sql.trim().trim_end_matches(';'))
}

/// Whether all that the text makes is in the catalog model, judged by the first words of each
/// statement.
fn is_compared(sql: &str) -> bool {
    const KINDS: &[&str] = &[
        "function",
        "procedure",
        "aggregate",
        "trigger",
        "extension",
        "type",
        "domain",
        "view",
        "sequence",
        "table",
        "index",
        "schema",
        "policy",
        "rule",
        "statistics",
        "collation",
    ];
    const BETWEEN: &[&str] =
        &["or", "replace", "constraint", "materialized", "unique", "unlogged", "recursive"];
    crate::migrations::statements_of(sql).into_iter().all(|statement| {
        let mut words = statement.split_whitespace().map(str::to_ascii_lowercase);
        match words.next().as_deref() {
            Some("create") => words
                .find(|word| !BETWEEN.contains(&word.as_str()))
                .is_some_and(|word| KINDS.contains(&word.as_str())),
            Some("comment") => true,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_catalog_shows_is_compared_there() {
        for sql in [
            "create or replace function f() returns int language sql as 'select 1; select 2'",
            "create constraint trigger t after insert on a execute function f(); comment on table a is 'x'",
            "CREATE MATERIALIZED VIEW v AS SELECT 1",
        ] {
            assert!(is_compared(sql), "{sql}");
        }
        for sql in [
            "create publication p for all tables",
            "grant select on a to b",
            "create event trigger e on ddl_command_end execute function f()",
        ] {
            assert!(!is_compared(sql), "{sql}");
        }
    }
}
