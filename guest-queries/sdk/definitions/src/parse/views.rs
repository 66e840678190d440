//! Views and materialized views.

use syn::parse::ParseStream;

use super::columns::{column, peek_column};
use super::index::{index, settle_keys};
use super::input::{after, docs, eat, entries, name, object_name, once, options, string};
use super::locate;
use super::policy::trigger;
use super::tables::NEXT;
use crate::syntax::View;

/// What follows the words `view` or `materialized view`.
pub(super) fn view(input: ParseStream<'_>, mut view: View) -> syn::Result<View> {
    view.at = locate::at(input.span());
    view.name = object_name(input)?;
    view.row = after(input, &["as"], name)?;
    let mut query = None;
    let brace = entries(input, NEXT, |body| entry(body, &mut view, &mut query))?;
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
