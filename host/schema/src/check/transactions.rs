//! Rules about what may share a transaction.
//! Never: runs anything to find out.

use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{self, AstNode as _};

use super::linter::Breach;
use super::statement::Statement;
use crate::migrations::may_be_repeated;

const HEADER: &str =
    "move it to a file of its own whose first line is `-- avenire: no-transaction`";

/// The breaches of a file that runs in one transaction, or in none.
pub(super) fn breaches(statements: &[Statement], in_transaction: bool) -> Vec<Breach> {
    if in_transaction {
        let refused = statements.iter().filter(|one| is_refused(one)).filter_map(|one| {
            let message = "Postgres does not allow the statement in a transaction".into();
            Breach::of("needs-no-transaction", one.start, message, HEADER)
        });
        refused.chain(values_used(statements)).collect()
    } else {
        let once = |one: &Statement| !may_be_repeated(&one.syntax.syntax().text().to_string());
        let second = statements.get(1).filter(|_| statements.iter().any(once));
        let breach = second.and_then(|one| {
            let message = "when this statement fails, those before it have happened".into();
            let help = "keep a file without a transaction to one statement, or to statements that \
                        may be repeated, as `if exists` and `if not exists` make them";
            Breach::of("several-statements-without-transaction", one.start, message, help)
        });
        breach.into_iter().collect()
    }
}

/// The statements whose reference page in the PostgreSQL documentation (part VI) says that they
/// cannot run in a transaction block.
fn is_refused(statement: &Statement) -> bool {
    let begins = |words: &[&str]| statement.begins(words);
    let concurrently = statement.has("concurrently");
    let index = begins(&["create", "index"])
        || begins(&["create", "unique", "index"])
        || begins(&["drop", "index"])
        || begins(&["reindex"]);
    let all = ["database", "schema", "system"];
    (index && concurrently)
        || (begins(&["reindex"]) && statement.words.iter().any(|word| all.contains(&&*word.text)))
        || begins(&["vacuum"])
        || (begins(&["cluster"])
            && statement.words.iter().filter(|word| word.text != ";").count() == 1)
        || begins(&["create", "database"])
        || begins(&["drop", "database"])
        || (begins(&["alter", "database"]) && statement.has("tablespace"))
        || begins(&["create", "tablespace"])
        || begins(&["drop", "tablespace"])
        || begins(&["alter", "system"])
        || begins(&["create", "subscription"])
        || begins(&["drop", "subscription"])
        || begins(&["discard", "all"])
        || (begins(&["alter", "table"]) && statement.has("detach") && concurrently)
}

/// A value that `alter type … add value` adds cannot be used before the transaction has ended
/// (PostgreSQL documentation, "ALTER TYPE", Notes), unless the type is as new.
fn values_used(statements: &[Statement]) -> Vec<Breach> {
    let mut found = Vec::new();
    for (number, adding) in statements.iter().enumerate() {
        let Some((of, value)) = added_value(adding) else { continue };
        let is_new = statements.iter().take(number).any(|one| {
            one.begins(&["create", "type"]) && one.words.iter().any(|word| word.text == of)
        });
        if is_new {
            continue;
        }
        let uses = |one: &&Statement| {
            let literal = |word: &super::statement::Word| {
                word.kind == SyntaxKind::STRING && word.text == value
            };
            one.words.iter().any(literal)
        };
        if let Some(used) = statements.iter().skip(number + 1).find(uses) {
            let message =
                "the value was added to its type in the same transaction, and can not be \
                           used before that has ended"
                    .into();
            let help = "move the statement to the next migration";
            found.extend(Breach::of("enum-value-used-at-once", used.start, message, help));
        }
    }
    found
}

/// The last part of the type's name, and the value with its quotes.
fn added_value(statement: &Statement) -> Option<(&str, &str)> {
    let ast::Stmt::AlterType(_) = &statement.syntax else { return None };
    let add = statement.words.windows(2).position(
        |pair| matches!(pair, [add, value] if add.text == "add" && value.text == "value"),
    )?;
    let of = statement.words.get(add.checked_sub(1)?)?;
    let mut rest = statement.words.iter().skip(add);
    let value = rest.find(|word| word.kind == SyntaxKind::STRING)?;
    Some((&of.text, &value.text))
}
