//! Our own rules about single statements, and about the comments that allow.
//! Never: anything that the linter's rules say already.

use squawk_syntax::ast;
use strsim::jaro_winkler;

use super::comments::Allowed;
use super::linter::Breach;
use super::rules;
use super::statement::Statement;

/// The breaches of all statements.
pub(super) fn breaches(statements: &[Statement]) -> Vec<Breach> {
    statements.iter().flat_map(|one| [rows(one), cascade(one)]).flatten().collect()
}

fn rows(statement: &Statement) -> Option<Breach> {
    let at = statement.start;
    match &statement.syntax {
        ast::Stmt::Truncate(_) => {
            let message = "all rows are deleted".into();
            Breach::of("truncate", at, message, "say before the statement why they can go")
        }
        ast::Stmt::Delete(delete) if delete.where_clause_or_current_of().is_none() => {
            let message = "`delete` without `where` deletes all rows".into();
            Breach::of("delete-without-where", at, message, "add a condition")
        }
        ast::Stmt::Update(update) if update.where_clause_or_current_of().is_none() => {
            let message = "`update` without `where` overwrites all rows and locks them until the \
                           migration has ended"
                .into();
            let help = "add a condition, and work in batches where there are many rows";
            Breach::of("update-without-where", at, message, help)
        }
        _ => None,
    }
}

fn cascade(statement: &Statement) -> Option<Breach> {
    let drops = statement.begins(&["drop"])
        || (statement.begins(&["alter", "table"]) && statement.has("drop"));
    // `on delete cascade` belongs to foreign keys.
    let cascades = statement.words.iter().enumerate().any(|(at, word)| {
        let before = |back: usize| {
            at.checked_sub(back).and_then(|at| statement.words.get(at)).map(|word| &*word.text)
        };
        word.text == "cascade"
            && !(before(2) == Some("on") && matches!(before(1), Some("delete" | "update")))
    });
    if !drops || !cascades {
        return None;
    }
    let message = "`cascade` drops whatever depends on it, also what nobody thought of".into();
    Breach::of("drop-cascade", statement.start, message, "drop what depends on it by name")
}

/// What is wrong with a comment that allows something.
pub(super) fn wrong_allow(allowed: &Allowed, used: bool) -> Option<Breach> {
    let Allowed { at, rule, table, has_reason } = allowed;
    if rules::named(rule).is_none() {
        let all = rules::rules();
        let scored = all.iter().map(|known| (jaro_winkler(rule, known.name), known.name));
        let nearest = scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or("", |(_, name)| name);
        let message = format!("there is no rule `{rule}`");
        let help = format!("the nearest is `{nearest}`");
        return Breach::of("allow-of-unknown-rule", *at, message, &help);
    }
    if !has_reason {
        let message = format!("the comment does not say why `{rule}` is allowed");
        let help = "write `because` and the reason behind the rule";
        return Breach::of("allow-without-reason", *at, message, help);
    }
    let is_of_catalogs = rules::is_of_catalogs(rule);
    if used || (table.is_some() && is_of_catalogs) {
        return None;
    }
    if table.is_some() || is_of_catalogs {
        let (message, help) = if is_of_catalogs {
            (format!("`{rule}` is about tables, and none is named"), "write `on TABLE` behind it")
        } else {
            let help = "write the comment without `on TABLE` before the statement that it is about";
            (format!("`{rule}` is about statements, not about tables"), help)
        };
        return Breach::of("unused-allow", *at, message, help);
    }
    let message = format!("the statement does not break `{rule}`");
    Breach::of("unused-allow", *at, message, "remove the comment")
}
