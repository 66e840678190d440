//! What has another name and is the same otherwise: constraints, indexes, triggers, policies and the
//! sequences of columns. Nobody is asked, since a rename and a new one lead to the same result.
//! Never: pairs things that differ in anything but their name.

use std::collections::{BTreeMap, BTreeSet};

use super::rename::{Part, Relation, Rename};
use crate::catalog::{Catalog, ConstraintKind, QName, Table, Trigger};

/// The renames that follow from the two catalogs alone, once those of
/// [`questions`](super::questions) have been carried out and the catalog has been read again.
pub fn implied(from: &Catalog, to: &Catalog) -> Vec<Rename> {
    let mut found = Found { taken: relations(from), renames: Vec::new() };
    for (name, new) in &to.tables {
        if let Some(old) = from.tables.get(name) {
            found.table(name, old, new);
        }
    }
    for (name, new) in &to.views {
        if let Some(old) = from.views.get(name) {
            found.parts(Part::Index, name, pairs(&old.indexes, &new.indexes, same));
            found.parts(Part::Trigger, name, pairs(&old.triggers, &new.triggers, nameless));
        }
    }
    for (name, new) in &to.domains {
        if let Some(old) = from.domains.get(name) {
            found.parts(Part::DomainConstraint, name, pairs(&old.checks, &new.checks, same));
        }
    }
    found.sequences(from, to);
    found.renames
}

struct Found {
    /// Names of relations, which indexes and sequences share with tables.
    taken: BTreeSet<QName>,
    renames: Vec<Rename>,
}

impl Found {
    fn table(&mut self, name: &QName, old: &Table, new: &Table) {
        let movable = |table: &Table| -> BTreeMap<_, _> {
            // Postgres renames an inherited check with its parent's, and only so.
            let fixed = |kind: &ConstraintKind, inherited| {
                inherited && matches!(kind, ConstraintKind::Check { .. })
            };
            let all = table.constraints.clone().into_iter();
            all.filter(|(_, one)| !fixed(&one.kind, one.inherited)).collect()
        };
        let constraints = pairs(&movable(old), &movable(new), same);
        let (keys, plain) = constraints.into_iter().partition(|(from, _)| {
            let kind = old.constraints.get(from).map(|one| &one.kind);
            matches!(
                kind,
                Some(
                    ConstraintKind::PrimaryKey { .. }
                        | ConstraintKind::Unique { .. }
                        | ConstraintKind::Exclusion
                )
            )
        });
        self.parts(Part::Constraint, name, plain);
        let free = self.free(name, keys);
        self.parts(Part::Constraint, name, free);
        let indexes = self.free(name, pairs(&old.indexes, &new.indexes, same));
        self.parts(Part::Index, name, indexes);
        self.parts(Part::Trigger, name, pairs(&old.triggers, &new.triggers, nameless));
        self.parts(Part::Policy, name, pairs(&old.policies, &new.policies, same));
    }

    /// Those whose new name no other relation of the schema has.
    fn free(&mut self, of: &QName, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        let taken = &mut self.taken;
        let free = |(from, to): &(String, String)| {
            let free = taken.insert(QName::new(&of.schema, to));
            if free {
                taken.remove(&QName::new(&of.schema, from));
            }
            free
        };
        pairs.into_iter().filter(free).collect()
    }

    fn parts(&mut self, kind: Part, of: &QName, pairs: Vec<(String, String)>) {
        let renames = pairs.into_iter();
        self.renames.extend(renames.map(|(from, to)| Rename::Part {
            kind,
            of: of.clone(),
            from,
            to,
        }));
    }

    /// A sequence that goes with a column is named after it.
    fn sequences(&mut self, from: &Catalog, to: &Catalog) {
        let owned = |catalog: &Catalog, other: &Catalog| -> BTreeMap<_, Vec<QName>> {
            let mut owned: BTreeMap<_, Vec<QName>> = BTreeMap::new();
            for (name, sequence) in &catalog.sequences {
                if let Some(owner) = &sequence.owned_by
                    && !other.sequences.contains_key(name)
                {
                    owned.entry(owner.clone()).or_default().push(name.clone());
                }
            }
            owned
        };
        let old = owned(from, to);
        for (owner, new) in owned(to, from) {
            if let (Some([from]), [to]) = (old.get(&owner).map(Vec::as_slice), new.as_slice())
                && !self.taken.contains(to)
            {
                let (from, to) = (from.clone(), to.clone());
                self.renames.push(Rename::Relation { kind: Relation::Sequence, from, to });
            }
        }
    }
}

fn relations(catalog: &Catalog) -> BTreeSet<QName> {
    let mut names: BTreeSet<QName> = catalog.tables.keys().cloned().collect();
    names.extend(catalog.views.keys().cloned());
    names.extend(catalog.sequences.keys().cloned());
    names.extend(catalog.composites.keys().cloned());
    for (of, table) in &catalog.tables {
        let parts = table.indexes.keys().chain(table.constraints.keys());
        names.extend(parts.map(|name| QName::new(&of.schema, name)));
    }
    for (of, view) in &catalog.views {
        names.extend(view.indexes.keys().map(|name| QName::new(&of.schema, name)));
    }
    names
}

fn same<T: Clone>(one: &T, _: &str) -> T {
    one.clone()
}

