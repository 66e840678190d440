//! Which module what goes to; the rule is that of [`super`].
//! Never: depends on anything but the catalog, so that the same database gives the same modules.

use std::collections::{BTreeMap, BTreeSet};

use avenire_definitions::rust::identifier;

use super::read::{data_type, type_name};
use crate::catalog::{Catalog, ConstraintKind, Id, Introspected, QName, Table};

/// Modules whose contents have no tables in common, and names that mean something in a crate.
const SPECIAL: [&str; 8] =
    ["database", "lib", "main", "mod_", "objects", "other", "types", "views"];

/// How deep partitions and children are followed.
const DEPTH: usize = 64;

/// The module of everything.
pub(super) struct Groups(BTreeMap<Id, String>);

impl Groups {
    pub(super) fn of(introspected: &Introspected) -> Self {
        let catalog = &introspected.catalog;
        let mut groups = Self(BTreeMap::new());
        for (table, module) in tables(catalog) {
            groups.0.insert(Id::Table(table), module);
        }
        groups.add_types(catalog);
        groups.add_views(introspected);
        groups.add_objects(introspected);
        groups.add_sequences(introspected);
        groups
    }

    /// The module's name.
    pub(super) fn module(&self, id: &Id) -> &str {
        let usual = match id {
            Id::Schema(_) | Id::Extension(_) => "database",
            Id::Type(_) => "types",
            Id::View(_) => "views",
            Id::Object(..) => "objects",
            _ => "other",
        };
        self.0.get(id).map_or(usual, String::as_str)
    }

    /// The module that all of these are in, if it is one.
    fn common<'a>(&self, ids: impl Iterator<Item = &'a Id>) -> Option<String> {
        let modules: BTreeSet<&String> = ids
            .filter_map(|id| match id {
                Id::Column(table, _) | Id::Constraint(table, _) | Id::Trigger(table, _) => {
                    self.0.get(&Id::Table(table.clone()))
                }
                id => self.0.get(id),
            })
            .collect();
        let mut modules = modules.into_iter();
        modules.next().filter(|_| modules.next().is_none()).cloned()
    }

    /// Types go with the tables and the types that use them.
    fn add_types(&mut self, catalog: &Catalog) {
        let mut users: BTreeMap<QName, BTreeSet<Id>> = BTreeMap::new();
        let mut count = |printed: &str, id: Id| {
            if let Some(name) = type_name(&data_type(printed, catalog)) {
                users.entry(name).or_default().insert(id);
            }
        };
        for (table, found) in &catalog.tables {
            for column in &found.columns {
                count(&column.data_type, Id::Table(table.clone()));
            }
        }
        for (name, domain) in &catalog.domains {
            count(&domain.data_type, Id::Type(name.clone()));
        }
        for (name, composite) in &catalog.composites {
            for (_, printed, _) in &composite.attributes {
                count(printed, Id::Type(name.clone()));
            }
        }
        // What is used by types of one module only follows them there.
        for _ in 0..8 {
            for (name, ids) in &users {
                let known = ids.iter().all(|id| self.0.contains_key(id));
                if let Some(module) = self.common(ids.iter()).filter(|_| known) {
                    self.0.insert(Id::Type(name.clone()), module);
                }
            }
        }
    }

    fn add_views(&mut self, introspected: &Introspected) {
        for name in introspected.catalog.views.keys() {
            let id = Id::View(name.clone());
            let needs = introspected.needs.get(&id).into_iter().flatten();
            if let Some(module) = self.common(needs) {
                self.0.insert(id, module);
            }
        }
    }

    fn add_objects(&mut self, introspected: &Introspected) {
        for (kind, objects) in &introspected.catalog.objects {
            for name in objects.keys() {
                let id = Id::Object(*kind, name.clone());
                let needs = introspected.needs.get(&id).into_iter().flatten();
                let users = introspected.needs.iter().filter(|(_, needed)| needed.contains(&id));
                if let Some(module) = self.common(needs.chain(users.map(|(user, _)| user))) {
                    self.0.insert(id, module);
                }
            }
        }
    }

    fn add_sequences(&mut self, introspected: &Introspected) {
        for (name, sequence) in &introspected.catalog.sequences {
            let id = Id::Sequence(name.clone());
            let owner = sequence.owned_by.iter().map(|(table, _)| Id::Table(table.clone()));
            let users = introspected.needs.iter().filter(|(_, needed)| needed.contains(&id));
            let users: Vec<Id> = owner.chain(users.map(|(user, _)| user.clone())).collect();
            if let Some(module) = self.common(users.iter()) {
                self.0.insert(id, module);
            }
        }
    }
}

/// The modules of tables.
fn tables(catalog: &Catalog) -> BTreeMap<QName, String> {
    let referenced = referenced(catalog);
    let homes: BTreeMap<&QName, &QName> =
        catalog.tables.keys().map(|table| (table, home(table, catalog, &referenced, 0))).collect();
    let mut sizes: BTreeMap<&QName, usize> = BTreeMap::new();
    for home in homes.values() {
        *sizes.entry(home).or_default() += 1;
    }
    // The shortest name of those that begin with the same word stands for all of them.
    let mut starts: Vec<&QName> = sizes.keys().copied().collect();
    starts.sort_by_key(|name| (name.name.len(), *name));
    let mut words: BTreeMap<(&str, String), &QName> = BTreeMap::new();
    let mut shared: BTreeMap<&QName, usize> = BTreeMap::new();
    for start in starts {
        let first = *words.entry((&start.schema, word(&start.name))).or_insert(start);
        *shared.entry(first).or_default() += sizes.get(start).copied().unwrap_or_default();
    }
    let mut modules = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (table, home) in homes {
        let first = words.get(&(home.schema.as_str(), word(&home.name))).copied().unwrap_or(home);
        let is_alone = shared.get(first) == Some(&1) && !referenced.contains(first);
        let mut module = if is_alone { "other".to_owned() } else { module_name(first) };
        // Two tables of one module need different names in Rust.
        while !seen.insert((module.clone(), identifier(&table.name))) {
            module.truncate(module.trim_end_matches('_').len());
            module.push_str("_more");
        }
        modules.insert(table.clone(), module);
    }
    modules
}

