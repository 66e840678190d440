//! Types and the options of sequences.

use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, bracketed, ext::IdentExt as _, token};

use super::input::{eat, integer, list, name, reference, string};
use super::locate;
use crate::syntax::{SequenceOptions, Type, TypeName};

/// `text`, `numeric(10, 2)`, `auth.mood[]`, `"interval day to second"`.
pub(super) fn data_type(input: ParseStream<'_>) -> syn::Result<Type> {
    let at = locate::at(input.span());
    let lone_string = input.peek(LitStr) && !input.peek2(Token![.]);
    if lone_string {
        return Ok(Type { at, ..Type::sql(string(input)?) });
    }
    let name = if input.peek(Ident::peek_any) || input.peek(LitStr) {
        let name = reference(input)?;
        TypeName::Plain { schema: name.schema, name: name.name }
    } else {
        return Err(input.error("expected a type, such as `text` or \"interval day to second\""));
    };
    let mut read = Type { at, ..Type::of(name) };
    if input.peek(token::Paren) {
        read.modifiers = list(input, modifier)?;
    }
    if input.peek(Token![?]) && input.peek2(token::Bracket) {
        input.parse::<Token![?]>()?;
        read.nullable_elements = true;
    }
    while input.peek(token::Bracket) {
        let inside;
        bracketed!(inside in input);
        if !inside.is_empty() {
            return Err(inside.error("Postgres does not keep the length of arrays: write `[]`"));
        }
        read.dimensions += 1;
    }
    Ok(read)
}

fn modifier(input: ParseStream<'_>) -> syn::Result<String> {
    if input.peek(Ident::peek_any) {
        return Ok(name(input)?.text);
    }
    integer(input).map(|number| number.to_string())
}

/// `as bigint start 1 increment 1 minvalue 1 maxvalue 9 cache 1 cycle`, in any order.
pub(super) fn sequence_options(input: ParseStream<'_>) -> syn::Result<SequenceOptions> {
    let mut options = SequenceOptions::default();
    while sequence_option(input, &mut options)? {
        // Between parentheses commas are allowed, as people write lists so.
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(options)
}

fn sequence_option(input: ParseStream<'_>, options: &mut SequenceOptions) -> syn::Result<bool> {
    if eat(input, &["as"])? {
        options.data_type = Some(name(input)?.text);
    } else if eat(input, &["start"])? {
        options.start = Some(integer(input)?);
    } else if eat(input, &["increment"])? {
        options.increment = Some(integer(input)?);
    } else if eat(input, &["minvalue"])? {
        options.minimum = Some(integer(input)?);
    } else if eat(input, &["maxvalue"])? {
        options.maximum = Some(integer(input)?);
    } else if eat(input, &["cache"])? {
        options.cache = Some(integer(input)?);
    } else if eat(input, &["cycle"])? {
        options.cycle = true;
    } else {
        return Ok(false);
    }
    Ok(true)
}
