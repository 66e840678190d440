//! Policies and triggers.

use syn::Token;
use syn::parse::ParseStream;

use super::input::{after, eat, name, string};
use crate::syntax::{Fires, Policy, PolicyCommand, Trigger};

/// A policy, if one comes next.
pub(super) fn policy(
    input: ParseStream<'_>,
    docs: &mut Vec<String>,
) -> syn::Result<Option<Policy>> {
    if !eat(input, &["policy"])? {
        return Ok(None);
    }
    let mut policy = Policy { docs: std::mem::take(docs), name: name(input)?, ..Policy::default() };
    while !input.is_empty() && !input.peek(Token![,]) {
        clause(input, &mut policy)?;
    }
    Ok(Some(policy))
}

fn clause(input: ParseStream<'_>, policy: &mut Policy) -> syn::Result<()> {
    if eat(input, &["restrictive"])? {
        policy.restrictive = true;
    } else if eat(input, &["permissive"])? {
        policy.restrictive = false;
    } else if eat(input, &["for"])? {
        policy.command = command(input)?;
    } else if eat(input, &["to"])? {
        policy.roles = if input.peek(syn::token::Paren) {
            super::input::names(input)?
        } else {
            vec![name(input)?]
        };
    } else if eat(input, &["using"])? {
        policy.using = Some(string(input)?);
    } else if eat(input, &["with", "check"])? {
        policy.check = Some(string(input)?);
    } else if eat(input, &["comment"])? {
        policy.comment = Some(string(input)?);
    } else {
        return Err(input.error(
            "expected `,` or one of `restrictive`, `for …`, `to …`, `using \"…\"`, \
             `with check \"…\"`, `comment \"…\"`",
        ));
    }
    Ok(())
}

fn command(input: ParseStream<'_>) -> syn::Result<PolicyCommand> {
    for (word, command) in [
        ("all", PolicyCommand::All),
        ("select", PolicyCommand::Select),
        ("insert", PolicyCommand::Insert),
        ("update", PolicyCommand::Update),
        ("delete", PolicyCommand::Delete),
    ] {
        if eat(input, &[word])? {
            return Ok(command);
        }
    }
    Err(input.error("expected `all`, `select`, `insert`, `update` or `delete`"))
}

/// A trigger, if one comes next.
pub(super) fn trigger(
    input: ParseStream<'_>,
    docs: &mut Vec<String>,
) -> syn::Result<Option<Trigger>> {
    if !eat(input, &["trigger"])? {
        return Ok(None);
    }
    let name = name(input)?;
    let definition = string(input)?;
    let fires = if eat(input, &["disabled"])? {
        Fires::Disabled
    } else if eat(input, &["replica"])? {
        Fires::Replica
    } else if eat(input, &["always"])? {
        Fires::Always
    } else {
        Fires::Origin
    };
    let comment = after(input, &["comment"], string)?;
    Ok(Some(Trigger { docs: std::mem::take(docs), name, definition, fires, comment }))
}
