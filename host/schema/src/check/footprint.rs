//! What a migration touches and relies on, from the catalogs before and after it, and where two
//! migrations get into each other's way.
//! Never: reads SQL; what does not show in the catalog (rows that are changed) is not seen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::catalog::name::quoted;
use crate::catalog::{Catalog, ConstraintKind, QName, Table};

/// An object such as `table public.chat`, or a part of one such as `column title`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Touched {
    /// The object.
    pub object: String,
    /// The part; none for the whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
    /// It is needed by something new or changed.
    Used,
}

/// What a migration touches and relies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// What it does to what.
    pub touched: BTreeMap<Touched, How>,
    /// What it relies on.
    pub used: BTreeSet<Touched>,
}

/// Something that two migrations cannot both do in any order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Collision {
    /// What both are about.
    #[serde(flatten)]
    pub on: Touched,
    /// What the first does to it.
    pub first: How,
    /// What the second does to it.
    pub second: How,
}

/// `column title of table public.chat`
impl std::fmt::Display for Touched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{part} of {}", self.object),
            None => f.write_str(&self.object),
        }
    }
}

impl How {
    /// `added`, `removed`, `changed` or `used`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Used => "used",
        }
    }
}

impl Touched {
    fn whole(object: String) -> Self {
        Self { object, part: None }
    }

    fn part(object: &str, part: String) -> Self {
        Self { object: object.to_owned(), part: Some(part) }
    }

    /// Whether one is the other, or the whole of it.
    fn meets(&self, other: &Self) -> bool {
        let whole = self.part.is_none() || other.part.is_none();
        self.object == other.object && (whole || self.part == other.part)
    }
}

impl Footprint {
    /// Of what leads from one catalog to the other.
    pub fn between(from: &Catalog, to: &Catalog) -> Self {
        let (old, new) = (parts(from), parts(to));
        let mut footprint = Self::default();
        for (what, value) in &new {
            let how = match old.get(what) {
                None => How::Added,
                Some(before) if before != value => How::Changed,
                Some(_) => continue,
            };
            footprint.used.extend(uses(to, what, value));
            footprint.touched.insert(what.clone(), how);
        }
        let gone = old.into_keys().filter(|what| !new.contains_key(what));
        footprint.touched.extend(gone.map(|what| (what, How::Removed)));
        let wholes: BTreeSet<String> = footprint
            .touched
            .keys()
            .filter(|what| what.part.is_none())
            .map(|what| what.object.clone())
            .collect();
        // Whoever makes or drops an object does so to its parts.
        footprint.touched.retain(|what, _| what.part.is_none() || !wholes.contains(&what.object));
        footprint.used.retain(|what| !wholes.contains(&what.object));
        footprint
    }

    /// Adds what another migration of the same branch does.
    pub fn extend(&mut self, other: Self) {
        self.touched.extend(other.touched);
        self.used.extend(other.used);
    }

    /// Where the two get into each other's way: both touch the same, or one removes or changes what
    /// the other relies on. Without a collision their order does not matter.
    pub fn collisions(&self, other: &Self) -> Vec<Collision> {
        let mut found = BTreeSet::new();
        for (one, first) in &self.touched {
            for (two, second) in other.touched.iter().filter(|(two, _)| one.meets(two)) {
                let on = if one.part.is_some() { one } else { two }.clone();
                found.insert(Collision { on, first: *first, second: *second });
            }
        }
        let ends = |how: &How| matches!(how, How::Removed | How::Changed);
        for (one, first) in self.touched.iter().filter(|(_, how)| ends(how)) {
            if other.used.iter().any(|used| used.meets(one)) {
                found.insert(Collision { on: one.clone(), first: *first, second: How::Used });
            }
        }
        for (two, second) in other.touched.iter().filter(|(_, how)| ends(how)) {
            if self.used.iter().any(|used| used.meets(two)) {
                found.insert(Collision { on: two.clone(), first: How::Used, second: *second });
            }
        }
        found.into_iter().collect()
    }
}

fn table(name: &QName) -> String {
    format!("table {name}")
}

