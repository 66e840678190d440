//! Row types.

use avenire_definitions::Field;
use proc_macro2::TokenStream;
use quote::quote;

use crate::mapping::Types;
use crate::names::{doc, tokens, word};
use crate::tables::{Relation, key_columns};

/// The struct of `as Name`; nothing without it.
pub(crate) fn expand(relation: &Relation<'_>, types: &mut Types<'_>) -> TokenStream {
    let Some(row) = relation.row else { return TokenStream::new() };
    let (name, table) = (word(&row.text), &relation.module);
    let docs = doc(relation.docs, &format!("A row of `{}`.", relation.name));
    let mut fields = Vec::new();
    for (rust, column) in &relation.columns {
        let mut field_type = match &column.field {
            Field::Absent => continue,
            Field::Usual => types.of(&column.data_type).rust,
            Field::As(path) => tokens(path),
        };
        if column.nullable {
            field_type = quote!(::core::option::Option<#field_type>);
        }
        let docs = doc(&column.docs, &format!("`{}`", column.name));
        fields.push(quote!(#docs pub #rust: #field_type,));
    }
    let key = key_columns(relation);
    let has_key = !relation.key.is_empty()
        && relation.columns.iter().all(|(_, column)| {
            !relation.key.contains(&&column.name) || column.field != Field::Absent
        });
    let identifiable = has_key.then(|| quote!(::diesel::Identifiable,));
    let key = has_key.then(|| quote!(primary_key(#(#key),*),));
    let attributes = relation.attributes.iter().map(|text| {
        let attribute = tokens(text);
        quote!(#[#attribute])
    });
    quote! {
        #docs
        #[derive(
            Debug, Clone, PartialEq,
            ::diesel::Queryable, ::diesel::QueryableByName, ::diesel::Selectable, #identifiable
        )]
        #[diesel(table_name = #table, #key check_for_backend(::diesel::pg::Pg))]
        #(#attributes)*
        pub struct #name {
            #(#fields)*
        }
    }
}
