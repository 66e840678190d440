//! What the definitions define, to be looked up by name.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::definitions::Definitions;
use crate::parse::Block;
use crate::syntax::{
    Column, Composite, ConstraintKind, Domain, Enum, Item, Location, Name, Object, ObjectName,
    Table, Use, UseKind, View,
};

/// Schema and name.
type Key<'a> = (&'a str, &'a str);

/// A type that the definitions make.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    Enum(&'a Enum),
    Domain(&'a Domain),
    Composite(&'a Composite),
}

/// Everything by name.
pub(super) struct Known<'a> {
    /// Whether other modules may define more.
    partial: bool,
    schemas: BTreeSet<&'a str>,
    pub(super) extensions: BTreeSet<&'a str>,
    pub(super) tables: BTreeMap<Key<'a>, &'a Table>,
    pub(super) views: BTreeMap<Key<'a>, &'a View>,
    types: BTreeMap<Key<'a>, Made<'a>>,
    pub(super) objects: BTreeMap<&'a str, &'a Object>,
    used_types: BTreeSet<Key<'a>>,
    /// All names that share one namespace, with their modules: what a second one is refused by.
    spaces: Vec<Claim<'a>>,
}

/// A name that something lays claim to.
struct Claim<'a> {
    module: usize,
    space: &'static str,
    schema: &'a str,
    name: &'a str,
    at: Location,
}

impl<'a> Known<'a> {
    /// What a whole schema defines.
    pub(super) fn of(definitions: &'a Definitions) -> Self {
        let mut known = Self::empty(false);
        for (number, module) in definitions.modules.iter().enumerate() {
            known.add(number, &module.items);
        }
        known
    }

    /// What one block defines and uses.
    pub(super) fn of_block(block: &'a Block) -> Self {
        let mut known = Self::empty(true);
        known.add(0, &block.items);
        for Use { name, kind, .. } in &block.uses {
            if *kind == UseKind::Type {
                known.used_types.insert(name.key());
            }
        }
        known
    }

    fn empty(partial: bool) -> Self {
        Self {
            partial,
            schemas: BTreeSet::from(["public", "pg_catalog"]),
            extensions: BTreeSet::new(),
            tables: BTreeMap::new(),
            views: BTreeMap::new(),
            types: BTreeMap::new(),
            objects: BTreeMap::new(),
            used_types: BTreeSet::new(),
            spaces: Vec::new(),
        }
    }

    fn add(&mut self, module: usize, items: &'a [Item]) {
        for item in items {
            match item {
                Item::Schema(item) => {
                    self.schemas.insert(&item.name.text);
                    self.claim(module, "schema", "", &item.name.text, item.name.at);
                }
                Item::Extension(item) => {
                    self.extensions.insert(&item.name.text);
                    self.claim(module, "extension", "", &item.name.text, item.name.at);
                }
                Item::Enum(item) => self.add_type(module, &item.name, Made::Enum(item)),
                Item::Domain(item) => self.add_type(module, &item.name, Made::Domain(item)),
                Item::Composite(item) => self.add_type(module, &item.name, Made::Composite(item)),
                Item::Sequence(item) => self.claim_relation(module, &item.name),
                Item::Table(item) => self.add_table(module, item),
                Item::View(item) => {
                    self.views.entry(item.name.key()).or_insert(item);
                    self.claim_relation(module, &item.name);
                    self.claim(module, "type", &item.name.schema, &item.name.name, item.name.at);
                    for name in item.indexes.iter().filter_map(|index| index.name.as_ref()) {
                        self.claim(module, "relation", &item.name.schema, &name.text, name.at);
                    }
                }
                Item::Object(item) => {
                    self.objects.entry(&item.name.text).or_insert(item);
                    self.claim(module, "object", "", &item.name.text, item.name.at);
                }
            }
        }
    }

    fn add_type(&mut self, module: usize, name: &'a ObjectName, made: Made<'a>) {
        self.types.entry(name.key()).or_insert(made);
        self.claim(module, "type", &name.schema, &name.name, name.at);
    }