/// Everything in a catalog, each with what makes it what it is.
fn parts(catalog: &Catalog) -> BTreeMap<Touched, Value> {
    let mut parts = BTreeMap::new();
    for (name, one) in &catalog.tables {
        parts.extend(table_parts(&table(name), one));
    }
    for (name, one) in &catalog.enums {
        let object = format!("enum {name}");
        for (place, value) in one.values.iter().enumerate() {
            // What stands before a value is its place among those that stay.
            let before = place.checked_sub(1).and_then(|before| one.values.get(before));
            parts.insert(Touched::part(&object, format!("value {value}")), json(&before));
        }
        // Two values at the end have an order too.
        parts.insert(Touched::part(&object, "last value".into()), json(&one.values.last()));
        parts.insert(Touched::part(&object, "comment".into()), json(&one.comment));
        parts.insert(Touched::whole(object), Value::Null);
    }
    let mut add = |object: String, value: Value| {
        parts.insert(Touched::part(&object, "definition".into()), value);
        parts.insert(Touched::whole(object), Value::Null);
    };
    catalog
        .schemas
        .iter()
        .for_each(|(name, one)| add(format!("schema {}", quoted(name)), json(one)));
    catalog.extensions.iter().for_each(|(name, one)| {
        add(format!("extension {}", quoted(name)), json(&one.schema));
    });
    catalog.domains.iter().for_each(|(name, one)| add(format!("domain {name}"), json(one)));
    catalog.composites.iter().for_each(|(name, one)| add(format!("type {name}"), json(one)));
    catalog.sequences.iter().for_each(|(name, one)| add(format!("sequence {name}"), json(one)));
    catalog.views.iter().for_each(|(name, one)| add(format!("view {name}"), json(one)));
    for (kind, objects) in &catalog.objects {
        let kind = json(kind);
        let kind = kind.as_str().unwrap_or_default();
        for (name, one) in objects {
            add(format!("{kind} {name}"), json(one));
        }
    }
    parts
}

fn table_parts(object: &str, table: &Table) -> BTreeMap<Touched, Value> {
    let mut parts = BTreeMap::new();
    let mut add = |kind: &str, name: &str, value: Value| {
        parts.insert(Touched::part(object, format!("{kind} {}", quoted(name))), value);
    };
    table.columns.iter().for_each(|one| add("column", &one.name, json(one)));
    table.constraints.iter().for_each(|(name, one)| add("constraint", name, json(one)));
    table.indexes.iter().for_each(|(name, one)| add("index", name, json(one)));
    table.triggers.iter().for_each(|(name, one)| add("trigger", name, json(one)));
    table.policies.iter().for_each(|(name, one)| add("policy", name, json(one)));
    let bare = Table {
        columns: Vec::new(),
        constraints: BTreeMap::new(),
        indexes: BTreeMap::new(),
        triggers: BTreeMap::new(),
        policies: BTreeMap::new(),
        ..table.clone()
    };
    if let Value::Object(attributes) = json(&bare) {
        for (name, value) in attributes {
            parts.insert(Touched::part(object, name), value);
        }
    }
    parts.insert(Touched::whole(object.to_owned()), Value::Null);
    parts
}

/// A value that serialises; what does not, which is nothing in a catalog, is null.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// What something relies on: what its definition mentions.
fn uses(catalog: &Catalog, what: &Touched, value: &Value) -> BTreeSet<Touched> {
    let text = strings(value);
    let mut used = BTreeSet::new();
    for (name, one) in &catalog.tables {
        let object = table(name);
        if object == what.object {
            let own = one.columns.iter().map(|column| &column.name);
            let mentioned = own.filter(|column| mentions(&text, &quoted(column)));
            used.extend(
                mentioned
                    .map(|column| Touched::part(&object, format!("column {}", quoted(column)))),
            );
            used.extend(foreign(one, what));
        } else if mentions(&text, &name.to_string()) && !what.part.as_deref().is_some_and(is_key) {
            used.insert(Touched::whole(object));
        }
    }
    let types = catalog.enums.keys().map(|name| ("enum", name));
    let types = types.chain(catalog.domains.keys().map(|name| ("domain", name)));
    for (kind, name) in types.chain(catalog.composites.keys().map(|name| ("type", name))) {
        if mentions(&text, &name.to_string()) {
            used.insert(Touched::whole(format!("{kind} {name}")));
        }
    }
    // A column mentions itself.
    used.remove(what);
    used
}

/// Constraints say exactly which columns they refer to.
fn is_key(part: &str) -> bool {
    part.starts_with("constraint ")
}

fn foreign(of: &Table, what: &Touched) -> BTreeSet<Touched> {
    let constraints = of.constraints.iter();
    let mut this = constraints
        .filter(|(name, _)| what.part.as_deref() == Some(&*format!("constraint {}", quoted(name))));
    match this.next().map(|(_, one)| &one.kind) {
        Some(ConstraintKind::ForeignKey { references, referenced_columns, .. }) => {
            let column = |name: &String| {
                Touched::part(&table(references), format!("column {}", quoted(name)))
            };
            referenced_columns.iter().map(column).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(all) => all.iter().map(strings).collect(),
        Value::Object(all) => all.values().map(strings).collect(),
        _ => String::new(),
    }
}

/// Whether the name stands in the text as a word.
fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '"';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests;
