//! Composite types.

use avenire_definitions::Composite;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::mapping::Types;
use crate::names::{doc, ident, word};

/// How many attributes Diesel's tuples take with the feature `32-column-tables`.
const WIDEST: usize = 32;

/// The struct and its translation. Attributes of a composite type may always be null. One without
/// attributes, or with more than Diesel takes, stays bytes.
pub(crate) fn expand(item: &Composite, types: &mut Types<'_>) -> TokenStream {
    let marker = types.marker(&item.name);
    let name = item.rust.as_ref().map_or_else(|| marker.clone(), |name| word(&name.text));
    let docs = doc(&item.docs, &format!("A value of the type `{}`.", item.name));
    if item.attributes.is_empty() || item.attributes.len() > WIDEST {
        return quote! {
            #docs
            pub type #name = ::avenire_values::Opaque;
            impl ::avenire_values::OpaqueType for sql_types::#marker {}
        };
    }
    let fields = fields(item);
    let field_docs = item.attributes.iter().map(|one| doc(&one.docs, &format!("`{}`", one.name)));
    let mapped: Vec<_> = item.attributes.iter().map(|one| types.of(&one.data_type)).collect();
    let sql: Vec<_> = mapped.iter().map(|one| &one.sql).collect();
    let rust = mapped.iter().map(|one| &one.rust);
    let shape = quote!((#(::diesel::sql_types::Nullable<#sql>,)*));
    quote! {
        #docs
        #[derive(
            Debug, Clone, PartialEq,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = sql_types::#marker)]
        pub struct #name {
            #(#field_docs pub #fields: ::core::option::Option<#rust>,)*
        }

        impl ::diesel::serialize::ToSql<sql_types::#marker, ::diesel::pg::Pg> for #name {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::diesel::serialize::WriteTuple::<#shape>::write_tuple(
                    &(#(&self.#fields,)*),
                    out,
                )
            }
        }

        impl ::diesel::deserialize::FromSql<sql_types::#marker, ::diesel::pg::Pg> for #name {
            fn from_sql(
                value: ::diesel::pg::PgValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                let (#(#fields,)*) = ::diesel::deserialize::FromSql::<
                    ::diesel::sql_types::Record<#shape>,
                    ::diesel::pg::Pg,
                >::from_sql(value)?;
                ::core::result::Result::Ok(Self { #(#fields),* })
            }
        }
    }
}

/// The fields; names that become the same one get underscores.
fn fields(item: &Composite) -> Vec<Ident> {
    let mut taken = std::collections::BTreeSet::new();
    let names = item.attributes.iter().map(|one| {
        let mut name = ident(&one.name.text).to_string();
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        word(&name)
    });
    names.collect()
}
