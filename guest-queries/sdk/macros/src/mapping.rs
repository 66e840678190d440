//! Which SQL type of Diesel and which Rust type stand for a type of Postgres. Owns the module
//! `sql_types` of a block, which has the types that Diesel does not know.

use std::collections::BTreeMap;

use avenire_definitions::{Block, Domain, Item, ObjectName, Type, TypeName, Use, UseKind};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::names::{tokens, type_ident};

/// Both sides of a type.
#[derive(Clone)]
pub(crate) struct Mapped {
    /// Diesel's SQL type, as a path that holds everywhere; those of the block's own start with
    /// `sql_types`.
    pub(crate) sql: TokenStream,
    /// The Rust type that is loaded from it.
    pub(crate) rust: TokenStream,
}

/// The types of a block.
pub(crate) struct Types<'a> {
    block: &'a Block,
    /// Types that Diesel does not know: schema, if it is named, and name in the database.
    opaque: BTreeMap<String, (Option<String>, String)>,
    /// What the block's own types are called in `sql_types`, by schema and name.
    markers: BTreeMap<(&'a str, &'a str), Ident>,
}

impl<'a> Types<'a> {
    pub(crate) fn new(block: &'a Block) -> Self {
        let mut types = Self { block, opaque: BTreeMap::new(), markers: BTreeMap::new() };
        for item in &block.items {
            let name = match item {
                Item::Enum(item) => &item.name,
                Item::Composite(item) => &item.name,
                Item::Domain(item) => &item.name,
                _ => continue,
            };
            let marker = types.free(type_ident(&name.schema, &name.name));
            types.markers.insert((&name.schema, &name.name), marker);
        }
        types
    }

    /// The word, with underscores as long as one of the block's own types is called so.
    fn free(&self, mut word: Ident) -> Ident {
        while self.markers.values().any(|other| *other == word) {
            word = crate::names::word(&format!("{word}_"));
        }
        word
    }

    /// What one of the block's own types is called in `sql_types`.
    pub(crate) fn marker(&self, name: &ObjectName) -> Ident {
        let own = self.markers.get(&(name.schema.as_str(), name.name.as_str()));
        own.cloned().unwrap_or_else(|| type_ident(&name.schema, &name.name))
    }

