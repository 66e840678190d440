//! Names in Rust that do not collide within a module, and names of objects.

use std::collections::{BTreeMap, BTreeSet};

use avenire_definitions::Name;
use avenire_definitions::rust::camel_case;

use super::group::Groups;
use crate::catalog::{Catalog, Id, QName, name};

/// The names that modules give.
pub(super) struct Names {
    /// Rust types: of enums, domains and composite types, and of rows.
    types: BTreeMap<Id, String>,
    objects: BTreeMap<Id, String>,
}

impl Names {
    pub(super) fn of(catalog: &Catalog, groups: &Groups) -> Self {
        let mut taken: BTreeSet<(String, String)> = BTreeSet::new();
        let types = catalog.enums.keys().chain(catalog.domains.keys());
        let types = types.chain(catalog.composites.keys()).map(|name| Id::Type(name.clone()));
        let rows = catalog.tables.keys().map(|name| Id::Table(name.clone()));
        let rows = rows.chain(catalog.views.keys().map(|name| Id::View(name.clone())));
        let mut names = Self { types: BTreeMap::new(), objects: objects(catalog) };
        for id in types.chain(rows) {
            let (Id::Type(name) | Id::Table(name) | Id::View(name)) = &id else { continue };
            let module = groups.module(&id).to_owned();
            let is_taken = |word: &str| taken.contains(&(module.clone(), word.to_owned()));
            let word = free(&usual(name), is_taken);
            taken.insert((module, word.clone()));
            names.types.insert(id, word);
        }
        names
    }

    /// The row type of a table or view.
    pub(super) fn row(&self, name: &QName) -> Option<&str> {
        let table = self.types.get(&Id::Table(name.clone()));
        table.or_else(|| self.types.get(&Id::View(name.clone()))).map(String::as_str)
    }

    /// The Rust type of an enum, domain or composite type.
    pub(super) fn rust_type(&self, name: &QName) -> Option<&str> {
        self.types.get(&Id::Type(name.clone())).map(String::as_str)
    }

    /// The same, when it is not what the language makes of the name.
    pub(super) fn unusual_type(&self, name: &QName) -> Option<Name> {
        let usual = usual(name);
        self.rust_type(name).filter(|word| *word != usual).map(Into::into)
    }

    /// What an object is called.
    pub(super) fn object(&self, id: &Id) -> String {
        self.objects.get(id).cloned().unwrap_or_default()
    }
}

/// The name in camel case, with the schema in front when that is not `public`.
fn usual(name: &QName) -> String {
    let word = camel_case(&name.name);
    if name.schema == "public" { word } else { format!("{}{word}", camel_case(&name.schema)) }
}

/// The word, or the first with a number after it that is not taken.
pub(super) fn free(word: &str, mut is_taken: impl FnMut(&str) -> bool) -> String {
    let mut found = word.to_owned();
    let mut number = 2_usize;
    while is_taken(&found) {
        found = format!("{word}{number}");
        number += 1;
    }
    found
}

/// An object has its own name where nothing else has that, and its signature otherwise.
fn objects(catalog: &Catalog) -> BTreeMap<Id, String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let relations = catalog.tables.keys().chain(catalog.views.keys());
    let types = catalog.enums.keys().chain(catalog.domains.keys()).chain(catalog.composites.keys());
    for name in relations.chain(types) {
        *count.entry(name.name.clone()).or_default() += 1;
    }
    let all = || {
        catalog.objects.iter().flat_map(|(kind, objects)| {
            objects.keys().map(|full| (Id::Object(*kind, full.clone()), full))
        })
    };
    for (_, full) in all() {
        *count.entry(short(full)).or_default() += 1;
    }
    let name = |(id, full): (Id, &String)| {
        let short = short(full);
        let name = if count.get(&short) == Some(&1) { short } else { full.clone() };
        (id, name)
    };
    all().map(name).collect()
}

/// The last part of `schema.name(type, …)`, or all of it when that is no name.
fn short(full: &str) -> String {
    let mut end = full.len();
    let mut is_quoted = false;
    for (at, c) in full.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let parts = full.get(..end).and_then(name::parts);
    parts.and_then(|mut parts| parts.pop()).unwrap_or_else(|| full.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_called_by_the_last_part_of_its_name() {
        assert_eq!(short("app.plus(integer, public.\"odd(type)\")"), "plus");
        assert_eq!(short("public.\"odd (name)\"(integer)"), "odd (name)");
        assert_eq!(short("public.t.rule"), "rule");
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        assert_eq!(free("Chat", |word| word == "Chat" || word == "Chat2"), "Chat3");
    }
}
