//! Whether a comparison of catalogs misses anything: each value of a catalog is made another one.

use std::collections::{BTreeMap, BTreeSet};

use avenire_schema::catalog::Catalog;
use avenire_schema::diff::compare;
use serde_json::{Map, Value, json};

/// A catalog with nearly everything in it, as `introspect` reads it.
const RICH: &str = include_str!("../golden/rich.json");

/// Objects whose keys are names of things rather than fields, by the last part of their place.
const NAMED: [&str; 15] = [
    "schemas",
    "extensions",
    "enums",
    "domains",
    "composites",
    "sequences",
    "tables",
    "views",
    "objects",
    "checks",
    "constraints",
    "indexes",
    "triggers",
    "policies",
    "options",
];

/// What is not compared: that a column is inherited, the kind of a constraint, the parts of an index
/// and how an object is dropped follow from what is (from the parents, from the definition), and the
/// version of an extension is no part of what a catalog is.
const UNSEEN: [&str; 27] = [
    "extensions.*.version",
    "objects.aggregate.*.drop",
    "objects.collation.*.drop",
    "objects.function.*.comment.*",
    "objects.function.*.drop",
    "objects.range.*.drop",
    "objects.rule.*.drop",
    "objects.statistics.*.drop",
    "tables.*.columns.*.inherited",
    "tables.*.constraints.*.kind.columns",
    "tables.*.constraints.*.kind.columns.*",
    "tables.*.constraints.*.kind.expression",
    "tables.*.constraints.*.kind.nulls-not-distinct",
    "tables.*.constraints.*.kind.referenced-columns",
    "tables.*.constraints.*.kind.referenced-columns.*",
    "tables.*.constraints.*.kind.references",
    "tables.*.indexes.*.include",
    "tables.*.indexes.*.include.*",
    "tables.*.indexes.*.keys",
    "tables.*.indexes.*.keys.*",
    "tables.*.indexes.*.method",
    "tables.*.indexes.*.options",
    "tables.*.indexes.*.options.*",
    "tables.*.indexes.*.predicate",
    "views.*.indexes.*.keys",
    "views.*.indexes.*.keys.*",
    "views.*.indexes.*.method",
];

/// Constraints and indexes that come from a parent are what the parent's are.
fn is_inherited(value: &Value) -> bool {
    let all = |all: &Map<String, Value>| !all.is_empty() && all.values().all(is_inherited);
    value.get("definition").is_some() && value.get("inherited") == Some(&Value::Bool(true))
        || value.as_object().is_some_and(all)
}

/// What nothing in that catalog has.
const ABSENT: [(&str, &str, &str); 2] =
    [("views.*.indexes.*", "comment", "x"), ("views.*.triggers.*", "comment", "x")];

/// Which values a field has anywhere, by the place of what it is a field of.
type Seen = BTreeMap<String, Map<String, Value>>;

fn is_named(place: &str, value: &Value) -> bool {
    let last = place.rsplit('.').next().unwrap_or_default();
    NAMED.contains(&last) && value.get("increment").is_none()
        || place.strip_prefix("objects.").is_some_and(|kind| !kind.contains('.'))
}

fn within(place: &str, key: &str, is_named: bool) -> String {
    let key = if is_named && place != "objects" { "*" } else { key };
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

fn look(place: &str, value: &Value, seen: &mut Seen) {
    match value {
        Value::Object(fields) => {
            let named = is_named(place, value);
            for (key, field) in fields {
                if !named {
                    let known = seen.entry(place.to_owned()).or_default();
                    known.entry(key.clone()).or_insert_with(|| field.clone());
                }
                look(&within(place, key, named), field, seen);
            }
        }
        Value::Array(items) => {
            for item in items {
                look(&within(place, "*", false), item, seen);
            }
        }
        _ => {}
    }
}

/// Everything that differs from a value in one place, and the place.
fn others(place: &str, value: &Value, seen: &Seen) -> Vec<(String, Value)> {
    let here = |value: Value| (place.to_owned(), value);
    match value {
        Value::Bool(flag) => vec![here(json!(!flag))],
        Value::Number(number) => vec![here(json!(number.as_i64().unwrap_or_default() - 1))],
        Value::String(text) => vec![here(json!(format!("{text}x"))), here(json!("D"))],
        Value::Null => vec![here(json!("x"))],
        Value::Array(items) => {
            let mut all = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let mut fewer = items.clone();
                fewer.remove(at);
                all.push(here(Value::Array(fewer)));
                for (inner, other) in others(&within(place, "*", false), item, seen) {
                    let mut changed = items.clone();
                    changed[at] = other;
                    all.push((inner, Value::Array(changed)));
                }
            }
            all
        }
        Value::Object(fields) => {
            let named = is_named(place, value);
            let mut all = Vec::new();
            for (key, field) in fields.iter().filter(|(_, field)| !is_inherited(field)) {
                let inside = within(place, key, named);
                let mut fewer = fields.clone();
                fewer.remove(key);
                all.push((inside.clone(), Value::Object(fewer)));
                for (inner, other) in others(&inside, field, seen) {
                    let mut changed = fields.clone();
                    changed.insert(key.clone(), other);
                    all.push((inner, Value::Object(changed)));
                }
            }
            let known = seen.get(place).filter(|_| !named).into_iter().flatten();
            for (key, example) in known.filter(|(key, _)| !fields.contains_key(*key)) {
                let mut more = fields.clone();
                more.insert(key.clone(), example.clone());
                all.push((within(place, key, false), Value::Object(more)));
            }
            all
        }
    }
}

#[test]
fn no_value_of_a_catalog_is_overlooked() {
    let whole: Value = serde_json::from_str(RICH).unwrap();
    let catalog: Catalog = serde_json::from_value(whole.clone()).unwrap();
    let mut seen = Seen::new();
    look("", &whole, &mut seen);
    seen.entry("sequences.*".into()).or_default().insert("unlogged".into(), json!(true));
    for (place, field, value) in ABSENT {
        seen.entry(place.into()).or_default().insert(field.into(), json!(value));
    }
    let (mut unseen, mut places, mut count) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (place, other) in others("", &whole, &seen) {
        // What is no catalog any more, or the same one, tells nothing.
        let Ok(other) = serde_json::from_value::<Catalog>(other) else { continue };
        if other == catalog {
            continue;
        }
        count += 1;
        places.insert(place.clone());
        if compare(&catalog, &other).is_empty() || compare(&other, &catalog).is_empty() {
            unseen.insert(place);
        }
    }
    assert!(
        places.contains("sequences.*.unlogged") && places.contains("views.*.indexes.*.comment")
    );
    assert!(count > 1000 && places.len() > 80, "{count} other catalogs, {places:#?}");
    assert_eq!(unseen.iter().map(String::as_str).collect::<Vec<_>>(), UNSEEN);
}
