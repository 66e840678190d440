//! A whole `schema!` block.

use avenire_definitions::{Block, Description, Domain, Item, UseKind, check_block, parse_block};
use proc_macro2::TokenStream;
use quote::quote;

use crate::mapping::Types;
use crate::names::doc;
use crate::relations::relations;
use crate::tables::Relation;
use crate::{composites, enums, rows, tables};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let (block, spans) = match parse_block(input) {
        Ok(read) => read,
        Err(error) => return error.into_compile_error(),
    };
    let problems = check_block(&block);
    if !problems.is_empty() {
        return problems
            .iter()
            .map(|problem| {
                let message = format!("{}\n  = help: {}", problem.message, problem.hint);
                syn::Error::new(spans.span(problem.at), message).into_compile_error()
            })
            .collect();
    }
    let mut types = Types::new(&block);
    let relations_of_block = tables::all(&block);
    let tables: Vec<TokenStream> =
        relations_of_block.iter().map(|one| tables::expand(one, &mut types)).collect();
    let rows: Vec<TokenStream> =
        relations_of_block.iter().map(|one| rows::expand(one, &mut types)).collect();
    let made = made_types(&block, &mut types);
    let joins = relations(&block, &relations_of_block);
    let markers = types.module();
    let description = description(&block, &relations_of_block);
    quote! {
        #markers
        #(#tables)*
        #(#rows)*
        #made
        #joins
        #description
    }
}

fn made_types(block: &Block, types: &mut Types<'_>) -> TokenStream {
    block
        .items
        .iter()
        .map(|item| match item {
            Item::Enum(item) => enums::expand(item, types),
            Item::Composite(item) => composites::expand(item, types),
            Item::Domain(item) => domain(item, types),
            _ => TokenStream::new(),
        })
        .collect()
}

/// Postgres reports values of a domain as values of the type beneath.
fn domain(domain: &Domain, types: &mut Types<'_>) -> TokenStream {
    let name = types.marker(&domain.name);
    let docs = doc(&domain.docs, &format!("A value of the domain `{}`.", domain.name));
    let rust = types.of(&domain.data_type).rust;
    quote! {
        #docs
        pub type #name = #rust;
    }
}

fn description(block: &Block, relations: &[Relation<'_>]) -> TokenStream {
    let json = Description::of(block).to_json();
    // The host looks only at what the component can name.
    let nothing = relations.is_empty()
        && !block.uses.iter().any(|item| item.kind == UseKind::Type)
        && !block.items.iter().any(|item| matches!(item, Item::Enum(_)));
    if nothing {
        return TokenStream::new();
    }
    quote! {
        /// What this module defines, as a component that uses it carries it: JSON on one line.
        pub const DESCRIPTION: &str = #json;
    }
}
