//! What stands at the top level of a block.

use syn::parse::ParseStream;
use syn::{LitStr, Token, ext::IdentExt as _};

use super::columns::column;
use super::input::{
    after, attributes, docs, eat, entries, expect, expression, label, list, name, object_name,
    once, peek, reference, string, unexpected,
};
use super::tables::table;
use super::types::{data_type, sequence_options};
use super::views::view;
use crate::syntax::{
    Composite, Domain, DomainCheck, Enum, EnumValue, Extension, Item, Object, ObjectName, Schema,
    Sequence, Table, Use, UseKind, View,
};

/// `use [type] path [as name];`
pub(super) fn use_item(input: ParseStream<'_>) -> syn::Result<Use> {
    input.parse::<Token![use]>()?;
    let kind = if eat(input, &["type"])? { UseKind::Type } else { UseKind::Table };
    let mut path = input.call(syn::Ident::parse_any)?.to_string();
    let mut last = path.clone();
    while input.parse::<Option<Token![::]>>()?.is_some() {
        last = input.call(syn::Ident::parse_any)?.to_string();
        path = format!("{path}::{last}");
    }
    let name = if eat(input, &["as"])? {
        object_name(input)?
    } else {
        let name = if kind == UseKind::Type { crate::rust::snake_case(&last) } else { last };
        ObjectName::new("public", name)
    };
    input.parse::<Token![;]>()?;
    Ok(Use { path, name, kind })
}

/// How items begin.
const ITEMS: &[&str] = &[
    "table",
    "unlogged",
    "materialized",
    "view",
    "enum",
    "type",
    "domain",
    "sequence",
    "schema",
    "extension",
    "object",
    "use",
];

/// Anything but `use`.
pub(super) fn item(input: ParseStream<'_>) -> syn::Result<Item> {
    let at = input.span();
    let (docs, attributes) = attributes(input)?;
    let with_attributes = !attributes.is_empty();
    let item = if eat(input, &["unlogged", "table"])? {
        let start = Table { docs, attributes, unlogged: true, ..Table::default() };
        return table(input, start).map(Box::new).map(Item::Table);
    } else if eat(input, &["table"])? {
        let start = Table { docs, attributes, ..Table::default() };
        return table(input, start).map(Box::new).map(Item::Table);
    } else if eat(input, &["materialized", "view"])? {
        let start = View { docs, attributes, materialized: true, ..View::default() };
        return view(input, start).map(Item::View);
    } else if eat(input, &["view"])? {
        return view(input, View { docs, attributes, ..View::default() }).map(Item::View);
    } else if eat(input, &["enum"])? {
        Item::Enum(enumeration(input, docs)?)
    } else if eat(input, &["type"])? {
        Item::Composite(composite(input, docs)?)
    } else if eat(input, &["domain"])? {
        Item::Domain(domain(input, docs)?)
    } else if eat(input, &["unlogged", "sequence"])? {
        Item::Sequence(Sequence { unlogged: true, ..sequence(input, docs)? })
    } else if eat(input, &["sequence"])? {
        Item::Sequence(sequence(input, docs)?)
    } else if eat(input, &["schema"])? {
        Item::Schema(schema(input, docs)?)
    } else if eat(input, &["extension"])? {
        Item::Extension(extension(input, docs)?)
    } else if eat(input, &["object"])? {
        Item::Object(object(input, docs)?)
    } else {
        return Err(unexpected(
            input,
            "expected one of `table`, `view`, `materialized view`, `enum`, `type`, `domain`, \
             `sequence`, `schema`, `extension`, `object`, `use`",
            ITEMS,
        ));
    };
    if with_attributes {
        return Err(syn::Error::new(at, "only tables and views can have attributes"));
    }
    Ok(item)
}

