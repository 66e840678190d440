//! Indexes.

use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, ext::IdentExt as _, token};

use super::input::{
    after, eat, expect, list, name, names, optional_name, options, peek, peek_name, reference,
    string,
};
use super::locate;
use crate::syntax::{Column, Index, IndexKey, KeyValue, Nulls, OperatorClass};

/// An index, if one comes next.
pub(super) fn index(input: ParseStream<'_>, docs: &mut Vec<String>) -> syn::Result<Option<Index>> {
    let at = locate::at(input.span());
    let unique = eat(input, &["unique", "index"])?;
    if !unique && !eat(input, &["index"])? {
        return Ok(None);
    }
    // Accepted for those who know it from SQL: an index on a table that is there is made so anyway.
    eat(input, &["concurrently"])?;
    let unnamed = peek(input, &["using"]);
    let name = if unnamed { None } else { optional_name(input)? };
    let method = after(input, &["using"], method)?;
    let keys = list(input, key)?;
    let mut index =
        Index { docs: std::mem::take(docs), name, unique, method, keys, at, ..Index::default() };
    while !input.is_empty() && !input.peek(Token![,]) {
        clause(input, &mut index)?;
    }
    Ok(Some(index))
}

fn method(input: ParseStream<'_>) -> syn::Result<String> {
    name(input).map(|name| name.text)
}

fn clause(input: ParseStream<'_>, index: &mut Index) -> syn::Result<()> {
    if eat(input, &["include"])? {
        index.include = names(input)?;
    } else if eat(input, &["nulls", "not", "distinct"])? {
        index.nulls_not_distinct = true;
    } else if eat(input, &["with"])? {
        index.options = options(input)?;
    } else if eat(input, &["where"])? {
        index.predicate = Some(string(input)?);
    } else if eat(input, &["comment"])? {
        index.comment = Some(string(input)?);
    } else {
        return Err(input.error(
            "expected `,` or one of `include (…)`, `nulls not distinct`, `with (…)`, \
             `where \"…\"`, `comment \"…\"`",
        ));
    }
    Ok(())
}

fn key(input: ParseStream<'_>) -> syn::Result<IndexKey> {
    let mut key = if input.peek(LitStr) {
        IndexKey::expression(string(input)?)
    } else {
        IndexKey::column(name(input)?)
    };
    if eat(input, &["collate"])? {
        key.collation = Some(reference(input)?);
    }
    if peek_name(input) && !is_order(input) {
        let name = reference(input)?;
        let parameters = if input.peek(token::Paren) { options(input)? } else { Vec::new() };
        key.class = Some(OperatorClass { name, parameters });
    }
    key.descending = eat(input, &["desc"])?;
    if !key.descending {
        eat(input, &["asc"])?;
    }
    if eat(input, &["nulls"])? {
        key.nulls = Some(if eat(input, &["first"])? {
            Nulls::First
        } else {
            expect(input, &["last"])?;
            Nulls::Last
        });
    }
    Ok(key)
}

fn is_order(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && ["asc", "desc", "nulls"].iter().any(|word| peek(input, &[word]))
}

/// Makes columns of the strings that are exactly a column's name: Rust has no word for some names.
pub(super) fn settle_keys(indexes: &mut [Index], columns: &[Column]) {
    for key in indexes.iter_mut().flat_map(|index| &mut index.keys) {
        if let KeyValue::Expression(text) = &key.value
            && let Some(column) = columns.iter().find(|column| column.name.text == *text)
        {
            key.value = KeyValue::Column(column.name.clone());
        }
    }
}
