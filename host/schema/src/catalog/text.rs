//! Takes apart expressions and definitions as Postgres prints them: quoted names, strings in which
//! quotes are doubled, brackets. Never: understands what they mean.

/// Without the pair of parentheses around all of it, if there is one.
pub(crate) fn unwrapped(text: &str) -> String {
    let text = text.trim();
    match closing(text) {
        Some(end) if end + 1 == text.len() => text.get(1..end).unwrap_or(text).trim().to_owned(),
        _ => text.to_owned(),
    }
}

/// What is inside of the parentheses that `text` begins with, and what follows them.
pub(crate) fn bracketed(text: &str) -> Option<(&str, &str)> {
    let end = closing(text)?;
    Some((text.get(1..end)?, text.get(end + 1..)?))
}

/// The items of a list: what commas separate that are in no quotes or brackets.
pub(crate) fn items(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut depth = 0_usize;
    for (at, sign) in signs(list) {
        match sign {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(list.get(begin..at).unwrap_or_default().trim().to_owned());
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.push(list.get(begin..).unwrap_or_default().trim().to_owned());
    found
}

/// Where the parenthesis is closed that `text` begins with.
fn closing(text: &str) -> Option<usize> {
    if !text.starts_with('(') {
        return None;
    }
    let mut depth = 0_usize;
    for (at, sign) in signs(text) {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The characters that are in no quotes. A doubled quote ends and begins again, which comes to the
/// same; a backslash quotes nothing, since Postgres doubles the quote also in `E'…'`.
fn signs(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut within = None;
    text.char_indices().filter(move |(_, sign)| {
        if let Some(quote) = within {
            if *sign == quote {
                within = None;
            }
            return false;
        }
        if matches!(sign, '\'' | '"') {
            within = Some(*sign);
        }
        within.is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parentheses_around_everything_are_taken_away() {
        assert_eq!(unwrapped("(a > 0)"), "a > 0");
        assert_eq!(unwrapped("(a > 0) AND (b > 0)"), "(a > 0) AND (b > 0)");
        assert_eq!(unwrapped("f(a)"), "f(a)");
        assert_eq!(unwrapped("(a = ')'::text)"), "a = ')'::text");
        assert_eq!(unwrapped("(\"a)\" = 'it''s)')"), "\"a)\" = 'it''s)'");
        assert_eq!(unwrapped("(ä = E'\\\\')"), "ä = E'\\\\'");
        assert_eq!(unwrapped("(a"), "(a");
    }

    #[test]
    fn a_list_is_split_at_its_own_commas_only() {
        let list = r#"a, lower(b || ','::text) COLLATE "C", ((c)[1, 2]) DESC, "d,""" int4_ops"#;
        let parts = items(list);
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[1], r#"lower(b || ','::text) COLLATE "C""#);
        assert_eq!(parts[3], r#""d,""" int4_ops"#);
    }

    #[test]
    fn what_follows_brackets_is_kept() {
        assert_eq!(bracketed("(a, (b)) WHERE (c)"), Some(("a, (b)", " WHERE (c)")));
        assert_eq!(bracketed("a (b)"), None);
    }
}
