//! Tables and views as Diesel sees them: one `diesel::table!` each.

use std::collections::{BTreeMap, BTreeSet};

use avenire_definitions::rust::is_word;
use avenire_definitions::{Block, Column, ConstraintKind, Field, Item, Name, ObjectName, Table};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::mapping::{Types, is_own};
use crate::names::{doc, ident};

/// How many columns Diesel takes with the feature `32-column-tables`. Of wider tables it sees the
/// key and the first others; those that are `as _` come last.
const WIDEST: usize = 32;

/// A table or view.
pub(crate) struct Relation<'a> {
    pub(crate) name: &'a ObjectName,
    pub(crate) module: Ident,
    pub(crate) docs: &'a [String],
    pub(crate) attributes: &'a [String],
    pub(crate) row: Option<&'a Name>,
    /// The columns that Diesel sees, with their names in Rust.
    pub(crate) columns: Vec<(Ident, &'a Column)>,
    /// How many it does not see.
    hidden: usize,
    /// The primary key, empty without one.
    pub(crate) key: Vec<&'a Name>,
}

/// The tables and views of a block that have columns. Left out is what is in a schema whose name
/// is no word in Rust, since Diesel's `table!` has no other way to name one.
pub(crate) fn all(block: &Block) -> Vec<Relation<'_>> {
    let mut relations: Vec<_> = block
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Table(table) => {
                let columns = inherited(table, block, 0);
                Some(relation(
                    &table.name,
                    (&table.docs, &table.attributes, table.row.as_ref()),
                    columns,
                    primary_key(table),
                ))
            }
            Item::View(view) => Some(relation(
                &view.name,
                (&view.docs, &view.attributes, view.row.as_ref()),
                view.columns.iter().collect(),
                Vec::new(),
            )),
            _ => None,
        })
        .filter(|relation| !relation.columns.is_empty() && is_word(&relation.name.schema))
        .collect();
    apart(&mut relations);
    relations
}

/// Keeps modules apart that would have the same name: the one in `public` has it, or the first;
/// others get their schema in front or underscores behind.
fn apart(relations: &mut [Relation<'_>]) {
    let mut taken: BTreeSet<String> = relations.iter().map(|one| one.module.to_string()).collect();
    let mut owners: BTreeMap<String, &ObjectName> = BTreeMap::new();
    for relation in &*relations {
        let owner = owners.entry(relation.module.to_string()).or_insert(relation.name);
        if owner.schema != "public" && relation.name.schema == "public" {
            *owner = relation.name;
        }
    }
    for relation in relations {
        let ObjectName { schema, name, .. } = relation.name;
        if owners.get(&relation.module.to_string()) == Some(&relation.name) {
            continue;
        }
        let mut word = match schema.as_str() {
            "public" => format!("{}_", relation.module),
            _ => ident(&format!("{schema}_{name}")).to_string(),
        };
        while !taken.insert(word.clone()) {
            word.push('_');
        }
        relation.module = crate::names::word(&word);
        name_columns(relation);
    }
}

type Head<'a> = (&'a Vec<String>, &'a Vec<String>, Option<&'a Name>);

fn relation<'a>(
    name: &'a ObjectName,
    (docs, attributes, row): Head<'a>,
    columns: Vec<&'a Column>,
    key: Vec<&'a Name>,
) -> Relation<'a> {
    let module = ident(&name.name);
    let all = columns.len();
    let seen = seen(columns, &key);
    let hidden = all - seen.len();
    let columns = seen.into_iter().map(|column| (ident(&column.name.text), column)).collect();
    let mut relation = Relation { name, module, docs, attributes, row, columns, hidden, key };
    name_columns(&mut relation);
    relation
}

fn name_columns(relation: &mut Relation<'_>) {
    let mut taken = BTreeSet::new();
    for (name, column) in &mut relation.columns {
        *name = column_ident(column, &relation.module, &mut taken);
    }
}

/// Diesel does not allow a column to be called as its table.
fn column_ident(column: &Column, module: &Ident, taken: &mut BTreeSet<String>) -> Ident {
    let mut name = ident(&column.name.text).to_string();
    if *module == name {
        name.push('_');
    }
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    crate::names::word(&name)
}