    /// Tables share a namespace with indexes, also those of keys, and have a type of their name.
    fn add_table(&mut self, module: usize, table: &'a Table) {
        self.tables.entry(table.name.key()).or_insert(table);
        self.claim_relation(module, &table.name);
        let schema = &table.name.schema;
        self.claim(module, "type", schema, &table.name.name, table.name.at);
        let keys = table.constraints.iter().filter(|constraint| {
            matches!(
                constraint.kind,
                ConstraintKind::PrimaryKey { .. }
                    | ConstraintKind::Unique { .. }
                    | ConstraintKind::Exclude(_)
            )
        });
        let names = keys.filter_map(|key| key.name.as_ref());
        for name in names.chain(table.indexes.iter().filter_map(|index| index.name.as_ref())) {
            self.claim(module, "relation", schema, &name.text, name.at);
        }
    }

    fn claim_relation(&mut self, module: usize, name: &'a ObjectName) {
        self.claim(module, "relation", &name.schema, &name.name, name.at);
    }

    fn claim(
        &mut self,
        module: usize,
        space: &'static str,
        schema: &'a str,
        name: &'a str,
        at: Location,
    ) {
        self.spaces.push(Claim { module, space, schema, name, at });
    }

    /// Names of a module that were claimed before, there or in an earlier module.
    pub(super) fn duplicates(&self, module: usize, found: &mut Found) {
        let mut seen = BTreeSet::new();
        // Twins among tables are twins among types too, which is said once.
        let mut said = BTreeSet::new();
        for claim in &self.spaces {
            let first = seen.insert((claim.space, claim.schema, claim.name));
            if first || !said.insert((claim.schema, claim.name)) || claim.module != module {
                continue;
            }
            let what = match claim.space {
                "relation" => "table, view, sequence or index",
                other => other,
            };
            found.add(
                claim.at,
                format!("there is another {what} `{}`", claim.name),
                "rename or remove one of them",
            );
        }
    }

    /// Whether something that is not defined here may still be elsewhere.
    pub(super) fn is_partial(&self) -> bool {
        self.partial
    }

    pub(super) fn schema(&self, schema: &str, at: Location, found: &mut Found) {
        if !self.partial && !self.schemas.contains(schema) {
            found.add(
                at,
                format!("there is no schema `{schema}`"),
                format!("define it: `schema {schema};`"),
            );
        }
    }

    pub(super) fn made(&self, key: Key<'_>) -> Option<Made<'a>> {
        self.types.get(&key).copied()
    }

    /// The names of the types that are made here.
    pub(super) fn type_names(&self) -> impl Iterator<Item = &'a str> {
        self.types.keys().map(|(_, name)| *name)
    }

    pub(super) fn uses_type(&self, key: Key<'_>) -> bool {
        self.used_types.contains(&key)
    }

    /// The columns of a table with those of its parents; none when a parent is not known.
    pub(super) fn columns(&self, table: &'a Table) -> Option<Vec<&'a Column>> {
        self.columns_within(table, 0)
    }

    fn columns_within(&self, table: &'a Table, depth: usize) -> Option<Vec<&'a Column>> {
        /// Deeper than that, the parents go round.
        const DEPTH: usize = 64;
        if depth > DEPTH {
            return None;
        }
        let partition = table.partition_of.iter().map(|partition| &partition.parent);
        let mut columns = Vec::new();
        for parent in partition.chain(&table.inherits) {
            let parent = self.tables.get(&parent.key())?;
            columns.extend(self.columns_within(parent, depth + 1)?);
        }
        columns.extend(&table.columns);
        Some(columns)
    }
}

/// The column of that name; the last one, since a child may say more of its parent's.
pub(super) fn find<'a>(columns: &[&'a Column], name: &Name) -> Option<&'a Column> {
    columns.iter().rev().find(|column| column.name == *name).copied()
}
