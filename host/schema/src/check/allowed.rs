//! What comments in the migrations allow of the tables that these lead to.
//! Never: looks at the statements.

use squawk_syntax::SourceFile;

use super::comments::{ALLOW, Allowed};
use super::finding::{At, Finding};
use super::statement::{cut, trailing};
use crate::catalog::QName;
use crate::migrations::Migration;

/// The findings of [`catalog`](super::catalog) without those that a comment in one of the
/// migrations allows, wherever it stands: `-- check: allow RULE on TABLE because …`. A comment
/// without a reason allows nothing; [`files`](super::files) tells of it.
pub fn unless_allowed<'a>(
    found: Vec<Finding>,
    migrations: impl IntoIterator<Item = &'a Migration>,
) -> Vec<Finding> {
    let texts = migrations.into_iter().map(|one| one.sql.as_ref());
    let allowed: Vec<(String, String)> = texts.flat_map(allowed).collect();
    let is_allowed = |one: &Finding| match &one.at {
        At::Object { object } => {
            allowed.iter().any(|(rule, table)| *rule == one.rule && table == object)
        }
        At::File { .. } => false,
    };
    found.into_iter().filter(|one| !is_allowed(one)).collect()
}

/// Rules, and the tables for which they are silent.
fn allowed(sql: &str) -> Vec<(String, String)> {
    if !sql.contains(ALLOW) {
        return Vec::new();
    }
    let statements = cut(sql, &SourceFile::parse(sql).tree());
    let behind = trailing(sql, &statements).allowed;
    let all = statements.into_iter().flat_map(|one| one.comments.allowed).chain(behind);
    let named = |one: Allowed| {
        let table: QName = one.table.filter(|_| one.has_reason)?.parse().ok()?;
        Some((one.rule, table.to_string()))
    };
    all.filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_anywhere_allows_a_rule_for_a_table() {
        let sql = "-- check: allow missing-primary-key on log because rows are only added\n\
                   select 1;\n\
                   -- check: allow foreign-key-without-index on app.\"My Log\" because small\n\
                   -- check: allow duplicate-index on app.log\n";
        let expected = [
            ("missing-primary-key", "public.log"),
            ("foreign-key-without-index", "app.\"My Log\""),
        ];
        assert_eq!(allowed(sql), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(
            allowed("select '\n-- check: allow duplicate-index on log because no\n'").is_empty()
        );
    }
}
