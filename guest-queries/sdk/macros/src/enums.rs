//! Enumerated types.

use avenire_definitions::Enum;
use avenire_definitions::rust::camel_case;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::mapping::Types;
use crate::names::{doc, word};

/// The Rust enum and its translation from and to the type's words.
pub(crate) fn expand(item: &Enum, types: &Types<'_>) -> TokenStream {
    let marker = types.marker(&item.name);
    let name = item.rust.as_ref().map_or_else(|| marker.clone(), |name| word(&name.text));
    let docs = doc(&item.docs, &format!("A value of the enum `{}`.", item.name));
    let words: Vec<&str> = item.values.iter().map(|value| value.name.text.as_str()).collect();
    let bytes: Vec<_> =
        words.iter().map(|word| proc_macro2::Literal::byte_string(word.as_bytes())).collect();
    let cases = cases(item);
    let case_docs = item.values.iter().map(|value| doc(&value.docs, &format!("`{}`", value.name)));
    // What is not known is told with the type's name, never with the value.
    let unknown = format!("a value of the enum {} that is not known", item.name);
    // An enum without values is allowed in Postgres, and has no words to match.
    let as_str = if words.is_empty() {
        quote!(match self {})
    } else {
        quote!(match self { #(Self::#cases => #words,)* })
    };
    quote! {
        #docs
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = sql_types::#marker)]
        pub enum #name {
            #(#case_docs #cases,)*
        }

        impl #name {
            /// All values, in the type's order.
            pub const ALL: &'static [Self] = &[#(Self::#cases),*];

            /// The value as Postgres writes it.
            pub const fn as_str(self) -> &'static str {
                #as_str
            }
        }

        impl ::diesel::serialize::ToSql<sql_types::#marker, ::diesel::pg::Pg> for #name {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::std::io::Write::write_all(out, self.as_str().as_bytes())?;
                ::core::result::Result::Ok(::diesel::serialize::IsNull::No)
            }
        }

        impl ::diesel::deserialize::FromSql<sql_types::#marker, ::diesel::pg::Pg> for #name {
            fn from_sql(
                value: ::diesel::pg::PgValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                match value.as_bytes() {
                    #(#bytes => ::core::result::Result::Ok(Self::#cases),)*
                    _ => ::core::result::Result::Err(#unknown.into()),
                }
            }
        }
    }
}

/// The variants; words that become the same one, or that of the list of all, get underscores.
fn cases(item: &Enum) -> Vec<Ident> {
    let mut taken = std::collections::BTreeSet::from(["ALL".to_owned()]);
    let name = |value: &avenire_definitions::EnumValue| match &value.rust {
        Some(name) => name.text.clone(),
        None => camel_case(&value.name.text),
    };
    item.values
        .iter()
        .map(|value| {
            let mut case = word(&name(value)).to_string();
            while !taken.insert(case.clone()) {
                case.push('_');
            }
            word(&case)
        })
        .collect()
}
