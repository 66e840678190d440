//! The small words of the grammar: names, strings, keywords, lists, documentation.

use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Ident, Lit, LitInt, LitStr, Meta, Token, braced, parenthesized, token};

use super::locate;
use crate::syntax::{Name, ObjectName, Reference};

pub(super) type Input<'a> = ParseStream<'a>;

/// Whether these words come next.
pub(super) fn peek(input: Input<'_>, words: &[&str]) -> bool {
    let mut cursor = input.cursor();
    words.iter().all(|word| match cursor.ident() {
        Some((ident, rest)) => {
            cursor = rest;
            ident == *word
        }
        None => false,
    })
}

/// Takes these words if they come next.
pub(super) fn eat(input: Input<'_>, words: &[&str]) -> syn::Result<bool> {
    let there = peek(input, words);
    if there {
        for _ in words {
            input.call(Ident::parse_any)?;
        }
    }
    Ok(there)
}

/// Takes these words, which must come next.
pub(super) fn expect(input: Input<'_>, words: &[&str]) -> syn::Result<()> {
    if eat(input, words)? {
        return Ok(());
    }
    let expected = format!("expected `{}`", words.join(" "));
    Err(unexpected(input, &expected, words.get(..1).unwrap_or_default()))
}

/// What is said when none of `words` comes next, with the nearest of them when it is a slip.
pub(super) fn unexpected(input: Input<'_>, expected: &str, words: &[&str]) -> syn::Error {
    if input.peek(Token![?]) {
        return input.error("`?` stands right after a type: `name: text?`");
    }
    let Some((word, _)) = input.cursor().ident() else { return input.error(expected) };
    let word = word.to_string();
    let nearest = words
        .iter()
        .map(|other| (strsim::osa_distance(&word.to_lowercase(), other), other))
        .filter(|(distance, other)| *distance <= 2 && distance * 2 < other.len())
        .min();
    match nearest {
        Some((_, other)) => {
            input.error(format!("did you mean `{other}`, not `{word}`? {expected}"))
        }
        None => input.error(expected),
    }
}

/// Whether a name comes next: a word or a string.
pub(super) fn peek_name(input: Input<'_>) -> bool {
    input.peek(Ident::peek_any) || input.peek(LitStr)
}

/// A name: a word, or a string for what is no word in Rust.
pub(super) fn name(input: Input<'_>) -> syn::Result<Name> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let at = locate::at(text.span());
        if text.value().is_empty() {
            return Err(syn::Error::new(text.span(), "a name can not be empty"));
        }
        return Ok(Name { text: text.value(), at });
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a name: a word, or a string where it is none in Rust"));
    }
    let word = input.call(Ident::parse_any)?;
    Ok(Name { text: word.unraw().to_string(), at: locate::at(word.span()) })
}

/// A value of an enum: a name, or the empty string.
pub(super) fn label(input: Input<'_>) -> syn::Result<Name> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return Ok(Name { text: text.value(), at: locate::at(text.span()) });
    }
    name(input)
}

/// `name` or `schema.name`.
pub(super) fn object_name(input: Input<'_>) -> syn::Result<ObjectName> {
    let Reference { schema, name, at } = reference(input)?;
    Ok(ObjectName { schema: schema.unwrap_or_else(|| "public".to_owned()), name, at })
}

/// `name` or `schema.name`, where no schema means that Postgres looks for it.
pub(super) fn reference(input: Input<'_>) -> syn::Result<Reference> {
    let first = name(input)?;
    if !input.peek(Token![.]) {
        return Ok(Reference { schema: None, name: first.text, at: first.at });
    }
    input.parse::<Token![.]>()?;
    let second = name(input)?;
    Ok(Reference { schema: Some(first.text), name: second.text, at: first.at })
}

/// A name that may be left out before what must follow: a parenthesis.
pub(super) fn optional_name(input: Input<'_>) -> syn::Result<Option<Name>> {
    if peek_name(input) { name(input).map(Some) } else { Ok(None) }
}

/// A string.
pub(super) fn string(input: Input<'_>) -> syn::Result<String> {
    match input.parse::<LitStr>() {
        Ok(text) => Ok(text.value()),
        Err(error) => Err(syn::Error::new(error.span(), "expected a string literal")),
    }
}

