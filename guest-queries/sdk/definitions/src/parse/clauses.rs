//! Constraints.

use syn::LitStr;
use syn::parse::ParseStream;

use super::input::{
    after, eat, expect, name, names, object_name, optional_name, peek, string, unexpected,
};
use super::locate;
use crate::syntax::{Action, Constraint, ConstraintKind, Deferrable, Name};

/// A constraint, if one comes next.
pub(super) fn constraint(
    input: ParseStream<'_>,
    docs: &mut Vec<String>,
) -> syn::Result<Option<Constraint>> {
    let at = locate::at(input.span());
    let (name, kind) = if peek(input, &["unique", "index"]) {
        return Ok(None);
    } else if eat(input, &["primary", "key"])? {
        (optional_name(input)?, primary_key(input)?)
    } else if eat(input, &["unique"])? {
        (optional_name(input)?, unique(input)?)
    } else if eat(input, &["foreign", "key"])? {
        (optional_name(input)?, foreign_key(input)?)
    } else if eat(input, &["check"])? {
        (name_before_string(input)?, check(input)?)
    } else if eat(input, &["exclude"])? {
        (name_before_string(input)?, ConstraintKind::Exclude(string(input)?))
    } else if eat(input, &["constraint"])? {
        (Some(name(input)?), ConstraintKind::Sql(string(input)?))
    } else {
        return Ok(None);
    };
    let deferrable = deferrable(input)?;
    let comment = after(input, &["comment"], string)?;
    Ok(Some(Constraint { docs: std::mem::take(docs), name, kind, deferrable, comment, at }))
}

/// A name, or none when the string that follows is the only one.
fn name_before_string(input: ParseStream<'_>) -> syn::Result<Option<Name>> {
    match (input.peek(LitStr), input.peek2(LitStr)) {
        (true, false) => Ok(None),
        (_, true) => name(input).map(Some),
        (false, false) => Err(input.error("expected SQL in a string, such as check \"id > 0\"")),
    }
}

fn include(input: ParseStream<'_>) -> syn::Result<Vec<Name>> {
    Ok(after(input, &["include"], names)?.unwrap_or_default())
}

fn primary_key(input: ParseStream<'_>) -> syn::Result<ConstraintKind> {
    Ok(ConstraintKind::PrimaryKey { columns: names(input)?, include: include(input)? })
}

fn unique(input: ParseStream<'_>) -> syn::Result<ConstraintKind> {
    let columns = names(input)?;
    let include = include(input)?;
    let nulls_not_distinct = eat(input, &["nulls", "not", "distinct"])?;
    Ok(ConstraintKind::Unique { columns, include, nulls_not_distinct })
}

fn check(input: ParseStream<'_>) -> syn::Result<ConstraintKind> {
    let expression = string(input)?;
    Ok(ConstraintKind::Check { expression, no_inherit: eat(input, &["no", "inherit"])? })
}

fn foreign_key(input: ParseStream<'_>) -> syn::Result<ConstraintKind> {
    let columns = names(input)?;
    expect(input, &["references"])?;
    let target = object_name(input)?;
    let referenced = if input.peek(syn::token::Paren) { names(input)? } else { Vec::new() };
    let match_full = eat(input, &["match", "full"])?;
    let (mut on_delete, mut on_update) = (Action::NoAction, Action::NoAction);
    loop {
        if eat(input, &["on", "delete"])? {
            on_delete = action(input)?;
        } else if eat(input, &["on", "update"])? {
            on_update = action(input)?;
        } else {
            break;
        }
    }
    Ok(ConstraintKind::ForeignKey {
        columns,
        references: target,
        referenced,
        match_full,
        on_delete,
        on_update,
    })
}

fn action(input: ParseStream<'_>) -> syn::Result<Action> {
    let columns = |input: ParseStream<'_>| {
        if input.peek(syn::token::Paren) { names(input) } else { Ok(Vec::new()) }
    };
    if eat(input, &["no", "action"])? {
        Ok(Action::NoAction)
    } else if eat(input, &["restrict"])? {
        Ok(Action::Restrict)
    } else if eat(input, &["cascade"])? {
        Ok(Action::Cascade)
    } else if eat(input, &["set", "null"])? {
        columns(input).map(Action::SetNull)
    } else if eat(input, &["set", "default"])? {
        columns(input).map(Action::SetDefault)
    } else {
        Err(unexpected(
            input,
            "expected `no action`, `restrict`, `cascade`, `set null` or `set default`",
            &["no", "restrict", "cascade", "set"],
        ))
    }
}

fn deferrable(input: ParseStream<'_>) -> syn::Result<Deferrable> {
    if eat(input, &["not", "deferrable"])? || !eat(input, &["deferrable"])? {
        return Ok(Deferrable::No);
    }
    if eat(input, &["initially", "deferred"])? {
        return Ok(Deferrable::Deferred);
    }
    eat(input, &["initially", "immediate"])?;
    Ok(Deferrable::Immediate)
}