fn seen<'a>(columns: Vec<&'a Column>, key: &[&Name]) -> Vec<&'a Column> {
    if columns.len() <= WIDEST {
        return columns;
    }
    let in_key = |column: &Column| key.contains(&&column.name);
    let wanted = |column: &Column| column.field != Field::Absent;
    let ranked = columns
        .iter()
        .filter(|column| in_key(column))
        .chain(columns.iter().filter(|column| !in_key(column) && wanted(column)))
        .chain(columns.iter().filter(|column| !in_key(column) && !wanted(column)));
    let kept: Vec<&Name> = ranked.take(WIDEST).map(|column| &column.name).collect();
    columns.iter().filter(|column| kept.contains(&&column.name)).copied().collect()
}

/// The columns of a table, those of parents in the same block first.
fn inherited<'a>(table: &'a Table, block: &'a Block, depth: usize) -> Vec<&'a Column> {
    /// Deeper than that, the parents go round.
    const DEPTH: usize = 16;
    let mut columns: Vec<&Column> = Vec::new();
    let partition = table.partition_of.iter().map(|partition| &partition.parent);
    for parent in partition.chain(&table.inherits).filter(|_| depth < DEPTH) {
        let found = block.items.iter().find_map(|item| match item {
            Item::Table(other) if other.name == *parent => Some(other),
            _ => None,
        });
        columns.extend(found.into_iter().flat_map(|parent| inherited(parent, block, depth + 1)));
    }
    columns.retain(|column| table.columns.iter().all(|own| own.name != column.name));
    columns.extend(&table.columns);
    columns
}

fn primary_key(table: &Table) -> Vec<&Name> {
    table
        .constraints
        .iter()
        .find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, .. } => Some(columns.iter().collect()),
            _ => None,
        })
        .unwrap_or_default()
}

/// The `table!` of a relation. Diesel wants a key: without one, the first column stands for it,
/// and the row type is not `Identifiable`.
pub(crate) fn expand(relation: &Relation<'_>, types: &mut Types<'_>) -> TokenStream {
    let Relation { name, module, columns, .. } = relation;
    let mut docs = doc(relation.docs, &format!("`{name}`"));
    if relation.hidden > 0 {
        let more = format!(
            " Diesel takes tables of {WIDEST} columns; {} more are there for SQL only.",
            relation.hidden
        );
        docs = quote!(#docs #[doc = ""] #[doc = #more]);
    }
    let sql_name = &name.name;
    let schema =
        (name.schema != "public").then(|| crate::names::word(&name.schema)).map(|s| quote!(#s.));
    let key: Vec<&Ident> = key_columns(relation);
    let mut own = false;
    let defined = columns.iter().map(|(rust, column)| {
        let docs = doc(&column.docs, &format!("`{}`", column.name));
        let sql = types.of(&column.data_type).sql;
        own |= is_own(&sql);
        let sql = if column.nullable { quote!(::diesel::sql_types::Nullable<#sql>) } else { sql };
        let name = &column.name.text;
        quote!(#docs #[sql_name = #name] #rust -> #sql,)
    });
    let defined: Vec<TokenStream> = defined.collect();
    let import = own.then(|| {
        quote!(
            use super::sql_types;
        )
    });
    quote! {
        ::diesel::table! {
            #import
            #docs
            #[sql_name = #sql_name]
            #schema #module (#(#key),*) {
                #(#defined)*
            }
        }
    }
}

/// The names in Rust of the primary key's columns, or of the first column.
pub(crate) fn key_columns<'a>(relation: &'a Relation<'_>) -> Vec<&'a Ident> {
    let key: Vec<&Ident> = relation
        .key
        .iter()
        .filter_map(|name| relation.columns.iter().find(|(_, column)| column.name == **name))
        .map(|(rust, _)| rust)
        .collect();
    if key.is_empty() {
        relation.columns.iter().take(1).map(|(rust, _)| rust).collect()
    } else {
        key
    }
}
