//! Tables with their columns, constraints, indexes, triggers and policies.

use std::collections::BTreeMap;

use avenire_definitions as language;
use avenire_definitions::{Fires, Item, PolicyCommand};

use super::Pulling;
use super::constraints::constraint;
use super::indexes::index;
use super::read::{collation, data_type, object_name};
use super::types::sequence_options;
use crate::catalog::{self, Catalog, Id, QName};

pub(super) fn pull(pulling: &mut Pulling<'_>) {
    for (name, found) in &pulling.introspected.catalog.tables {
        let table = table(name, found, pulling);
        pulling.put(&Id::Table(name.clone()), Item::Table(Box::new(table)));
    }
}

fn table(name: &QName, found: &catalog::Table, pulling: &mut Pulling<'_>) -> language::Table {
    let catalog = &pulling.introspected.catalog;
    told(name, found, pulling);
    let own = found.columns.iter().filter(|column| !column.inherited && !is_partition(found));
    let constraints = found.constraints.iter().filter(|(_, constraint)| !constraint.inherited);
    let policies = found.policies.iter().map(|(name, found)| policy(name, found));
    language::Table {
        name: object_name(name),
        row: pulling.names.row(name).map(Into::into),
        unlogged: found.unlogged,
        columns: own.map(|found| column(found, catalog)).collect(),
        constraints: constraints.map(|(key, one)| constraint(name, found, key, one)).collect(),
        indexes: indexes(name, &found.indexes, pulling),
        triggers: triggers(&found.triggers),
        policies: policies.collect(),
        row_security: found.row_security,
        force_row_security: found.force_row_security,
        partition_by: found.partition_by.clone(),
        partition_of: found.partition_of.as_ref().map(|partition| language::Partition {
            parent: object_name(&partition.parent),
            bound: partition.bound.clone(),
        }),
        inherits: found.inherits.iter().map(object_name).collect(),
        options: found.options.clone().into_iter().collect(),
        comment: found.comment.clone(),
        ..Default::default()
    }
}

fn is_partition(table: &catalog::Table) -> bool {
    table.partition_of.is_some()
}

/// Names what the language can not say of a table.
fn told(name: &QName, found: &catalog::Table, pulling: &mut Pulling<'_>) {
    for (constraint, found) in &found.constraints {
        if !found.validated {
            pulling.leave_out("that a constraint is not valid", format!("{constraint} of {name}"));
        }
        if found.inherited && found.comment.is_some() {
            pulling
                .leave_out("comment on an inherited constraint", format!("{constraint} of {name}"));
        }
    }
    let catalog = &pulling.introspected.catalog;
    let parents = found.partition_of.iter().map(|partition| &partition.parent);
    let parents: Vec<_> = parents
        .chain(&found.inherits)
        .filter_map(|parent| catalog.tables.get(parent))
        .flat_map(|parent| &parent.columns)
        .collect();
    for column in found.columns.iter().filter(|one| one.inherited || is_partition(found)) {
        let same = |parent: &&&catalog::Column| parent.name == column.name;
        let differs = parents.iter().find(same).is_none_or(|parent| {
            (&parent.default, parent.not_null, &parent.storage, &parent.generated)
                != (&column.default, column.not_null, &column.storage, &column.generated)
        });
        if differs || column.comment.is_some() {
            let which = format!("{} of {name}", column.name);
            pulling.leave_out("what an inherited column has of its own", which);
        }
    }
}

pub(super) fn column(found: &catalog::Column, catalog: &Catalog) -> language::Column {
    let mut column =
        language::Column::new(found.name.as_str(), data_type(&found.data_type, catalog));
    column.nullable = !found.not_null;
    column.default = found.default.as_deref().map(|text| plain(text, &found.data_type));
    column.collation = found.collation.as_ref().map(collation);
    column.identity = found.identity.as_ref().map(|identity| language::Identity {
        always: identity.always,
        sequence: sequence_options(&identity.sequence, &found.data_type),
    });
    column.generated = found.generated.as_ref().map(|generated| language::Generated {
        expression: generated.expression.clone(),
        stored: generated.stored,
    });
    column.storage = found.storage.as_ref().map(|storage| storage.to_lowercase());
    column.comment.clone_from(&found.comment);
    column
}

/// A default without the cast to the column's own type, which Postgres adds to a string.
fn plain(default: &str, data_type: &str) -> String {
    let bare = |printed: &str| printed.split('(').next().map(|word| word.trim().to_owned());
    let split = default.rsplit_once("'::").filter(|(string, cast)| {
        let inside = string.strip_prefix('\'').map(|inside| inside.replace("''", ""));
        inside.is_some_and(|inside| !inside.contains('\''))
            && bare(data_type).as_deref() == Some(*cast)
    });
    split.map_or_else(|| default.to_owned(), |(string, _)| format!("{string}'"))
}

/// Those that do not come from a parent.
pub(super) fn indexes(
    owner: &QName,
    found: &BTreeMap<String, catalog::Index>,
    pulling: &mut Pulling<'_>,
) -> Vec<language::Index> {
    let mut indexes = Vec::new();
    for (name, found) in found {
        let which = format!("{name} of {owner}");
        if found.inherited {
            if found.comment.is_some() {
                pulling.leave_out("comment on an inherited index", which);
            }
            continue;
        }
        if !found.valid {
            pulling.leave_out("that an index is not valid", which.clone());
        }
        match index(name, found) {
            Some(index) => indexes.push(index),
            None => pulling.leave_out("index", which),
        }
    }
    indexes
}

pub(super) fn triggers(found: &BTreeMap<String, catalog::Trigger>) -> Vec<language::Trigger> {
    let trigger = |(name, found): (&String, &catalog::Trigger)| language::Trigger {
        docs: Vec::new(),
        name: name.as_str().into(),
        definition: found.definition.clone(),
        fires: match found.enabled {
            'D' => Fires::Disabled,
            'R' => Fires::Replica,
            'A' => Fires::Always,
            _ => Fires::Origin,
        },
        comment: found.comment.clone(),
    };
    found.iter().map(trigger).collect()
}

fn policy(name: &str, found: &catalog::Policy) -> language::Policy {
    let is_for_everybody = found.roles.iter().any(|role| role == "public");
    let roles = if is_for_everybody { &[][..] } else { &found.roles };
    language::Policy {
        docs: Vec::new(),
        name: name.into(),
        restrictive: !found.permissive,
        command: match found.command.as_str() {
            "select" => PolicyCommand::Select,
            "insert" => PolicyCommand::Insert,
            "update" => PolicyCommand::Update,
            "delete" => PolicyCommand::Delete,
            _ => PolicyCommand::All,
        },
        roles: roles.iter().map(|role| role.as_str().into()).collect(),
        using: found.using.clone(),
        check: found.check.clone(),
        comment: found.comment.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_the_cast_of_one_string_to_the_own_type_is_left_away() {
        assert_eq!(plain("'x''y'::character varying", "character varying(50)"), "'x''y'");
        assert_eq!(plain("'{}'::public.mood[]", "public.mood[]"), "'{}'");
        for kept in ["'a'::text || 'b'::text", "nextval('s'::regclass)", "'1'::numeric", "now()"] {
            assert_eq!(plain(kept, "text"), kept);
        }
    }
}
