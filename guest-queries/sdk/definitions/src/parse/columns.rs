//! Columns of tables, views and composite types.

use syn::parse::ParseStream;
use syn::{LitStr, Token, ext::IdentExt as _, parenthesized};

use super::input::{eat, expect, expression, name, once, peek_name, reference, string, unexpected};
use super::types::{data_type, sequence_options};
use crate::syntax::{Column, Field, Generated, Identity, SequenceOptions};

/// Whether a column comes next: a name and a single colon.
pub(super) fn peek_column(input: ParseStream<'_>) -> bool {
    peek_name(input) && input.peek2(Token![:]) && !input.peek2(Token![::])
}

/// `name: type? as Rust = "default" …`
pub(super) fn column(input: ParseStream<'_>, docs: Vec<String>) -> syn::Result<Column> {
    let name = name(input)?;
    input.parse::<Token![:]>()?;
    let mut column = Column { docs, ..Column::new(name, data_type(input)?) };
    column.nullable = input.parse::<Option<Token![?]>>()?.is_some();
    while !input.is_empty() && !input.peek(Token![,]) {
        clause(input, &mut column)?;
    }
    Ok(column)
}

fn clause(input: ParseStream<'_>, column: &mut Column) -> syn::Result<()> {
    let at = input.span();
    if input.parse::<Option<Token![=]>>()?.is_some() {
        once(&mut column.default, expression(input)?, at)
    } else if eat(input, &["as"])? {
        let mut former = match &column.field {
            Field::Usual => None,
            _ => Some(()),
        };
        column.field = field(input)?;
        once(&mut former, (), at)
    } else if eat(input, &["collate"])? {
        once(&mut column.collation, reference(input)?, at)
    } else if eat(input, &["storage"])? {
        once(&mut column.storage, storage(input)?, at)
    } else if eat(input, &["comment"])? {
        once(&mut column.comment, string(input)?, at)
    } else if eat(input, &["generated"])? {
        generated(input, column, at)
    } else {
        Err(unexpected(
            input,
            "expected `,` or one of `= …`, `as …`, `collate …`, `generated …`, `storage …`, \
             `comment …`",
            &["as", "collate", "generated", "storage", "comment"],
        ))
    }
}

fn storage(input: ParseStream<'_>) -> syn::Result<String> {
    let word = name(input)?.text.to_lowercase();
    match word.as_str() {
        "plain" | "external" | "extended" | "main" => Ok(word),
        _ => Err(input.error("storage is one of `plain`, `external`, `extended`, `main`")),
    }
}

/// What follows `as`: a path in Rust, or `_`.
pub(super) fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    if input.parse::<Option<Token![_]>>()?.is_some() {
        return Ok(Field::Absent);
    }
    let mut path = String::new();
    if input.parse::<Option<Token![::]>>()?.is_some() {
        path.push_str("::");
    }
    loop {
        if input.peek(LitStr) {
            return Err(input.error("expected a Rust type, or `_` for no field"));
        }
        let segment = input.call(syn::Ident::parse_any)?;
        path.push_str(&segment.to_string());
        if input.parse::<Option<Token![::]>>()?.is_none() {
            break;
        }
        path.push_str("::");
    }
    if input.peek(Token![<]) {
        let arguments: syn::AngleBracketedGenericArguments = input.parse()?;
        path.push_str(&quote::quote!(#arguments).to_string().replace(' ', ""));
    }
    Ok(Field::As(path))
}

/// What follows `generated`.
fn generated(
    input: ParseStream<'_>,
    column: &mut Column,
    at: proc_macro2::Span,
) -> syn::Result<()> {
    let always = if eat(input, &["always"])? {
        true
    } else {
        expect(input, &["by", "default"])?;
        false
    };
    if always && input.peek(Token![as]) && input.peek2(LitStr) {
        expect(input, &["as"])?;
        let expression = string(input)?;
        let stored = if eat(input, &["virtual"])? {
            false
        } else {
            eat(input, &["stored"])?;
            true
        };
        return once(&mut column.generated, Generated { expression, stored }, at);
    }
    expect(input, &["as", "identity"])?;
    let sequence = if input.peek(syn::token::Paren) {
        let content;
        parenthesized!(content in input);
        let options = sequence_options(&content)?;
        if !content.is_empty() {
            return Err(content.error("expected an option of a sequence, such as `start 1`"));
        }
        options
    } else {
        SequenceOptions::default()
    };
    once(&mut column.identity, Identity { always, sequence }, at)
}
