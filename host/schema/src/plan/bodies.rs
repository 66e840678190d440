//! Whether functions of a file have to be made before what their bodies mention is there.
//! Never: orders anything; what bodies mention is in no catalog (PostgreSQL documentation, 5.14).

/// Puts off the check of bodies until they are called, to the end of the transaction.
pub(super) const UNCHECKED: &str = "set local check_function_bodies = off;\n";

/// What stands before a name.
const BEFORE: [&str; 16] = [
    "create",
    "or",
    "replace",
    "unlogged",
    "materialized",
    "recursive",
    "alter",
    "drop",
    "table",
    "view",
    "type",
    "domain",
    "sequence",
    "function",
    "procedure",
    "aggregate",
];

/// Whether the body of a function among the statements mentions what another of them makes or
/// changes.
pub(super) fn mention_others(statements: &[&str]) -> bool {
    let is_function = |sql: &str| {
        let mut words = sql.split_whitespace().take(4);
        words.any(|word| ["function", "procedure"].contains(&word)) && sql.starts_with("create")
    };
    let functions = statements.iter().enumerate().filter(|(_, sql)| is_function(sql));
    let names: Vec<(usize, String)> =
        statements.iter().enumerate().filter_map(|(at, sql)| Some((at, name(sql)?))).collect();
    functions.into_iter().any(|(this, function)| {
        let words: Vec<&str> = function.split(|c: char| !is_of_name(c)).collect();
        names.iter().any(|(at, name)| *at != this && words.contains(&&**name))
    })
}

/// The name of what a statement makes or changes, without its schema and quotes.
fn name(sql: &str) -> Option<String> {
    let line = sql.lines().next()?;
    let kinds = ["create ", "alter table ", "alter type ", "alter domain ", "alter view "];
    kinds.iter().any(|kind| line.starts_with(kind)).then_some(())?;
    let word = line.split_whitespace().find(|word| !BEFORE.contains(word))?;
    // An index, a trigger, a policy is mentioned by nothing.
    if ["index", "unique", "trigger", "constraint", "policy", "statistics", "extension", "schema"]
        .contains(&word)
    {
        return None;
    }
    let path = word.split('(').next()?;
    let name = path.rsplit('.').next()?.trim_matches(|c: char| !is_of_name(c));
    (!name.is_empty()).then(|| name.to_owned())
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_made_beside_a_function_counts() {
        let function = "create or replace function public.f(a integer)\n returns bigint\n \
                        language sql\nas $function$select count(*) from \"Chat\"$function$";
        assert!(mention_others(&[function, "create table \"Chat\" (\n    id bigint\n)"]));
        assert!(mention_others(&["alter table app.\"Chat\"\n    add column a text", function]));
        assert!(!mention_others(&[function]));
        assert!(!mention_others(&[function, "create table chats (\n    id bigint\n)"]));
        assert!(!mention_others(&[function, "create index count on chats (id)"]));
        let trigger = "create trigger f before insert on chats for each row execute function f()";
        assert!(!mention_others(&[function, trigger]));
        let other = "create or replace procedure g()\n language sql\nas $$select f(1)$$";
        assert!(mention_others(&[function, other]));
    }
}
