//! A catalog as places and their attributes: schemas, types, sequences, views and objects.

use std::collections::BTreeMap;

use super::{Fields, Part, Place, tables};
use crate::catalog::name::{literal, quoted};
use crate::catalog::{
    Catalog, Composite, Domain, Enum, ObjectKind, QName, Sequence, SequenceOptions, View,
};

/// All places of a catalog.
pub(super) fn described(catalog: &Catalog) -> BTreeMap<Place, Fields> {
    let mut all = Places(BTreeMap::new());
    for (name, schema) in &catalog.schemas {
        all.whole("schema", quoted(name), [("comment", schema.comment.clone())]);
    }
    for (name, extension) in &catalog.extensions {
        all.whole("extension", quoted(name), [("schema", Some(extension.schema.clone()))]);
    }
    for (name, one) in &catalog.enums {
        all.whole("enum", name.to_string(), enum_fields(one));
    }
    for (name, one) in &catalog.domains {
        domain(&mut all, name, one);
    }
    for (name, one) in &catalog.composites {
        all.whole("type", name.to_string(), composite(one));
    }
    for (name, one) in &catalog.sequences {
        all.whole("sequence", name.to_string(), sequence(one));
    }
    for (name, one) in &catalog.tables {
        tables::table(&mut all, name, one);
    }
    for (name, one) in &catalog.views {
        view(&mut all, name, one);
    }
    for (kind, objects) in &catalog.objects {
        for (name, one) in objects {
            let comment = one.comment.as_ref().map(|(text, _)| text.clone());
            let fields = [("definition", Some(one.create.clone())), ("comment", comment)];
            all.whole(object_kind(*kind), name.clone(), fields);
        }
    }
    all.0
}

/// The places described so far.
pub(super) struct Places(BTreeMap<Place, Fields>);

impl Places {
    /// Adds an object.
    pub(super) fn whole(
        &mut self,
        kind: &'static str,
        name: String,
        fields: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) {
        self.0.insert(Place { kind, name, part: None }, fields.into_iter().collect());
    }

    /// Adds a part of an object.
    pub(super) fn part(
        &mut self,
        whole: (&'static str, &QName),
        kind: &'static str,
        name: &str,
        fields: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) {
        let part = Some(Part { kind, name: quoted(name) });
        let place = Place { kind: whole.0, name: whole.1.to_string(), part };
        self.0.insert(place, fields.into_iter().collect());
    }
}

/// What a kind of object is called.
pub(super) fn object_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Function => "function",
        ObjectKind::Aggregate => "aggregate",
        ObjectKind::Range => "range type",
        ObjectKind::Collation => "collation",
        ObjectKind::Statistics => "statistics",
        ObjectKind::Rule => "rule",
    }
}

fn enum_fields(one: &Enum) -> [(&'static str, Option<String>); 2] {
    let values: Vec<String> = one.values.iter().map(|value| literal(value)).collect();
    [("values", Some(values.join(", "))), ("comment", one.comment.clone())]
}

fn domain(all: &mut Places, name: &QName, one: &Domain) {
    let fields = [
        ("type", Some(one.data_type.clone())),
        ("collation", one.collation.as_ref().map(QName::to_string)),
        ("", Some(nullability(one.not_null))),
        ("default", one.default.clone()),
        ("comment", one.comment.clone()),
    ];
    all.whole("domain", name.to_string(), fields);
    for (check, about) in &one.checks {
        let fields = [
            ("definition", Some(about.definition.clone())),
            ("state", Some(validity(about.validated))),
        ];
        all.part(("domain", name), "constraint", check, fields);
    }
}

fn composite(one: &Composite) -> [(&'static str, Option<String>); 2] {
    let attribute = |(name, data_type, collation): &(String, String, Option<QName>)| {
        let collation = collation.as_ref().map(|name| format!(" collate {name}"));
        format!("{} {data_type}{}", quoted(name), collation.unwrap_or_default())
    };
    let attributes: Vec<String> = one.attributes.iter().map(attribute).collect();
    [("attributes", Some(attributes.join(", "))), ("comment", one.comment.clone())]
}

fn sequence(one: &Sequence) -> Vec<(&'static str, Option<String>)> {
    let owner = one.owned_by.as_ref().map(|(table, column)| format!("{table}.{}", quoted(column)));
    let mut fields = vec![
        ("owned by", owner),
        ("kept", Some(logged(one.unlogged))),
        ("comment", one.comment.clone()),
    ];
    fields.extend(sequence_options(&one.options));
    fields
}

/// How a sequence counts.
pub(super) fn sequence_options(one: &SequenceOptions) -> [(&'static str, Option<String>); 7] {
    [
        ("type", Some(one.data_type.clone())),
        ("start", Some(one.start.to_string())),
        ("increment", Some(one.increment.to_string())),
        ("minimum", Some(one.minimum.to_string())),
        ("maximum", Some(one.maximum.to_string())),
        ("cache", Some(one.cache.to_string())),
        ("cycle", Some(if one.cycle { "cycle" } else { "no cycle" }.into())),
    ]
}

fn view(all: &mut Places, name: &QName, one: &View) {
    let kind = if one.materialized { "materialized view" } else { "view" };
    let columns: Vec<String> = one
        .columns
        .iter()
        .map(|(name, data_type)| format!("{} {data_type}", quoted(name)))
        .collect();
    let fields = [
        ("definition", Some(one.definition.clone())),
        ("columns", Some(columns.join(", "))),
        ("options", options(&one.options)),
        ("comment", one.comment.clone()),
    ];
    all.whole(kind, name.to_string(), fields);
    tables::indexes(all, (kind, name), &one.indexes);
    tables::triggers(all, (kind, name), &one.triggers);
}

/// Storage parameters in one text; none when there are none.
pub(super) fn options(all: &BTreeMap<String, String>) -> Option<String> {
    let pairs: Vec<String> = all.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    (!pairs.is_empty()).then(|| pairs.join(", "))
}

/// As a sentence about a column says it.
pub(super) fn nullability(not_null: bool) -> String {
    if not_null { "not null" } else { "nullable" }.into()
}

/// Whether existing rows were checked.
pub(super) fn validity(validated: bool) -> String {
    if validated { "validated" } else { "not validated" }.into()
}

/// Whether a crash leaves it.
pub(super) fn logged(unlogged: bool) -> String {
    if unlogged { "unlogged" } else { "logged" }.into()
}
