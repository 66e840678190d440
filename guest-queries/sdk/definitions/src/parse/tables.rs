//! Tables.

use syn::Token;
use syn::parse::ParseStream;

use super::clauses::constraint;
use super::columns::{column, peek_column};
use super::index::{index, settle_keys};
use super::input::{
    after, docs, eat, entries, expect, list, name, object_name, once, options, peek, string,
    unexpected,
};
use super::policy::{policy, trigger};
use crate::syntax::{Partition, Table};

/// What is missing behind a comma in a table or view.
pub(super) const NEXT: &str = " and the next column or clause";

/// What follows the words `table` or `unlogged table`.
pub(super) fn table(input: ParseStream<'_>, mut table: Table) -> syn::Result<Table> {
    table.name = object_name(input)?;
    table.row = after(input, &["as"], name)?;
    entries(input, NEXT, |body| entry(body, &mut table))?;
    let Table { columns, indexes, .. } = &mut table;
    settle_keys(indexes, columns);
    Ok(table)
}

fn entry(input: ParseStream<'_>, table: &mut Table) -> syn::Result<()> {
    let mut docs = docs(input)?;
    if peek_column(input) {
        table.columns.push(column(input, docs)?);
    } else if let Some(constraint) = constraint(input, &mut docs)? {
        table.constraints.push(constraint);
    } else if let Some(index) = index(input, &mut docs)? {
        table.indexes.push(index);
    } else if let Some(policy) = policy(input, &mut docs)? {
        table.policies.push(policy);
    } else if let Some(trigger) = trigger(input, &mut docs)? {
        table.triggers.push(trigger);
    } else if docs.is_empty() {
        setting(input, table)?;
    } else {
        return Err(input.error("documentation must be followed by what it is about"));
    }
    Ok(())
}

/// How clauses begin.
const CLAUSES: &[&str] = &[
    "primary",
    "unique",
    "foreign",
    "check",
    "exclude",
    "constraint",
    "index",
    "policy",
    "trigger",
    "enable",
    "force",
    "partition",
    "inherits",
    "with",
    "comment",
];

fn setting(input: ParseStream<'_>, table: &mut Table) -> syn::Result<()> {
    let at = input.span();
    if eat(input, &["enable", "row", "level", "security"])? {
        table.row_security = true;
    } else if eat(input, &["force", "row", "level", "security"])? {
        table.force_row_security = true;
    } else if eat(input, &["partition", "by"])? {
        once(&mut table.partition_by, string(input)?, at)?;
    } else if peek(input, &["partition", "of"]) {
        expect(input, &["partition", "of"])?;
        let parent = object_name(input)?;
        let bound = if eat(input, &["default"])? { "default".to_owned() } else { string(input)? };
        once(&mut table.partition_of, Partition { parent, bound }, at)?;
    } else if eat(input, &["inherits"])? {
        table.inherits = list(input, object_name)?;
    } else if eat(input, &["with"])? {
        table.options = options(input)?;
    } else if eat(input, &["comment"])? {
        once(&mut table.comment, string(input)?, at)?;
    } else {
        if input.peek2(Token![?]) {
            name(input)?;
        }
        return Err(unexpected(
            input,
            "expected a column (`name: type`) or one of `primary key`, `unique`, `foreign key`, \
             `check`, `exclude`, `constraint`, `index`, `unique index`, `policy`, `trigger`, \
             `enable row level security`, `force row level security`, `partition by`, \
             `partition of`, `inherits`, `with`, `comment`",
            CLAUSES,
        ));
    }
    Ok(())
}
