//! What a plan is made from, and what has been planned so far.

use std::collections::BTreeSet;

use super::dependents::{self, Broken};
use super::hazard::HazardKind;
use super::work::{Key, Work};
use super::{PlanOptions, Refusal};
use crate::catalog::{Catalog, Column, Id, Introspected, QName, Table};

/// A plan in the making.
pub(super) struct Change<'a> {
    pub(super) from: &'a Catalog,
    pub(super) to: &'a Catalog,
    pub(super) from_all: &'a Introspected,
    pub(super) to_all: &'a Introspected,
    pub(super) options: &'a PlanOptions,
    pub(super) broken: Broken,
    works: Vec<Work>,
    refused: Vec<Refusal>,
}

impl<'a> Change<'a> {
    pub(super) fn new(
        from_all: &'a Introspected,
        to_all: &'a Introspected,
        options: &'a PlanOptions,
    ) -> Self {
        let (from, to) = (&from_all.catalog, &to_all.catalog);
        let broken = dependents::broken(from_all, to_all);
        let (works, refused) = (Vec::new(), Vec::new());
        Self { from, to, from_all, to_all, options, broken, works, refused }
    }

    pub(super) fn finish(self) -> (Vec<Work>, Vec<Refusal>) {
        let works = self.works.into_iter().filter(|work| !work.up.is_empty()).collect();
        (works, self.refused)
    }

    pub(super) fn push(&mut self, work: Work) {
        self.works.push(work);
    }

    /// Notes a refusal unless its hazard was accepted.
    pub(super) fn refuse(&mut self, what: &str, reason: &str, safer: &str, unless: HazardKind) {
        if !self.options.accept.contains(&unless) {
            let (what, reason, safer) = (what.into(), reason.into(), safer.into());
            self.refused.push(Refusal { what, reason, safer, unless: Some(unless) });
        }
    }

    /// Notes that something can not be planned, whatever is accepted.
    pub(super) fn refuse_always(&mut self, what: &str, reason: &str, safer: &str) {
        let (what, reason, safer) = (what.into(), reason.into(), safer.into());
        self.refused.push(Refusal { what, reason, safer, unless: None });
    }

    /// Of the server that described both catalogs, such as 150018.
    pub(super) fn version(&self) -> i32 {
        self.to_all.version
    }

    /// Whether something that both catalogs have is dropped and made again, for the sake of what it
    /// needs.
    pub(super) fn again(&self, id: &Id) -> bool {
        self.broken.again.contains(id)
    }

    /// Whether a table is made by this plan.
    pub(super) fn is_fresh(&self, table: &QName) -> bool {
        !self.from.tables.contains_key(table) || self.again(&Id::Table(table.clone()))
    }

    /// Whether a table is dropped by this plan.
    pub(super) fn is_gone(&self, table: &QName) -> bool {
        !self.to.tables.contains_key(table) || self.again(&Id::Table(table.clone()))
    }

    /// What an object needed.
    pub(super) fn needed(&self, id: &Id) -> impl Iterator<Item = Key> + use<'a> {
        let needs = self.from_all.needs.get(id);
        needs.into_iter().flatten().cloned().map(Key::Id)
    }

    /// What an object needs.
    pub(super) fn needs(&self, id: &Id) -> impl Iterator<Item = Key> + use<'a> {
        let needs = self.to_all.needs.get(id);
        needs.into_iter().flatten().cloned().map(Key::Id)
    }

    /// Whether a relation of that name is in either catalog, so that a made-up one is no trouble.
    pub(super) fn is_taken(&self, schema: &str, name: &str) -> bool {
        let here = |catalog: &Catalog| {
            let qualified = QName::new(schema, name);
            let in_table = |(table, one): (&QName, &Table)| {
                table.schema == schema
                    && (one.indexes.contains_key(name) || one.constraints.contains_key(name))
            };
            catalog.tables.contains_key(&qualified)
                || catalog.views.contains_key(&qualified)
                || catalog.sequences.contains_key(&qualified)
                || catalog.enums.contains_key(&qualified)
                || catalog.domains.contains_key(&qualified)
                || catalog.composites.contains_key(&qualified)
                || catalog.tables.iter().any(in_table)
        };
        here(self.from) || here(self.to)
    }
}

/// A table's column of that name.
pub(super) fn column<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.columns.iter().find(|column| column.name == name)
}

/// The tables that a table takes columns from.
pub(super) fn parents(table: &Table) -> impl Iterator<Item = &QName> {
    table.partition_of.iter().map(|of| &of.parent).chain(&table.inherits)
}

/// The tables that take columns from one, also through others.
pub(super) fn descendants<'a>(catalog: &'a Catalog, of: &QName) -> BTreeSet<&'a QName> {
    let mut found: BTreeSet<&QName> = BTreeSet::new();
    loop {
        let more = catalog.tables.iter().filter(|(name, table)| {
            !found.contains(name)
                && parents(table).any(|parent| parent == of || found.contains(parent))
        });
        let more: Vec<&QName> = more.map(|(name, _)| name).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}