fn schema(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Schema> {
    let name = name(input)?;
    let comment = after(input, &["comment"], string)?;
    input.parse::<Token![;]>()?;
    Ok(Schema { docs, name, comment })
}

fn extension(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Extension> {
    let mut extension = Extension { docs, name: name(input)?, ..Extension::default() };
    extension.schema = after(input, &["schema"], name)?;
    extension.version = after(input, &["version"], string)?;
    input.parse::<Token![;]>()?;
    Ok(extension)
}

fn enumeration(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Enum> {
    let mut made = Enum { docs, name: object_name(input)?, ..Enum::default() };
    made.rust = after(input, &["as"], name)?;
    made.values = members(input, &mut made.comment, |body, docs| {
        Ok(EnumValue { docs, name: label(body)?, rust: after(body, &["as"], name)? })
    })?;
    Ok(made)
}

fn composite(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Composite> {
    let mut made = Composite { docs, name: object_name(input)?, ..Composite::default() };
    made.rust = after(input, &["as"], name)?;
    made.attributes = members(input, &mut made.comment, column)?;
    Ok(made)
}

/// `{ member, …, comment "…" }`: what a type has. A member may be called `comment`.
fn members<T>(
    input: ParseStream<'_>,
    comment: &mut Option<String>,
    member: impl Fn(ParseStream<'_>, Vec<String>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    let mut members = Vec::new();
    entries(input, "", |body| {
        let at = body.span();
        let docs = docs(body)?;
        if peek(body, &["comment"]) && body.peek2(LitStr) {
            expect(body, &["comment"])?;
            return once(comment, string(body)?, at);
        }
        members.push(member(body, docs)?);
        Ok(())
    })?;
    Ok(members)
}

/// `domain name: type [collate …] [not null] [= "…"] [check [name] "…"] … [comment "…"];`
fn domain(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Domain> {
    let name = object_name(input)?;
    input.parse::<Token![:]>()?;
    let data_type = data_type(input)?;
    let mut domain = Domain {
        docs,
        name,
        data_type,
        collation: None,
        not_null: false,
        default: None,
        checks: Vec::new(),
        comment: None,
    };
    while input.parse::<Option<Token![;]>>()?.is_none() {
        let at = input.span();
        if input.parse::<Option<Token![=]>>()?.is_some() {
            once(&mut domain.default, expression(input)?, at)?;
        } else if eat(input, &["collate"])? {
            once(&mut domain.collation, reference(input)?, at)?;
        } else if eat(input, &["not", "null"])? {
            domain.not_null = true;
        } else if eat(input, &["check"])? {
            let unnamed = input.peek(LitStr) && !input.peek2(LitStr);
            let name = if unnamed { None } else { Some(super::input::name(input)?) };
            domain.checks.push(DomainCheck { name, expression: string(input)? });
        } else if eat(input, &["comment"])? {
            once(&mut domain.comment, string(input)?, at)?;
        } else {
            return Err(unexpected(
                input,
                "expected `;` or one of `collate …`, `not null`, `= …`, `check \"…\"`, \
                 `comment \"…\"`",
                &["collate", "not", "check", "comment"],
            ));
        }
    }
    Ok(domain)
}

/// `sequence name [options] [owned by table (column)] [comment "…"];`
fn sequence(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Sequence> {
    let mut sequence = Sequence { docs, name: object_name(input)?, ..Sequence::default() };
    sequence.options = sequence_options(input)?;
    if eat(input, &["owned", "by"])? {
        let owner = object_name(input)?;
        let column = list(input, name)?;
        let [column] = <[_; 1]>::try_from(column)
            .map_err(|_| input.error("a sequence is owned by one column"))?;
        sequence.owned_by = Some((owner, column));
    }
    sequence.comment = after(input, &["comment"], string)?;
    if input.parse::<Option<Token![;]>>()?.is_none() {
        return Err(input.error(
            "expected `;` or one of `as …`, `start …`, `increment …`, `minvalue …`, `maxvalue …`, \
             `cache …`, `cycle`, then `owned by table (column)`, then `comment \"…\"`",
        ));
    }
    Ok(sequence)
}

/// `object name [depends on (…)] { create "…", drop "…" }`
fn object(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Object> {
    let mut made = Object { docs, name: name(input)?, ..Object::default() };
    if eat(input, &["depends", "on"])? {
        made.depends_on = list(input, object_name)?;
    }
    let brace = entries(input, "", |body| {
        let at = body.span();
        // Documentation of a statement is for readers of the source only.
        super::input::docs(body)?;
        if eat(body, &["create"])? {
            made.create.push(string(body)?);
        } else if eat(body, &["drop"])? {
            once(&mut made.drop, string(body)?, at)?;
        } else {
            return Err(body.error("expected `create \"…\"` or `drop \"…\"`"));
        }
        Ok(())
    })?;
    if made.create.is_empty() {
        let message = "an object needs the statement that makes it: `create \"…\"`";
        return Err(syn::Error::new(brace.span.close(), message));
    }
    Ok(made)
}
