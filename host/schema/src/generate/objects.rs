//! Named SQL objects that no catalog comparison sees, such as publications and grants: they are
//! tracked by their content.

use std::collections::BTreeMap;

use avenire_definitions::{Definitions, Item};

use crate::plan::PlannedFile;
use crate::revision::Frame;
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

/// What is to be run so that the objects become those of the modules: what is gone is dropped
/// before anything that it may be about changes, what is new is made when all else is there. An
/// object that does not say how it is dropped stays.
pub(super) fn changed(definitions: &Definitions, last: Option<&Snapshot>) -> Frame {
    let none = BTreeMap::new();
    let before = last.map_or(&none, |snapshot| &snapshot.objects);
    let after = tracked(definitions);
    let gone = before.iter().filter(|(name, object)| after.get(*name) != Some(*object));
    let new: Vec<_> =
        after.iter().filter(|(name, object)| before.get(*name) != Some(*object)).collect();
    let gone: Vec<_> = gone.collect();
    let creates = |objects: &[(&String, &TrackedObject)]| -> String {
        objects.iter().flat_map(|(_, object)| &object.create).map(|sql| ended(sql)).collect()
    };
    let dropped: Vec<_> =
        gone.iter().copied().filter(|(_, object)| object.drop.is_some()).collect();
    let replaced: Vec<_> = gone
        .iter()
        .copied()
        .filter(|(name, object)| object.drop.is_none() && after.contains_key(*name))
        .collect();
    let up = drops(&dropped).unwrap_or_default();
    Frame {
        first: file("former_objects", up, Some(creates(&dropped))),
        // What could not be dropped is still there, unless another one took its place.
        last: file(
            "objects",
            creates(&new),
            drops(&new).map(|dropped| dropped + &creates(&replaced)),
        ),
    }
}

/// None when one of them does not say how it is dropped.
fn drops(objects: &[(&String, &TrackedObject)]) -> Option<String> {
    objects.iter().rev().map(|(_, object)| object.drop.as_deref().map(ended)).collect()
}

fn file(suffix: &str, up: String, down: Option<String>) -> Option<PlannedFile> {
    let suffix = Some(suffix.to_owned());
    (!up.is_empty()).then_some(PlannedFile { suffix, transaction: true, up, down })
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
