//! SQL text as Postgres prints it, made a little easier to read, and small pieces of SQL.

use crate::catalog::QName;
use crate::catalog::name::{literal, quoted};

/// The same with its keywords in lower case. What Postgres prints has identifiers in upper case
/// only in quotes, so that a word in capitals is a keyword.
pub(super) fn lowered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '\'' => quoted_length(rest, '\'', out.ends_with(['E', 'e'])),
            '"' => quoted_length(rest, '"', false),
            '$' => dollar_length(rest).unwrap_or(1),
            _ if next.is_alphabetic() || next == '_' => {
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let word = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
                let keyword = !word.chars().any(char::is_lowercase) && !text_follows(rest, word);
                if keyword {
                    out.push_str(&word.to_ascii_lowercase());
                    rest = rest.get(word.len()..).unwrap_or_default();
                    continue;
                }
                word.len()
            }
            _ => next.len_utf8(),
        };
        out.push_str(rest.get(..length).unwrap_or(rest));
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Whether the word is the prefix of a string, as in `E'…'`.
fn text_follows(rest: &str, word: &str) -> bool {
    word.len() == 1 && rest.get(1..).is_some_and(|after| after.starts_with('\''))
}

/// The length of what stands between quotes, including them; a doubled quote is one of the text.
fn quoted_length(rest: &str, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    rest.len()
}

/// The length of a dollar-quoted text, when this is the beginning of one.
fn dollar_length(rest: &str) -> Option<usize> {
    let end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..end)?;
    let name = tag.trim_matches('$');
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_')
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    Some(end + rest.get(end..)?.find(tag)? + tag.len())
}

/// `comment on … is …`
pub(super) fn comment(words: &str, comment: Option<&String>) -> String {
    let text = comment.map_or_else(|| "null".to_owned(), |text| literal(text));
    format!("comment on {words} is {text}")
}

/// `alter table t` with one or several clauses, each on a line of its own when there are several.
pub(super) fn alter_table(table: &QName, clauses: &[String]) -> String {
    match clauses {
        [one] => format!("alter table {} {one}", table.sql()),
        several => format!("alter table {}\n    {}", table.sql(), several.join(",\n    ")),
    }
}

/// Names in parentheses' content.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A name made of others that no object has: shortened to what Postgres keeps (63 bytes,
/// `NAMEDATALEN`), with a number when it is taken.
pub(super) fn free_name(parts: &[&str], suffix: &str, taken: impl Fn(&str) -> bool) -> String {
    let whole = parts.join("_");
    for number in 0_u32.. {
        let suffix = if number == 0 { suffix.to_owned() } else { format!("{suffix}{number}") };
        let mut end = whole.len().min(63_usize.saturating_sub(suffix.len()));
        while !whole.is_char_boundary(end) {
            end -= 1;
        }
        let name = format!("{}{suffix}", whole.get(..end).unwrap_or_default());
        if !taken(&name) {
            return name;
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keywords_become_lower_case() {
        let sql = r#"CHECK ((a = 'IT''S' OR "B" IS NOT NULL) AND E'\'X' <> $f$ NOT $f$ OR c = $1)"#;
        let expected =
            r#"check ((a = 'IT''S' or "B" is not null) and E'\'X' <> $f$ NOT $f$ or c = $1)"#;
        assert_eq!(lowered(sql), expected);
        assert_eq!(lowered("USING btree (x DESC NULLS LAST)"), "using btree (x desc nulls last)");
    }

    #[test]
    fn unfinished_text_ends_where_it_ends() {
        for sql in ["'abc", "\"abc", "$a$ b", "$", "é'"] {
            assert_eq!(lowered(sql), sql);
        }
    }

    #[test]
    fn a_made_up_name_is_short_and_free() {
        let long = "ü".repeat(40);
        let name = free_name(&[&long], "_old", |_| false);
        assert!(name.len() <= 63 && name.ends_with("_old"), "{name}");
        assert_eq!(free_name(&["a"], "_old", |name| name == "a_old"), "a_old1");
    }
}