    /// Both sides of a column's type.
    pub(crate) fn of(&mut self, data_type: &Type) -> Mapped {
        let (element, array) = match &data_type.name {
            TypeName::Sql(text) => self.sql(text),
            TypeName::Plain { schema, name } => {
                (self.plain(schema.as_deref(), name, data_type.builtin()), false)
            }
        };
        if data_type.dimensions == 0 && !array {
            return element;
        }
        let Mapped { sql, rust } = element;
        if data_type.nullable_elements || array {
            let sql = quote!(::diesel::sql_types::Array<::diesel::sql_types::Nullable<#sql>>);
            return Mapped { sql, rust: quote!(::std::vec::Vec<::core::option::Option<#rust>>) };
        }
        Mapped {
            sql: quote!(::diesel::sql_types::Array<#sql>),
            rust: quote!(::std::vec::Vec<#rust>),
        }
    }

    fn plain(&mut self, schema: Option<&str>, name: &str, builtin: Option<&str>) -> Mapped {
        if let Some(base) = builtin {
            return builtin_type(base).unwrap_or_else(|| self.opaque(Some("pg_catalog"), name));
        }
        if schema.is_none() && name == "citext" {
            return simple("Citext", quote!(::std::string::String));
        }
        let key = ObjectName::new(schema.unwrap_or("public"), name);
        if let Some(path) = self.used(&key) {
            let marker = type_ident(&key.schema, &key.name);
            let module = path.rsplit_once("::").map_or("self", |(module, _)| module);
            let (module, rust) = (tokens(module), tokens(path));
            return Mapped { sql: quote!(#module::sql_types::#marker), rust };
        }
        let rust = self.block.items.iter().find_map(|item| match item {
            Item::Enum(item) if item.name == key => Some(item.rust.as_ref()),
            Item::Composite(item) if item.name == key => Some(item.rust.as_ref()),
            Item::Domain(item) if item.name == key => Some(None),
            _ => None,
        });
        let Some(rust) = rust else { return self.opaque(schema, name) };
        let marker = self.marker(&key);
        let rust = rust.map_or_else(|| marker.clone(), |name| crate::names::word(&name.text));
        Mapped { sql: quote!(sql_types::#marker), rust: quote!(#rust) }
    }

    fn used(&self, key: &ObjectName) -> Option<&'a str> {
        let uses: &'a [Use] = &self.block.uses;
        uses.iter()
            .find(|item| item.kind == UseKind::Type && item.name == *key)
            .map(|item| item.path.as_str())
    }

    /// A type that is written as SQL, and whether it is an array.
    fn sql(&mut self, text: &str) -> (Mapped, bool) {
        let (element, array) = match text.trim().strip_suffix("[]") {
            Some(element) => (element.trim_end_matches("[]").trim(), true),
            None => (text.trim(), false),
        };
        if element == "\"char\"" {
            return (simple("CChar", quote!(u8)), array);
        }
        let read = Type::from_canonical(element);
        if let TypeName::Plain { schema, name } = &read.name {
            return (self.plain(schema.as_deref(), name, read.builtin()), array);
        }
        let end = element.find(['(', ' ']).unwrap_or(element.len());
        let bare = element.get(..end).unwrap_or(element).replace('"', "");
        let (schema, name) = match bare.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name.to_owned()),
            None => (None, bare),
        };
        let builtin = Type::plain(&name).builtin().filter(|_| schema.is_none());
        (self.plain(schema.as_deref(), &name, builtin), array)
    }

    /// A type that Diesel does not know: raw bytes in Postgres' binary format.
    fn opaque(&mut self, schema: Option<&str>, name: &str) -> Mapped {
        let marker = self.free(type_ident(schema.unwrap_or("public"), name));
        self.opaque.insert(marker.to_string(), (schema.map(str::to_owned), name.to_owned()));
        Mapped { sql: quote!(sql_types::#marker), rust: quote!(::avenire_values::Opaque) }
    }

    /// The module `sql_types`.
    pub(crate) fn module(&mut self) -> TokenStream {
        let block = self.block;
        let mut markers = Vec::new();
        let mut own = false;
        for item in &block.items {
            match item {
                Item::Enum(item) => markers.push(self.declare_own(&item.name)),
                Item::Composite(item) => markers.push(self.declare_own(&item.name)),
                Item::Domain(item) => {
                    own |= is_own(&self.of(&item.data_type).sql);
                    markers.push(self.domain(item));
                }
                _ => {}
            }
        }
        for (ident, (schema, name)) in &self.opaque {
            let ident = crate::names::word(ident);
            markers.push(declare(&ident, schema.as_deref(), name));
            markers.push(quote!(impl ::avenire_values::OpaqueType for #ident {}));
        }
        if markers.is_empty() {
            return TokenStream::new();
        }
        let import = own.then(|| {
            quote!(
                use super::sql_types;
            )
        });
        quote! {
            /// The types of Postgres that Diesel does not know by itself.
            pub mod sql_types {
                #import
                #(#markers)*
            }
        }
    }

    fn declare_own(&self, name: &ObjectName) -> TokenStream {
        declare(&self.marker(name), Some(&name.schema), &name.name)
    }

    fn domain(&mut self, domain: &Domain) -> TokenStream {
        let ident = self.marker(&domain.name);
        let text = format!("The domain `{}`, which Postgres reports as this.", domain.name);
        let Mapped { sql, .. } = self.of(&domain.data_type);
        quote! {
            #[doc = #text]
            pub type #ident = #sql;
        }
    }
}

/// Whether a type is one of the block's own, or made of one.
pub(crate) fn is_own(path: &TokenStream) -> bool {
    // The compiler breaks the lines of long streams.
    let text: String = path.to_string().split_whitespace().collect();
    text.starts_with("sql_types::") || text.contains("<sql_types::")
}

fn declare(ident: &Ident, schema: Option<&str>, name: &str) -> TokenStream {
    let text = format!("The type `{name}` of Postgres.");
    let schema = schema.map(|schema| quote!(, schema = #schema));
    quote! {
        #[doc = #text]
        #[derive(
            Debug, Clone, Copy, Default,
            ::diesel::sql_types::SqlType, ::diesel::query_builder::QueryId,
        )]
        #[diesel(postgres_type(name = #name #schema))]
        pub struct #ident;
    }
}

fn simple(name: &str, rust: TokenStream) -> Mapped {
    let name = crate::names::word(name);
    Mapped { sql: quote!(::diesel::sql_types::#name), rust }
}

/// Built-in types that Diesel knows, by what `format_type` prints.
fn builtin_type(base: &str) -> Option<Mapped> {
    let mapped = match base {
        "boolean" => simple("Bool", quote!(bool)),
        "smallint" => simple("SmallInt", quote!(i16)),
        "integer" => simple("Integer", quote!(i32)),
        "bigint" => simple("BigInt", quote!(i64)),
        "real" => simple("Float", quote!(f32)),
        "double precision" => simple("Double", quote!(f64)),
        "numeric" => simple("Numeric", quote!(::avenire_values::BigDecimal)),
        "text" | "character varying" | "character" | "bpchar" | "name" => {
            simple("Text", quote!(::std::string::String))
        }
        "bytea" => simple("Binary", quote!(::std::vec::Vec<u8>)),
        "date" => simple("Date", quote!(::avenire_values::NaiveDate)),
        "time without time zone" => simple("Time", quote!(::avenire_values::NaiveTime)),
        "timestamp without time zone" => simple("Timestamp", quote!(::avenire_values::Timestamp)),
        "timestamp with time zone" => simple("Timestamptz", quote!(::avenire_values::Timestamp)),
        "interval" => simple("Interval", quote!(::diesel::data_types::PgInterval)),
        "json" => simple("Json", quote!(::avenire_values::Json)),
        "jsonb" => simple("Jsonb", quote!(::avenire_values::Json)),
        "uuid" => simple("Uuid", quote!(::avenire_values::Uuid)),
        "inet" => simple("Inet", quote!(::avenire_values::Network)),
        "cidr" => simple("Cidr", quote!(::avenire_values::Network)),
        "macaddr" => simple("MacAddr", quote!([u8; 6])),
        "macaddr8" => simple("MacAddr8", quote!([u8; 8])),
        "money" => simple("Money", quote!(::diesel::data_types::PgMoney)),
        "oid" => simple("Oid", quote!(u32)),
        "pg_lsn" => simple("PgLsn", quote!(::diesel::data_types::PgLsn)),
        _ => return range_type(base),
    };
    Some(mapped)
}

fn range_type(base: &str) -> Option<Mapped> {
    let (name, multi) = match base.strip_suffix("multirange") {
        Some(name) => (name, true),
        None => (base.strip_suffix("range")?, false),
    };
    let timestamp = quote!(::diesel::data_types::PgTimestamp);
    let Mapped { sql, rust } = match name {
        "int4" => simple("Integer", quote!(i32)),
        "int8" => simple("BigInt", quote!(i64)),
        "num" => simple("Numeric", quote!(::avenire_values::BigDecimal)),
        "date" => simple("Date", quote!(::avenire_values::NaiveDate)),
        "ts" => simple("Timestamp", timestamp),
        "tstz" => simple("Timestamptz", timestamp),
        _ => return None,
    };
    let bounds = quote!((::core::ops::Bound<#rust>, ::core::ops::Bound<#rust>));
    Some(if multi {
        Mapped {
            sql: quote!(::diesel::sql_types::Multirange<#sql>),
            rust: quote!(::std::vec::Vec<#bounds>),
        }
    } else {
        Mapped { sql: quote!(::diesel::sql_types::Range<#sql>), rust: bounds }
    })
}