/// What is only in `old` with what is only in `new`, where nothing but the name differs. Of several
/// equal ones the first goes with the first.
fn pairs<T, K: PartialEq>(
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    key: impl Fn(&T, &str) -> K,
) -> Vec<(String, String)> {
    let mut gone: Vec<(&String, K)> = old
        .iter()
        .filter(|(name, _)| !new.contains_key(*name))
        .map(|(name, one)| (name, key(one, name)))
        .collect();
    let created = new.iter().filter(|(name, _)| !old.contains_key(*name));
    created
        .filter_map(|(name, one)| {
            let wanted = key(one, name);
            let at = gone.iter().position(|(_, key)| *key == wanted)?;
            Some((gone.remove(at).0.clone(), name.clone()))
        })
        .collect()
}

/// A trigger but for its name, which its definition has too.
fn nameless(trigger: &Trigger, name: &str) -> Trigger {
    Trigger { definition: without_name(&trigger.definition, name), ..trigger.clone() }
}

/// `create trigger name before …` without the name.
fn without_name(definition: &str, name: &str) -> String {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let written = [format!(" TRIGGER {quoted} "), format!(" TRIGGER {name} ")];
    let found = written.iter().find(|text| definition.contains(text.as_str()));
    found.map_or_else(|| definition.to_owned(), |text| definition.replacen(text, " TRIGGER ", 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Constraint, Index, Sequence, SequenceOptions};

    fn index(definition: &str) -> Index {
        Index {
            unique: false,
            definition: definition.into(),
            method: "btree".into(),
            keys: Vec::new(),
            include: Vec::new(),
            predicate: None,
            nulls_not_distinct: false,
            options: BTreeMap::new(),
            valid: true,
            inherited: false,
            comment: None,
        }
    }

    fn check(definition: &str, inherited: bool) -> Constraint {
        let kind = ConstraintKind::Check { expression: definition.into(), columns: Vec::new() };
        let definition = definition.to_owned();
        Constraint { kind, definition, validated: true, inherited, comment: None }
    }

    fn catalog(table: Table) -> Catalog {
        Catalog { tables: [(QName::new("public", "chat"), table)].into(), ..Catalog::default() }
    }

    fn indexes(all: &[(&str, &str)]) -> Catalog {
        let indexes = all.iter().map(|(name, text)| ((*name).to_owned(), index(text))).collect();
        catalog(Table { indexes, ..Table::default() })
    }

    fn sql(from: &Catalog, to: &Catalog) -> Vec<String> {
        implied(from, to).iter().map(Rename::up).collect()
    }

    #[test]
    fn an_index_that_differs_in_its_name_only_is_renamed() {
        let from = indexes(&[("a", "USING btree (x)"), ("b", "USING btree (y)")]);
        let to = indexes(&[("c", "USING btree (y)"), ("d", "USING btree (z)")]);
        assert_eq!(sql(&from, &to), ["alter index b rename to c;"]);
        assert!(sql(&from, &from).is_empty());
    }

    #[test]
    fn a_name_that_another_relation_has_is_left_alone() {
        let mut from = indexes(&[("a", "USING btree (x)")]);
        from.tables.insert(QName::new("public", "c"), Table::default());
        assert!(sql(&from, &indexes(&[("c", "USING btree (x)")])).is_empty());
    }

    #[test]
    fn an_inherited_check_follows_its_parent() {
        let table = |name: &str, inherited| {
            let constraints = [(name.to_owned(), check("CHECK (x > 0)", inherited))].into();
            catalog(Table { constraints, ..Table::default() })
        };
        let own = sql(&table("a", false), &table("b", false));
        assert_eq!(own, ["alter table chat rename constraint a to b;"]);
        assert!(sql(&table("a", true), &table("b", true)).is_empty());
    }

    #[test]
    fn a_trigger_is_the_same_without_its_name() {
        let table = |name: &str, written: &str, event: &str| {
            let definition = format!("CREATE TRIGGER {written} BEFORE {event} ON public.chat");
            let trigger = Trigger { definition, enabled: 'O', comment: None };
            catalog(Table { triggers: [(name.to_owned(), trigger)].into(), ..Table::default() })
        };
        let renamed = sql(&table("a", "a", "INSERT"), &table("B", "\"B\"", "INSERT"));
        assert_eq!(renamed, ["alter trigger a on chat rename to \"B\";"]);
        assert!(sql(&table("a", "a", "INSERT"), &table("b", "b", "UPDATE")).is_empty());
    }

    #[test]
    fn the_sequence_of_a_column_follows_it() {
        let catalog = |name: &str| {
            let options = SequenceOptions {
                data_type: "integer".into(),
                start: 1,
                increment: 1,
                minimum: 1,
                maximum: 9,
                cache: 1,
                cycle: false,
            };
            let owned_by = Some((QName::new("public", "talk"), "id".to_owned()));
            let one = Sequence { options, owned_by, unlogged: false, comment: None };
            Catalog { sequences: [(QName::new("public", name), one)].into(), ..Catalog::default() }
        };
        let renamed = sql(&catalog("chat_id_seq"), &catalog("talk_id_seq"));
        assert_eq!(renamed, ["alter sequence chat_id_seq rename to talk_id_seq;"]);
    }
}
