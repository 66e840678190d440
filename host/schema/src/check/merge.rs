//! Two snapshots that went on from the same one, made one.
//! Never: decides between two that changed the same.

use serde_json::{Map, Value};

use crate::snapshot::Snapshot;

/// Where both changed the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Apart(pub(super) String);

/// What `second` did to `base`, done to `first`. Parent and files are those of `second`.
pub(super) fn merged(
    base: Option<&Snapshot>,
    first: &Snapshot,
    second: &Snapshot,
) -> Result<Snapshot, Apart> {
    let value = |snapshot: &Snapshot| {
        let mut value = serde_json::to_value(snapshot).unwrap_or_default();
        if let Value::Object(fields) = &mut value {
            fields.retain(|name, _| name == "catalog" || name == "objects");
        }
        named(value)
    };
    let base = base.map_or_else(|| Value::Object(Map::new()), value);
    let merged = three(Some(&base), Some(&value(first)), Some(&value(second)), "")?;
    let Some(Value::Object(fields)) = merged.map(listed) else { return Ok(second.clone()) };
    let odd = |error: serde_json::Error| Apart(error.to_string());
    let field = |name: &str| fields.get(name).cloned().unwrap_or_else(|| Value::Object(Map::new()));
    Ok(Snapshot {
        catalog: serde_json::from_value(field("catalog")).map_err(odd)?,
        objects: serde_json::from_value(field("objects")).map_err(odd)?,
        ..second.clone()
    })
}

/// What one of the two changed, or both alike.
fn three(
    base: Option<&Value>,
    first: Option<&Value>,
    second: Option<&Value>,
    place: &str,
) -> Result<Option<Value>, Apart> {
    if first == second || base == second {
        return Ok(first.cloned());
    }
    if base == first {
        return Ok(second.cloned());
    }
    let (Some(Value::Object(one)), Some(Value::Object(two))) = (first, second) else {
        return Err(Apart(place.trim_matches('/').to_owned()));
    };
    let nothing = Map::new();
    let before = match base {
        Some(Value::Object(base)) => base,
        _ => &nothing,
    };
    let mut merged = Map::new();
    for name in one.keys().chain(two.keys().filter(|name| !one.contains_key(*name))) {
        let place = format!("{place}/{name}");
        if let Some(value) = three(before.get(name), one.get(name), two.get(name), &place)? {
            merged.insert(name.clone(), value);
        }
    }
    Ok(Some(Value::Object(merged)))
}

/// What marks an object that was a list.
const LIST: &str = "\0list";

/// Lists of things with names, such as columns, as objects, so that each can be merged by itself.
fn named(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, named(value))).collect())
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(|one| name(one).is_some()) => {
            let mark = (LIST.to_owned(), Value::Bool(true));
            let items = items.into_iter().map(|one| (name(&one).unwrap_or_default(), named(one)));
            Value::Object([mark].into_iter().chain(items).collect())
        }
        other => other,
    }
}

fn name(item: &Value) -> Option<String> {
    item.as_object()?.get("name")?.as_str().map(str::to_owned)
}

fn listed(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            let is_list = fields.shift_remove(LIST).is_some();
            let fields = fields.into_iter().map(|(name, value)| (name, listed(value)));
            if is_list {
                Value::Array(fields.map(|(_, value)| value).collect())
            } else {
                Value::Object(fields.collect())
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merge(base: &Value, first: &Value, second: &Value) -> Result<Value, String> {
        let all = [base, first, second].map(|one| named(one.clone()));
        let merged = three(Some(&all[0]), Some(&all[1]), Some(&all[2]), "");
        merged.map(|value| listed(value.unwrap())).map_err(|apart| apart.0)
    }

    #[test]
    fn what_either_did_is_done() {
        let base = json!({"t": {"columns": [{"name": "a", "n": 1}, {"name": "b"}], "x": 1}});
        let first = json!({"t": {"columns": [{"name": "a", "n": 1}, {"name": "c"}], "x": 1}});
        let second =
            json!({"t": {"columns": [{"name": "a", "n": 2}, {"name": "b"}, {"name": "d"}]}});
        let both = json!({"t": {"columns": [{"name": "a", "n": 2}, {"name": "c"}, {"name": "d"}]}});
        assert_eq!(merge(&base, &first, &second), Ok(both));
    }

    #[test]
    fn what_both_changed_is_told_with_its_place() {
        let (base, first) = (json!({"t": {"x": 1}}), json!({"t": {"x": 2}}));
        assert_eq!(merge(&base, &first, &json!({"t": {"x": 3}})), Err("t/x".into()));
        assert_eq!(merge(&base, &first, &json!({})), Err("t".into()));
        assert_eq!(merge(&base, &first, &first), Ok(first.clone()));
    }
}
