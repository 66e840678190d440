//! The macros of schema modules: what Rust code sees of a schema. Owns the translation of
//! definitions to Diesel. Never: understands the language by itself; `avenire-definitions` does.

mod composites;
mod enums;
mod mapping;
mod names;
mod relations;
mod rows;
mod schema;
mod tables;
mod together;

use proc_macro::TokenStream;

/// Defines a part of the schema. The language is described in `guest-queries/schema/README.md`.
///
/// Makes, in the module it stands in: for each table and view a module as `diesel::table!` does,
/// for each `as Name` a row type, for each enum, domain and composite type a Rust type, a module
/// `sql_types` with their SQL types, the joins that foreign keys allow, and `DESCRIPTION`, what a
/// component carries of it. There can be one block in a module.
#[proc_macro]
pub fn schema(input: TokenStream) -> TokenStream {
    schema::expand(input.into()).into()
}

/// Allows tables of different modules in one query; tables of one `schema!` block are allowed
/// already, and pairs of one module are left out.
///
/// ```text
/// avenire_macros::together! { auth::{accounts, users}, chat::{chat, message} }
/// ```
#[proc_macro]
pub fn together(input: TokenStream) -> TokenStream {
    together::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
