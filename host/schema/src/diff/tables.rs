//! A table as places and their attributes, with what views share with it.

use std::collections::BTreeMap;

use super::Fields;
use super::fields::{Places, logged, nullability, options, sequence_options, validity};
use crate::catalog::{Column, Constraint, Index, Policy, QName, Table, Trigger};

/// A table, its columns, constraints, indexes, triggers and policies.
pub(super) fn table(all: &mut Places, name: &QName, one: &Table) {
    let inherits: Vec<String> = one.inherits.iter().map(QName::to_string).collect();
    let partition = one.partition_of.as_ref().map(|of| format!("of {} {}", of.parent, of.bound));
    let fields = [
        ("kept", Some(logged(one.unlogged))),
        ("row security", Some(on(one.row_security))),
        ("forced row security", Some(on(one.force_row_security))),
        ("partitioned by", one.partition_by.clone()),
        ("partition", partition),
        ("inherits", (!inherits.is_empty()).then(|| inherits.join(", "))),
        ("options", options(&one.options)),
        ("comment", one.comment.clone()),
    ];
    all.whole("table", name.to_string(), fields);
    for one in &one.columns {
        all.part(("table", name), "column", &one.name, column(one));
    }
    for (part, one) in one.constraints.iter().filter(|(_, one)| !one.inherited) {
        all.part(("table", name), "constraint", part, constraint(one));
    }
    indexes(all, ("table", name), &one.indexes);
    triggers(all, ("table", name), &one.triggers);
    for (part, one) in &one.policies {
        all.part(("table", name), "policy", part, policy(one));
    }
}

/// Indexes of a table or materialized view.
pub(super) fn indexes(
    all: &mut Places,
    whole: (&'static str, &QName),
    indexes: &BTreeMap<String, Index>,
) {
    for (name, one) in indexes.iter().filter(|(_, one)| !one.inherited) {
        let unique = if one.unique { "unique" } else { "not unique" };
        let fields = [
            ("", Some(unique.to_owned())),
            ("definition", Some(one.definition.clone())),
            ("state", Some(if one.valid { "valid" } else { "invalid" }.into())),
            ("comment", one.comment.clone()),
        ];
        all.part(whole, "index", name, fields);
    }
}

/// Triggers of a table or view.
pub(super) fn triggers(
    all: &mut Places,
    whole: (&'static str, &QName),
    triggers: &BTreeMap<String, Trigger>,
) {
    for (name, one) in triggers {
        let enabled = match one.enabled {
            'D' => "disabled",
            'R' => "replica",
            'A' => "always",
            _ => "enabled",
        };
        let fields = [
            ("definition", Some(one.definition.clone())),
            ("state", Some(enabled.into())),
            ("comment", one.comment.clone()),
        ];
        all.part(whole, "trigger", name, fields);
    }
}

fn column(one: &Column) -> Fields {
    let mut fields = Fields::from([
        ("type", Some(one.data_type.clone())),
        ("collation", one.collation.as_ref().map(QName::to_string)),
        ("", Some(nullability(one.not_null))),
        ("default", one.default.clone()),
        ("storage", one.storage.clone()),
        ("comment", one.comment.clone()),
    ]);
    if let Some(generated) = &one.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        fields.insert("generated", Some(format!("({}) {kind}", generated.expression)));
    }
    if let Some(identity) = &one.identity {
        let kind = if identity.always { "always" } else { "by default" };
        let counts: Vec<String> = sequence_options(&identity.sequence)
            .into_iter()
            .map(|(name, value)| format!("{name} {}", value.unwrap_or_default()))
            .collect();
        fields.insert("identity", Some(format!("{kind} ({})", counts.join(", "))));
    }
    fields
}

fn constraint(one: &Constraint) -> [(&'static str, Option<String>); 3] {
    [
        ("definition", Some(one.definition.clone())),
        ("state", Some(validity(one.validated))),
        ("comment", one.comment.clone()),
    ]
}

fn policy(one: &Policy) -> [(&'static str, Option<String>); 6] {
    let kind = if one.permissive { "permissive" } else { "restrictive" };
    [
        ("", Some(kind.into())),
        ("command", Some(one.command.clone())),
        ("roles", Some(one.roles.join(", "))),
        ("using", one.using.clone()),
        ("with check", one.check.clone()),
        ("comment", one.comment.clone()),
    ]
}

fn on(on: bool) -> String {
    if on { "on" } else { "off" }.into()
}
