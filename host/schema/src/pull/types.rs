//! Schemas, extensions, types and sequences.

use avenire_definitions as language;
use avenire_definitions::{Item, SequenceOptions, Type};

use super::Pulling;
use super::read::{collation, data_type, object_name};
use crate::catalog::{self, Id, QName};

pub(super) fn pull(pulling: &mut Pulling<'_>) {
    let catalog = &pulling.introspected.catalog;
    for (name, schema) in &catalog.schemas {
        // `public` is there from the start.
        if name != "public" || schema.comment.is_some() {
            let comment = schema.comment.clone();
            let item = language::Schema { docs: Vec::new(), name: name.as_str().into(), comment };
            pulling.put(&Id::Schema(name.clone()), Item::Schema(item));
        }
    }
    for (name, extension) in &catalog.extensions {
        let schema = (extension.schema != "public").then(|| extension.schema.as_str().into());
        let item = language::Extension { name: name.as_str().into(), schema, ..Default::default() };
        pulling.put(&Id::Extension(name.clone()), Item::Extension(item));
    }
    for (name, item) in &catalog.enums {
        let item = enumeration(name, item, pulling);
        pulling.put(&Id::Type(name.clone()), Item::Enum(item));
    }
    for (name, item) in &catalog.domains {
        let item = domain(name, item, pulling);
        pulling.put(&Id::Type(name.clone()), Item::Domain(item));
    }
    for (name, item) in &catalog.composites {
        let item = composite(name, item, pulling);
        pulling.put(&Id::Type(name.clone()), Item::Composite(item));
    }
    for (name, item) in &catalog.sequences {
        pulling.put(&Id::Sequence(name.clone()), Item::Sequence(sequence(name, item)));
    }
}

fn enumeration(name: &QName, found: &catalog::Enum, pulling: &Pulling<'_>) -> language::Enum {
    let mut taken = Vec::new();
    let value = |value: &String| {
        let usual = language::rust::camel_case(value);
        let word = super::names::free(&usual, |word| taken.iter().any(|other| other == word));
        taken.push(word.clone());
        let rust = (word != usual).then(|| word.into());
        language::EnumValue { docs: Vec::new(), name: value.as_str().into(), rust }
    };
    language::Enum {
        name: object_name(name),
        rust: pulling.names.unusual_type(name),
        values: found.values.iter().map(value).collect(),
        comment: found.comment.clone(),
        ..Default::default()
    }
}

fn domain(name: &QName, found: &catalog::Domain, pulling: &mut Pulling<'_>) -> language::Domain {
    let mut checks = Vec::new();
    for (check, found) in &found.checks {
        if !found.validated {
            pulling.leave_out("that a constraint is not valid", format!("{check} of {name}"));
        }
        let mut rest = super::read::Rest::of(&found.definition);
        rest.eat("CHECK");
        let inside = rest.brackets().map(crate::catalog::text::unwrapped);
        let expression = inside.unwrap_or_else(|| found.definition.clone());
        checks.push(language::DomainCheck { name: Some(check.as_str().into()), expression });
    }
    language::Domain {
        docs: Vec::new(),
        name: object_name(name),
        data_type: data_type(&found.data_type, &pulling.introspected.catalog),
        collation: found.collation.as_ref().map(collation),
        not_null: found.not_null,
        default: found.default.clone(),
        checks,
        comment: found.comment.clone(),
    }
}

fn composite(
    name: &QName,
    found: &catalog::Composite,
    pulling: &Pulling<'_>,
) -> language::Composite {
    let catalog = &pulling.introspected.catalog;
    let attributes = found.attributes.iter().map(|(attribute, printed, collated)| {
        let data_type = data_type(printed, catalog);
        let mut column = language::Column::new(attribute.as_str(), data_type);
        column.nullable = true;
        column.collation = collated.as_ref().map(collation);
        column
    });
    language::Composite {
        name: object_name(name),
        rust: pulling.names.unusual_type(name),
        attributes: attributes.collect(),
        comment: found.comment.clone(),
        ..Default::default()
    }
}

fn sequence(name: &QName, found: &catalog::Sequence) -> language::Sequence {
    let owned_by = found.owned_by.as_ref();
    language::Sequence {
        name: object_name(name),
        unlogged: found.unlogged,
        options: sequence_options(&found.options, "bigint"),
        owned_by: owned_by.map(|(table, column)| (object_name(table), column.as_str().into())),
        comment: found.comment.clone(),
        ..Default::default()
    }
}

/// What is said of a sequence: what is not as usual (PostgreSQL documentation, CREATE SEQUENCE)
/// for one of the type `usual`.
pub(super) fn sequence_options(found: &catalog::SequenceOptions, usual: &str) -> SequenceOptions {
    let (lowest, highest) = match found.data_type.as_str() {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (minimum, maximum) = if found.increment > 0 { (1, highest) } else { (lowest, -1) };
    let start = if found.increment > 0 { found.minimum } else { found.maximum };
    let unless = |value: i64, usual: i64| (value != usual).then_some(value);
    let short = |name: &str| match Type::from_canonical(name).name {
        language::TypeName::Plain { name, .. } => name,
        language::TypeName::Sql(text) => text,
    };
    SequenceOptions {
        data_type: (found.data_type != usual).then(|| short(&found.data_type)),
        start: unless(found.start, start),
        increment: unless(found.increment, 1),
        minimum: unless(found.minimum, minimum),
        maximum: unless(found.maximum, maximum),
        cache: unless(found.cache, 1),
        cycle: found.cycle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unusual_about_a_sequence_is_said() {
        let usual = catalog::SequenceOptions {
            data_type: "integer".into(),
            start: 1,
            increment: 1,
            minimum: 1,
            maximum: 2_147_483_647,
            cache: 1,
            cycle: false,
        };
        assert_eq!(sequence_options(&usual, "integer"), SequenceOptions::default());
        let down = catalog::SequenceOptions {
            increment: -2,
            minimum: -2_147_483_648,
            maximum: -1,
            start: -7,
            ..usual
        };
        let said = sequence_options(&down, "bigint");
        assert_eq!(
            (said.data_type.as_deref(), said.minimum, said.maximum),
            (Some("integer"), None, None)
        );
        assert_eq!((said.start, said.increment), (Some(-7), Some(-2)));
    }
}
