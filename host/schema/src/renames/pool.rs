//! What is gone, what is new and what stays, by kind and place, and the order of renames among them.
//! Never: looks at an answer.

use std::collections::BTreeSet;

use super::answer::{Kind, Subject};
use super::similar::last;
use crate::catalog::{Catalog, QName, Table};

/// The longest name that Postgres has, in bytes (PostgreSQL documentation, 4.1.1).
const LONGEST: usize = 63;

/// The names of one kind and in one place, before and after.
#[derive(Clone)]
pub(super) struct Pool {
    /// Only before.
    pub(super) gone: Vec<Subject>,
    /// Only after.
    pub(super) new: Vec<Subject>,
    /// Before and after.
    pub(super) kept: BTreeSet<Subject>,
}

impl Pool {
    fn of(old: Vec<Subject>, new: Vec<Subject>) -> Self {
        let before: BTreeSet<Subject> = old.iter().cloned().collect();
        let after: BTreeSet<Subject> = new.iter().cloned().collect();
        Self {
            gone: old.into_iter().filter(|one| !after.contains(one)).collect(),
            new: new.into_iter().filter(|one| !before.contains(one)).collect(),
            kept: before.intersection(&after).cloned().collect(),
        }
    }

    /// Whether it was there before.
    pub(super) fn was(&self, subject: &Subject) -> bool {
        self.gone.contains(subject) || self.kept.contains(subject)
    }

    /// Whether it is there after.
    pub(super) fn is(&self, subject: &Subject) -> bool {
        self.new.contains(subject) || self.kept.contains(subject)
    }

    /// Carries renames out, and gives them in an order in which each new name is free when its turn
    /// comes. In a circle, such as two that change their names, one steps aside first.
    pub(super) fn moves(&mut self, mut moves: Vec<(Subject, Subject)>) -> Vec<(Subject, Subject)> {
        let taken = self.clone();
        let is_old = |name: &Subject| moves.iter().any(|(from, _)| from == name);
        let is_new = |name: &Subject| moves.iter().any(|(_, to)| to == name);
        self.gone.retain(|name| !is_old(name));
        self.new.retain(|name| !is_new(name));
        // What gave its name away and has nobody to take it is new.
        let again = self.kept.iter().filter(|name| is_old(name) && !is_new(name));
        self.new.extend(again.cloned());
        self.kept = self.kept.iter().filter(|name| !is_old(name)).cloned().collect();
        let mut ordered = Vec::new();
        while let Some((first, _)) = moves.first() {
            let free = moves.iter().position(|(_, to)| moves.iter().all(|(from, _)| from != to));
            if let Some(free) = free {
                ordered.push(moves.remove(free));
                continue;
            }
            let (first, aside) = (first.clone(), aside(first, &taken));
            if let Some((from, _)) = moves.first_mut() {
                from.clone_from(&aside);
            }
            ordered.push((first, aside));
        }
        ordered
    }
}

/// A name that nothing has.
fn aside(name: &Subject, taken: &Pool) -> Subject {
    let mut end = "_aside".to_owned();
    loop {
        let mut text = last(name).to_owned();
        while text.len() + end.len() > LONGEST {
            text.pop();
        }
        text.push_str(&end);
        let aside = match name {
            Subject::Schema(_) => Subject::Schema(text),
            Subject::InSchema(of) => Subject::InSchema(QName::new(&of.schema, text)),
            Subject::Within(of, _) => Subject::Within(of.clone(), text),
        };
        if !taken.was(&aside) && !taken.is(&aside) {
            return aside;
        }
        end.push('_');
    }
}

/// The pools of a kind: one, or one for each table or type that is on both sides.
pub(super) fn pools(kind: Kind, from: &Catalog, to: &Catalog) -> Vec<Pool> {
    match kind {
        Kind::Schema => {
            let names =
                |catalog: &Catalog| catalog.schemas.keys().cloned().map(Subject::Schema).collect();
            vec![Pool::of(names(from), names(to))]
        }
        Kind::Column => {
            // Inherited columns follow those of the parent.
            let names = |table: &Table| -> Vec<String> {
                let own = table.columns.iter().filter(|column| !column.inherited);
                own.map(|column| column.name.clone()).collect()
            };
            let both = to.tables.iter().filter_map(|(name, new)| {
                Some(within(name, &names(from.tables.get(name)?), &names(new)))
            });
            both.collect()
        }
        Kind::Attribute => {
            let both = to.composites.iter().filter_map(|(name, new)| {
                let names = |one: &crate::catalog::Composite| -> Vec<String> {
                    one.attributes.iter().map(|(name, ..)| name.clone()).collect()
                };
                Some(within(name, &names(from.composites.get(name)?), &names(new)))
            });
            both.collect()
        }
        Kind::Value => {
            let both = to.enums.iter().filter_map(|(name, new)| {
                Some(within(name, &from.enums.get(name)?.values, &new.values))
            });
            both.collect()
        }
        _ => vec![Pool::of(names(kind, from), names(kind, to))],
    }
}

fn within(of: &QName, old: &[String], new: &[String]) -> Pool {
    let subjects = |names: &[String]| {
        names.iter().map(|name| Subject::Within(of.clone(), name.clone())).collect()
    };
    Pool::of(subjects(old), subjects(new))
}

fn names(kind: Kind, catalog: &Catalog) -> Vec<Subject> {
    let views = |materialized: bool| -> Vec<&QName> {
        let views = catalog.views.iter().filter(|(_, view)| view.materialized == materialized);
        views.map(|(name, _)| name).collect()
    };
    let names: Vec<&QName> = match kind {
        Kind::Table => catalog.tables.keys().collect(),
        Kind::View => views(false),
        Kind::MaterializedView => views(true),
        Kind::Enum => catalog.enums.keys().collect(),
        Kind::Domain => catalog.domains.keys().collect(),
        Kind::Composite => catalog.composites.keys().collect(),
        Kind::Sequence => {
            // Those of `serial` columns follow their column.
            let free = catalog.sequences.iter().filter(|(_, one)| one.owned_by.is_none());
            free.map(|(name, _)| name).collect()
        }
        Kind::Schema | Kind::Column | Kind::Attribute | Kind::Value => Vec::new(),
    };
    names.into_iter().cloned().map(Subject::InSchema).collect()
}
