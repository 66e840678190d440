//! Rules about a catalog, whatever statements led to it.
//! Never: measures a table.

use super::finding::{At, Finding};
use super::rules;
use crate::catalog::name::quoted;
use crate::catalog::{Catalog, ConstraintKind, Index, QName, Table};

/// What there is to say about the tables of a catalog, by table.
pub fn catalog(catalog: &Catalog) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        catalog.tables.iter().flat_map(|(name, table)| table_findings(name, table)).collect();
    findings.sort();
    findings
}

fn table_findings(name: &QName, table: &Table) -> Vec<Finding> {
    let mut told = Told { name, findings: Vec::new() };
    keys(&mut told, table);
    indexes(&mut told, table);
    let open = table.constraints.iter().filter(|(_, one)| !one.validated && !one.inherited);
    for (constraint, _) in open {
        let message = format!("`{constraint}` was never checked for the rows that there are");
        let validate =
            format!("`alter table {} validate constraint {}`", name.sql(), quoted(constraint));
        told.add("constraint-not-validated", message, validate);
    }
    told.findings
}

struct Told<'a> {
    name: &'a QName,
    findings: Vec<Finding>,
}

impl Told<'_> {
    fn add(&mut self, rule: &str, message: String, help: String) {
        let Some(rule) = rules::named(rule) else { return };
        self.findings.push(Finding {
            at: At::Object { object: self.name.to_string() },
            severity: rule.severity,
            rule: rule.name.to_owned(),
            message,
            help: Some(help),
        });
    }
}

fn keys(told: &mut Told<'_>, table: &Table) {
    let has_key =
        table.constraints.values().any(|one| matches!(one.kind, ConstraintKind::PrimaryKey { .. }));
    // The key of a partition is its parent's.
    if !has_key && table.partition_of.is_none() {
        let message = "the table has no primary key, so that a row can not be named".into();
        let help = "add one; logical replication and many tools need it".into();
        told.add("missing-primary-key", message, help);
    }
    for (name, constraint) in &table.constraints {
        let ConstraintKind::ForeignKey { columns, references, .. } = &constraint.kind else {
            continue;
        };
        if constraint.inherited || is_indexed(table, columns) {
            continue;
        }
        let message = format!(
            "no index begins with the columns of `{name}`: each delete or change of a key in {} \
             reads the whole table",
            references.sql()
        );
        let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let help = format!("add an index on ({})", list.join(", "));
        told.add("foreign-key-without-index", message, help);
    }
}

/// Whether an index over all rows begins with the columns, in whatever order.
fn is_indexed(table: &Table, columns: &[String]) -> bool {
    let begins = |keys: &[String]| {
        let first: Vec<&str> = keys.iter().take(columns.len()).map(|key| column_of(key)).collect();
        first.len() == columns.len()
            && columns.iter().all(|column| first.contains(&&*quoted(column)))
    };
    let by_constraint = table.constraints.values().any(|one| match &one.kind {
        ConstraintKind::PrimaryKey { columns: keys }
        | ConstraintKind::Unique { columns: keys, .. } => {
            begins(&keys.iter().map(|key| quoted(key)).collect::<Vec<_>>())
        }
        _ => false,
    });
    let serves = |index: &Index| {
        // Only rows with a value refer to anything.
        let null = |column: &String| format!("{} IS NOT NULL", quoted(column));
        let whole = index.predicate.as_ref().is_none_or(|predicate| {
            let bare = predicate.trim_matches(['(', ')']);
            columns.iter().any(|column| bare == null(column))
        });
        let method = index.method == "btree" || (index.method == "hash" && columns.len() == 1);
        index.valid && method && whole && begins(&index.keys)
    };
    by_constraint || table.indexes.values().any(serves)
}

/// The key without collation, operator class and order.
fn column_of(key: &str) -> &str {
    if let Some(body) = key.strip_prefix('"') {
        return body.find('"').and_then(|end| key.get(..end + 2)).unwrap_or(key);
    }
    key.split(' ').next().unwrap_or(key)
}

fn indexes(told: &mut Told<'_>, table: &Table) {
    let mut seen: Vec<(&String, &Index)> = Vec::new();
    for (name, index) in &table.indexes {
        if !index.valid {
            let message = format!("`{name}` is invalid: its creation was interrupted");
            let help = "drop it and create it again; until then it costs and serves nothing".into();
            told.add("invalid-index", message, help);
        }
        let twin = seen.iter().find(|(_, other)| other.definition == index.definition);
        // Of a unique index and one that is not, the unique one does more.
        let (spare, kept) = match twin {
            Some((twin, other)) if index.unique && !other.unique => (*twin, Some(name.clone())),
            Some((twin, _)) => (name, Some((*twin).clone())),
            None => (name, constraint_with(table, index)),
        };
        if let Some(kept) = kept {
            let message = format!("`{spare}` has the same columns as `{kept}`");
            told.add("duplicate-index", message, format!("drop `{spare}`"));
        }
        seen.push((name, index));
    }
}

/// The constraint whose own index does the same.
fn constraint_with(table: &Table, index: &Index) -> Option<String> {
    let plain = index.method == "btree" && index.predicate.is_none() && index.include.is_empty();
    let same = |columns: &[String]| {
        plain && columns.iter().map(|column| quoted(column)).eq(index.keys.iter().cloned())
    };
    let found = table.constraints.iter().find(|(_, one)| match &one.kind {
        ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns, .. } => {
            same(columns)
        }
        _ => false,
    });
    found.map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests;
