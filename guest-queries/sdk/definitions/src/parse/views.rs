//! Views and materialized views.

use syn::parse::ParseStream;
use syn::{Token, braced};

use super::columns::{column, peek_column};
use super::index::{index, settle_keys};
use super::input::{docs, eat, name, object_name, once, options, string};
use super::locate;
use super::policy::trigger;
use crate::syntax::View;

/// What follows the words `view` or `materialized view`.
pub(super) fn view(input: ParseStream<'_>, mut view: View) -> syn::Result<View> {
    view.at = locate::at(input.span());
    view.name = object_name(input)?;
    if eat(input, &["as"])? {
        view.row = Some(name(input)?);
    }
    let body;
    let brace = braced!(body in input);
    let mut query = None;
    while !body.is_empty() {
        entry(&body, &mut view, &mut query)?;
        if !body.is_empty() && body.parse::<Option<Token![,]>>()?.is_none() {
            return Err(body.error("expected `,` and the next column or clause"));
        }
    }
    view.query = query.ok_or_else(|| {
        syn::Error::new(brace.span.close(), "a view needs its query: `query \"select …\"`")
    })?;
    let View { columns, indexes, .. } = &mut view;
    settle_keys(indexes, columns);
    Ok(view)
}

fn entry(input: ParseStream<'_>, view: &mut View, query: &mut Option<String>) -> syn::Result<()> {
    let at = input.span();
    let mut docs = docs(input)?;
    if peek_column(input) {
        view.columns.push(column(input, docs)?);
    } else if let Some(index) = index(input, &mut docs)? {
        view.indexes.push(index);
    } else if let Some(trigger) = trigger(input, &mut docs)? {
        view.triggers.push(trigger);
    } else if eat(input, &["query"])? {
        once(query, string(input)?, at)?;
    } else if eat(input, &["with"])? {
        view.options = options(input)?;
    } else if eat(input, &["comment"])? {
        once(&mut view.comment, string(input)?, at)?;
    } else {
        return Err(input.error(
            "expected a column (`name: type`) or one of `query`, `index`, `unique index`, \
             `trigger`, `with`, `comment`",
        ));
    }
    Ok(())
}