/// The tables that other tables refer to.
fn referenced(catalog: &Catalog) -> BTreeSet<&QName> {
    let keys = catalog.tables.iter().flat_map(|(name, table)| {
        targets(table).filter(move |(target, _)| *target != name).map(|(target, _)| target)
    });
    keys.collect()
}

/// The tables that a table refers to, and whether it goes when they do.
fn targets(table: &Table) -> impl Iterator<Item = (&QName, bool)> {
    table.constraints.values().filter(|one| !one.inherited).filter_map(|constraint| {
        match &constraint.kind {
            ConstraintKind::ForeignKey { references, .. } => {
                Some((references, constraint.definition.contains("ON DELETE CASCADE")))
            }
            _ => None,
        }
    })
}

/// The table whose module a table goes to.
fn home<'a>(
    name: &'a QName,
    catalog: &'a Catalog,
    referenced: &BTreeSet<&'a QName>,
    depth: usize,
) -> &'a QName {
    let Some(table) = catalog.tables.get(name).filter(|_| depth < DEPTH) else { return name };
    let mut parents =
        table.partition_of.iter().map(|partition| &partition.parent).chain(&table.inherits);
    if let Some(parent) = parents.next() {
        return home(parent, catalog, referenced, depth + 1);
    }
    if referenced.contains(name) {
        return name;
    }
    // One of its schema rather than another's, the one it is named after, or goes with, or the first.
    let preference = |(target, goes): &(&QName, bool)| {
        let is_named_after = word(&target.name) == word(&name.name);
        (target.schema != name.schema, !is_named_after, !goes, (*target).clone())
    };
    let mut targets: Vec<_> = targets(table).collect();
    targets.sort_by_key(preference);
    match targets.first() {
        Some((target, _)) if *target != name => home(target, catalog, referenced, depth + 1),
        _ => name,
    }
}

/// The first word of a name, in the singular as far as an `s` tells.
fn word(name: &str) -> String {
    let snake = identifier(name);
    let first = snake.split('_').find(|part| !part.is_empty()).unwrap_or(&snake);
    let singular = first.strip_suffix('s').filter(|rest| rest.len() > 2);
    singular.unwrap_or(first).to_owned()
}

fn module_name(name: &QName) -> String {
    let plain = identifier(&name.name);
    let plain = if name.schema == "public" {
        plain
    } else {
        identifier(&format!("{}_{plain}", identifier(&name.schema)))
    };
    if SPECIAL.contains(&plain.as_str()) { format!("{plain}_tables") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Constraint;

    fn catalog(tables: &[(&str, &[&str])]) -> Catalog {
        let mut catalog = Catalog::default();
        for (name, targets) in tables {
            let mut table = Table::default();
            for target in *targets {
                let references = target.parse().unwrap();
                let (columns, referenced_columns) = (Vec::new(), Vec::new());
                let kind = ConstraintKind::ForeignKey { columns, references, referenced_columns };
                let (definition, validated, inherited, comment) =
                    (String::new(), true, false, None);
                let key = Constraint { kind, definition, validated, inherited, comment };
                table.constraints.insert(format!("{name}_{target}_fkey"), key);
            }
            catalog.tables.insert(name.parse().unwrap(), table);
        }
        catalog
    }

    #[test]
    fn tables_go_with_what_they_refer_to_and_with_what_they_are_named_after() {
        let catalog = catalog(&[
            ("users", &[]),
            ("accounts", &["users"]),
            ("user_settings", &["users"]),
            ("chat", &["users"]),
            ("message", &["chat", "users"]),
            ("chat_tags", &["chat", "tags"]),
            ("tags", &[]),
            ("lonely", &[]),
            ("log_lines", &[]),
            ("log_files", &[]),
            ("types", &[]),
            ("type_notes", &["types"]),
            ("app.users", &[]),
            ("app.logins", &["app.users"]),
        ]);
        let found: Vec<(String, String)> =
            tables(&catalog).into_iter().map(|(name, module)| (name.sql(), module)).collect();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, module)| (name.as_str(), module.as_str())).collect();
        let expected = [
            ("app.logins", "app_users"),
            ("app.users", "app_users"),
            ("accounts", "users"),
            ("chat", "chat"),
            ("chat_tags", "chat"),
            ("log_files", "log_files"),
            ("log_lines", "log_files"),
            ("lonely", "other"),
            ("message", "chat"),
            ("tags", "tags"),
            ("type_notes", "types_tables"),
            ("types", "types_tables"),
            ("user_settings", "users"),
            ("users", "users"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn names_that_are_the_same_in_rust_are_kept_apart() {
        let catalog = catalog(&[("a b", &[]), ("a_b", &[]), ("aB", &[])]);
        let modules: BTreeSet<String> = tables(&catalog).into_values().collect();
        assert_eq!(modules.len(), 3, "{modules:?}");
    }
}
