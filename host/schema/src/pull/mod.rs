//! Turns a catalog into schema modules: the way from a database that exists to a schema in code.
//!
//! Which module what goes to: a table that others refer to starts a module, with the tables of its
//! schema whose names begin with the same word; a table that nobody refers to goes with the one it
//! refers to; what is connected with nothing goes to `other`. Types, sequences, views, functions
//! and the like go with the tables when all of those are in one module, and to `types`, `views`
//! and `objects` otherwise; schemas and extensions to `database`.
//!
//! Never: touches a database or a file; says silently less than the catalog.

mod adopt;
mod constraints;
mod group;
mod indexes;
mod names;
mod objects;
mod read;
mod tables;
mod types;
mod uses;
mod views;

use std::collections::BTreeMap;
use std::path::PathBuf;

use avenire_definitions::rust::{identifier, is_word};
use avenire_definitions::{Item, Module, print};

use crate::catalog::{Id, Introspected, LeftOut};
pub use adopt::{Adoption, Proof, PullError, adopt};
use group::Groups;
use names::Names;

/// For how many tables all pairs are allowed in one query.
const TOGETHER: usize = 60;

/// Schema modules made from a catalog.
#[derive(Clone, Debug, Default)]
pub struct Pulled {
    /// The modules, by name.
    pub modules: Vec<Module>,
    /// The files that say the same, and `lib.rs` that names them; paths are within the folder of
    /// the schema modules' sources.
    pub files: Vec<SourceFile>,
    /// What the modules do not say.
    pub left_out: Vec<LeftOut>,
}

/// A file with Rust source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

/// The schema modules that lead to this catalog in an empty database, and what they leave out: what
/// the catalog itself has left out, and what it knows and the language has no words for.
pub fn pull(introspected: &Introspected) -> Pulled {
    let groups = Groups::of(introspected);
    let names = Names::of(&introspected.catalog, &groups);
    let mut pulling = Pulling {
        introspected,
        groups: &groups,
        names: &names,
        items: BTreeMap::new(),
        left_out: introspected.left_out.clone(),
    };
    types::pull(&mut pulling);
    tables::pull(&mut pulling);
    views::pull(&mut pulling);
    objects::pull(&mut pulling);
    let Pulling { items, mut left_out, .. } = pulling;
    left_out.sort();
    left_out.dedup();
    let modules: Vec<Module> = items
        .into_iter()
        .map(|(name, items)| uses::module(&name, items, &groups, &names))
        .collect();
    Pulled { files: files(&modules), modules, left_out }
}

/// What is under way.
struct Pulling<'a> {
    introspected: &'a Introspected,
    groups: &'a Groups,
    names: &'a Names,
    /// By module.
    items: BTreeMap<String, Vec<Item>>,
    left_out: Vec<LeftOut>,
}

impl Pulling<'_> {
    /// Puts an item into the module that `id` belongs to.
    fn put(&mut self, id: &Id, item: Item) {
        self.items.entry(self.groups.module(id).to_owned()).or_default().push(item);
    }

    fn leave_out(&mut self, kind: &str, name: impl Into<String>) {
        self.left_out.push(LeftOut { kind: kind.into(), name: name.into() });
    }
}

fn files(modules: &[Module]) -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = modules
        .iter()
        .map(|module| SourceFile { path: module.file.clone(), text: print(module) })
        .collect();
    let mut text = String::from("//! The schema of the application, one module per domain.\n\n");
    for module in modules {
        if let Some(name) = module.file.file_stem().and_then(std::ffi::OsStr::to_str) {
            text.push_str(&format!("pub mod {name};\n"));
        }
    }
    text.push_str(&together(modules));
    files.push(SourceFile { path: "lib.rs".into(), text });
    files
}

/// Allows tables of different modules in one query. That takes an implementation for each pair,
/// which would be too many to compile for a large schema.
fn together(modules: &[Module]) -> String {
    let mut count = 0;
    let mut text = String::from("\navenire_macros::together! {\n");
    for module in modules {
        // Of two that are the same word in Rust, the other one has a name of its own.
        let mut tables: Vec<String> = Vec::new();
        for name in module.items.iter().filter_map(table_name) {
            if !tables.contains(&name) {
                tables.push(name);
            }
        }
        count += tables.len();
        if let (Some(name), false) = (module.file.file_stem(), tables.is_empty()) {
            text.push_str(&format!("    {}::{{{}}},\n", name.display(), tables.join(", ")));
        }
    }
    text.push_str("}\n");
    match count {
        0 => String::new(),
        1..=TOGETHER => text,
        _ => "\n// Name the tables of different modules that are used in one query in\n\
              // `avenire_macros::together! { module::{table, other_table}, … }`.\n"
            .into(),
    }
}

fn table_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Table(table) => &table.name,
        Item::View(view) => &view.name,
        _ => return None,
    };
    // Diesel knows none in a schema that is no word.
    is_word(&name.schema).then(|| identifier(&name.name))
}
