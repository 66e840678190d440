//! Names and documentation in generated code.

use avenire_definitions::rust::{camel_case, identifier};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;

/// The name of a module, column or field.
pub(crate) fn ident(name: &str) -> Ident {
    word(&identifier(name))
}

/// The name of a type that something in the database gives its name to; with the schema in front
/// when that is not `public`.
pub(crate) fn type_ident(schema: &str, name: &str) -> Ident {
    match schema {
        "public" | "pg_catalog" => word(&camel_case(name)),
        _ => word(&format!("{}{}", camel_case(schema), camel_case(name))),
    }
}

/// A word as it is; what can not be one in Rust gets an underscore.
pub(crate) fn word(text: &str) -> Ident {
    if syn::Ident::parse_any.parse_str(text).is_ok() {
        return Ident::new(text, Span::call_site());
    }
    let clean: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Ident::new(&format!("n_{clean}"), Span::call_site())
}

/// Documentation, or `otherwise` where there is none.
pub(crate) fn doc(lines: &[String], otherwise: &str) -> TokenStream {
    if lines.is_empty() {
        return quote!(#[doc = #otherwise]);
    }
    let lines = lines.iter().map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}

/// A path or type that the source holds as text.
pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|_| {
        let message = format!("`{text}` is no Rust");
        quote!(::core::compile_error!(#message))
    })
}
