//! Puts a module together: its items, and where the things of other modules are that it uses.

use std::collections::BTreeMap;

use avenire_definitions::rust::identifier;
use avenire_definitions::{Column, ConstraintKind, Item, Module, ObjectName, Type, Use, UseKind};

use super::group::Groups;
use super::names::Names;
use super::read::{object_name, type_name};
use crate::catalog::{Id, QName};

/// The module `name` with these items.
pub(super) fn module(name: &str, items: Vec<Item>, groups: &Groups, names: &Names) -> Module {
    let mut looking = Uses { name, groups, names, found: BTreeMap::new() };
    for item in &items {
        looking.item(item);
    }
    let uses = looking.found.into_values().collect();
    let docs = vec![describe(name, &items)];
    Module { file: format!("{name}.rs").into(), docs, uses, items }
}

/// What a module has, for its documentation.
fn describe(name: &str, items: &[Item]) -> String {
    let tables: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Table(table) => Some(format!("`{}`", table.name)),
            _ => None,
        })
        .collect();
    match (name, tables.as_slice()) {
        ("database", _) => "Schemas and extensions.".into(),
        ("types", []) => "Types that tables of several modules use.".into(),
        ("views", []) => "Views on tables of several modules.".into(),
        ("objects", []) => "Functions and the like that belong to no single module.".into(),
        (_, []) => "What belongs to no table.".into(),
        (_, [table]) => format!("The table {table}."),
        (_, tables) => format!("The tables {}.", tables.join(", ")),
    }
}

struct Uses<'a> {
    name: &'a str,
    groups: &'a Groups,
    names: &'a Names,
    found: BTreeMap<(bool, QName), Use>,
}

impl Uses<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Table(table) => {
                self.columns(&table.columns);
                for constraint in &table.constraints {
                    if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind {
                        self.table(references);
                    }
                }
                let partition = table.partition_of.iter().map(|partition| &partition.parent);
                for parent in partition.chain(&table.inherits) {
                    self.table(parent);
                }
            }
            Item::View(view) => self.columns(&view.columns),
            Item::Composite(composite) => self.columns(&composite.attributes),
            Item::Domain(domain) => self.data_type(&domain.data_type),
            _ => {}
        }
    }

    fn columns(&mut self, columns: &[Column]) {
        for column in columns {
            self.data_type(&column.data_type);
        }
    }

    fn table(&mut self, name: &ObjectName) {
        let name = QName::new(&name.schema, &name.name);
        let module = self.groups.module(&Id::Table(name.clone()));
        let path = format!("crate::{module}::{}", identifier(&name.name));
        self.add(module, path, name, UseKind::Table);
    }

    fn data_type(&mut self, data_type: &Type) {
        let Some(name) = type_name(data_type) else { return };
        let Some(word) = self.names.rust_type(&name) else { return };
        let module = self.groups.module(&Id::Type(name.clone()));
        let path = format!("crate::{module}::{word}");
        self.add(module, path, name, UseKind::Type);
    }

    fn add(&mut self, module: &str, path: String, name: QName, kind: UseKind) {
        if module != self.name {
            let item = Use { path, name: object_name(&name), kind };
            self.found.insert((kind == UseKind::Type, name), item);
        }
    }
}