/// An SQL expression: a string, or a number or `true` or `false` as it is.
pub(super) fn expression(input: Input<'_>) -> syn::Result<String> {
    if input.peek(LitStr) {
        return string(input);
    }
    let minus = if input.parse::<Option<Token![-]>>()?.is_some() { "-" } else { "" };
    match input.parse::<Lit>() {
        Ok(Lit::Int(number)) => Ok(format!("{minus}{number}")),
        Ok(Lit::Float(number)) => Ok(format!("{minus}{number}")),
        Ok(Lit::Bool(value)) if minus.is_empty() => Ok(value.value.to_string()),
        Ok(other) => Err(syn::Error::new(other.span(), EXPRESSION)),
        Err(error) => Err(syn::Error::new(error.span(), EXPRESSION)),
    }
}

const EXPRESSION: &str =
    "expected an SQL expression: a string such as \"now()\", a number, `true` or `false`";

/// A whole number.
pub(super) fn integer(input: Input<'_>) -> syn::Result<i64> {
    let minus = input.parse::<Option<Token![-]>>()?.is_some();
    let number: LitInt = input.parse()?;
    let digits = number.base10_digits();
    let text = if minus { format!("-{digits}") } else { digits.to_owned() };
    text.parse().map_err(|_| syn::Error::new(number.span(), "the number has more than 64 bits"))
}

/// `(item, item, …)`, at least one.
pub(super) fn list<T>(
    input: Input<'_>,
    item: impl Fn(Input<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    let mut items = vec![item(&content)?];
    while !content.is_empty() {
        content.parse::<Token![,]>()?;
        if !content.is_empty() {
            items.push(item(&content)?);
        }
    }
    Ok(items)
}

/// `{ entry, entry, … }`; `entry` takes one. `behind` goes on with what is said where a comma is
/// missing.
pub(super) fn entries(
    input: Input<'_>,
    behind: &str,
    mut entry: impl FnMut(Input<'_>) -> syn::Result<()>,
) -> syn::Result<token::Brace> {
    let body;
    let brace = braced!(body in input);
    while !body.is_empty() {
        entry(&body)?;
        if !body.is_empty() && body.parse::<Option<Token![,]>>()?.is_none() {
            return Err(body.error(format!("expected `,`{behind}")));
        }
    }
    Ok(brace)
}

/// What stands behind these words, if they come next.
pub(super) fn after<T>(
    input: Input<'_>,
    words: &[&str],
    item: impl FnOnce(Input<'_>) -> syn::Result<T>,
) -> syn::Result<Option<T>> {
    if eat(input, words)? { item(input).map(Some) } else { Ok(None) }
}

/// `(name, name, …)`
pub(super) fn names(input: Input<'_>) -> syn::Result<Vec<Name>> {
    list(input, name)
}

/// `(name = value, name, …)`; what has no value is `true`, as in SQL.
pub(super) fn options(input: Input<'_>) -> syn::Result<Vec<(String, String)>> {
    list(input, |input| {
        let mut option = name(input)?.text;
        while input.parse::<Option<Token![.]>>()?.is_some() {
            option = format!("{option}.{}", name(input)?.text);
        }
        if input.parse::<Option<Token![=]>>()?.is_none() {
            return Ok((option, "true".to_owned()));
        }
        let value =
            if input.peek(Ident::peek_any) { name(input)?.text } else { expression(input)? };
        Ok((option, value))
    })
}

/// Documentation and other attributes of what follows.
pub(super) fn attributes(input: Input<'_>) -> syn::Result<(Vec<String>, Vec<String>)> {
    let mut docs = Vec::new();
    let mut others = Vec::new();
    for attribute in input.call(Attribute::parse_outer)? {
        if let Some(text) = doc_text(&attribute) {
            docs.extend(doc_lines(&text));
        } else {
            let meta = &attribute.meta;
            others.push(quote::quote!(#meta).to_string());
        }
    }
    Ok((docs, others))
}

/// Documentation of what follows, which can not have other attributes.
pub(super) fn docs(input: Input<'_>) -> syn::Result<Vec<String>> {
    let at = input.span();
    match attributes(input)? {
        (docs, others) if others.is_empty() => Ok(docs),
        _ => Err(syn::Error::new(at, "only tables and views can have attributes")),
    }
}

/// The text of a `///` or `//!` comment.
pub(super) fn doc_text(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    if !meta.path.is_ident("doc") {
        return None;
    }
    let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = &meta.value else { return None };
    Some(text.value())
}

/// Its lines, without the space that follows the slashes.
pub(super) fn doc_lines(text: &str) -> impl Iterator<Item = String> {
    text.split('\n').map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned())
}

/// Stores what a clause says; a second clause of the kind is an error at `input`.
pub(super) fn once<T>(place: &mut Option<T>, value: T, at: proc_macro2::Span) -> syn::Result<()> {
    if place.replace(value).is_some() {
        return Err(syn::Error::new(at, "this was said already"));
    }
    Ok(())
}
