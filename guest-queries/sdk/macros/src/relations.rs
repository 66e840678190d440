//! Which tables Diesel may join and name in one query.

use std::collections::BTreeMap;

use avenire_definitions::rust::is_word;
use avenire_definitions::{Block, ConstraintKind, Item, Name, ObjectName, Table, UseKind};
use proc_macro2::TokenStream;
use quote::quote;

use crate::names::tokens;
use crate::tables::Relation;

/// Schema and name of a table.
type Key<'a> = (&'a str, &'a str);

/// `joinable!` for each pair of tables with one foreign key of one column between them, and
/// `allow_tables_to_appear_in_same_query!` for all of the block.
pub(crate) fn relations(block: &Block, relations: &[Relation<'_>]) -> TokenStream {
    let keys = keys(block);
    let joins = keys.iter().filter_map(|((from, to), columns)| {
        let [Some(column)] = columns.as_slice() else { return None };
        // Both directions at once would be two ways to join.
        if from == to || keys.contains_key(&(*to, *from)) {
            return None;
        }
        let child = relations.iter().find(|one| key(one.name) == *from)?;
        let (rust, _) = child.columns.iter().find(|(_, seen)| seen.name == **column)?;
        let parent = path_of(*to, block, relations)?;
        let module = &child.module;
        Some(quote!(::diesel::joinable!(#module -> #parent (#rust));))
    });
    let modules = relations.iter().map(|one| &one.module);
    let together = (relations.len() > 1)
        .then(|| quote!(::diesel::allow_tables_to_appear_in_same_query!(#(#modules),*);));
    quote!(#(#joins)* #together)
}

fn key(name: &ObjectName) -> Key<'_> {
    (&name.schema, &name.name)
}

fn tables(block: &Block) -> impl Iterator<Item = &Table> {
    block.items.iter().filter_map(|item| match item {
        Item::Table(table) => Some(table.as_ref()),
        _ => None,
    })
}

/// The foreign keys from one table to another: the column of those that have one column and refer
/// to the primary key, as far as that is known here.
fn keys(block: &Block) -> BTreeMap<(Key<'_>, Key<'_>), Vec<Option<&Name>>> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for table in tables(block) {
        for constraint in &table.constraints {
            let ConstraintKind::ForeignKey { columns, references, referenced, .. } =
                &constraint.kind
            else {
                continue;
            };
            let column = match columns.as_slice() {
                [column] if is_primary_key(references, referenced, block) => Some(column),
                _ => None,
            };
            keys.entry((key(&table.name), key(references))).or_default().push(column);
        }
    }
    keys
}

/// Diesel joins on the primary key. A table that another module defines is taken at its word: its
/// `use` says that it may be joined.
fn is_primary_key(target: &ObjectName, columns: &[Name], block: &Block) -> bool {
    let Some(table) = tables(block).find(|table| table.name == *target) else { return true };
    table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns: key, .. } => {
            key.len() == 1 && (columns.is_empty() || key.as_slice() == columns)
        }
        _ => false,
    })
}

/// Where the module of a table is.
fn path_of(to: Key<'_>, block: &Block, relations: &[Relation<'_>]) -> Option<TokenStream> {
    if let Some(own) = relations.iter().find(|one| key(one.name) == to) {
        let module = &own.module;
        return Some(quote!(#module));
    }
    if !is_word(to.0) {
        return None;
    }
    let used = block.uses.iter().find(|one| one.kind == UseKind::Table && key(&one.name) == to)?;
    Some(tokens(&used.path))
}
