//! Functions and the like, which are carried as SQL.

use std::collections::BTreeSet;

use avenire_definitions as language;
use avenire_definitions::{Item, ObjectName};

use super::Pulling;
use super::read::object_name;
use crate::catalog::name::literal;
use crate::catalog::{self, Id};

pub(super) fn pull(pulling: &mut Pulling<'_>) {
    for (kind, objects) in &pulling.introspected.catalog.objects {
        for (name, found) in objects {
            let id = Id::Object(*kind, name.clone());
            let item = object(&id, found, pulling);
            pulling.put(&id, Item::Object(item));
        }
    }
}

fn object(id: &Id, found: &catalog::Object, pulling: &Pulling<'_>) -> language::Object {
    let mut create = vec![found.create.clone()];
    if let Some((comment, what)) = &found.comment {
        create.push(format!("comment on {what} is {}", literal(comment)));
    }
    let needs = pulling.introspected.needs.get(id).into_iter().flatten();
    let needs: BTreeSet<(String, String)> =
        needs.filter_map(|id| needed(id, pulling)).map(|name| (name.schema, name.name)).collect();
    language::Object {
        docs: Vec::new(),
        name: pulling.names.object(id).into(),
        depends_on: needs.into_iter().map(|(schema, name)| ObjectName::new(schema, name)).collect(),
        create,
        drop: Some(found.drop.clone()),
    }
}

/// How `depends on` names what an object needs; schemas and extensions are always there first.
fn needed(id: &Id, pulling: &Pulling<'_>) -> Option<ObjectName> {
    match id {
        Id::Type(name) | Id::Table(name) | Id::View(name) => Some(object_name(name)),
        Id::Column(table, _) | Id::Constraint(table, _) => Some(object_name(table)),
        Id::Object(..) => Some(ObjectName::new("public", pulling.names.object(id))),
        _ => None,
    }
}
