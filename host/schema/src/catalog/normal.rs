//! One text for what Postgres prints in two ways. `kind in ('a', 'b')` on a `varchar` is printed
//! as `ANY ((ARRAY['a'::character varying, …])::text[])`, and that, read back, as
//! `ANY (ARRAY[('a'::character varying)::text, …])`: the cast of an array goes to its elements.
//! The first is what a catalog has.

use super::Catalog;

/// Brings all expressions of a catalog into the form they are compared in.
pub(crate) fn normalise(catalog: &mut Catalog) {
    for domain in catalog.domains.values_mut() {
        domain.checks.values_mut().for_each(|check| settle(&mut check.definition));
    }
    for table in catalog.tables.values_mut() {
        for column in &mut table.columns {
            column.default.iter_mut().for_each(settle);
            column.generated.iter_mut().for_each(|one| settle(&mut one.expression));
        }
        for constraint in table.constraints.values_mut() {
            settle(&mut constraint.definition);
            if let super::ConstraintKind::Check { expression, .. } = &mut constraint.kind {
                settle(expression);
            }
        }
        for index in table.indexes.values_mut() {
            settle(&mut index.definition);
            index.keys.iter_mut().for_each(settle);
            index.predicate.iter_mut().for_each(settle);
        }
        table.triggers.values_mut().for_each(|trigger| settle(&mut trigger.definition));
        for policy in table.policies.values_mut() {
            policy.using.iter_mut().for_each(settle);
            policy.check.iter_mut().for_each(settle);
        }
    }
    for view in catalog.views.values_mut() {
        settle(&mut view.definition);
        view.indexes.values_mut().for_each(|index| settle(&mut index.definition));
    }
}

fn settle(text: &mut String) {
    if text.contains("ARRAY[(") {
        *text = settled(text);
    }
}

/// `ARRAY[(x)::t, (y)::t]` as `(ARRAY[x, y])::t[]`.
fn settled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some((array, after)) = rest.strip_prefix("ARRAY[").and_then(casts) {
            out.push_str(&array);
            rest = after;
            continue;
        }
        let length = token(rest).max(next.len_utf8());
        out.push_str(rest.get(..length).unwrap_or(rest));
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// The elements of an array, when each is a cast to the same type, and what follows the array.
fn casts(body: &str) -> Option<(String, &str)> {
    let (elements, after) = elements(body)?;
    let mut inner = Vec::new();
    let mut common = None;
    for element in elements {
        let (value, data_type) = element.strip_prefix('(')?.rsplit_once(")::")?;
        // The parenthesis must be the one that was opened first.
        let whole = span(value, |c| c == ')') == value.len();
        let plain = data_type.chars().all(|c| c.is_ascii_alphanumeric() || " _.\"".contains(c));
        if !whole || !plain || *common.get_or_insert(data_type) != data_type {
            return None;
        }
        inner.push(settled(value));
    }
    Some((format!("(ARRAY[{}])::{}[]", inner.join(", "), common?), after))
}

/// What stands between commas up to the closing bracket, and what follows it.
fn elements(body: &str) -> Option<(Vec<&str>, &str)> {
    let mut elements = Vec::new();
    let mut rest = body;
    loop {
        let length = span(rest, |c| c == ',' || c == ']');
        elements.push(rest.get(..length)?.trim());
        let end = rest.get(length..)?;
        rest = end.get(1..)?;
        if end.starts_with(']') {
            return Some((elements, rest));
        }
    }
}

/// How far it is to one of the characters outside of quotes and parentheses.
fn span(text: &str, is_end: impl Fn(char) -> bool) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let next = rest.chars().next().unwrap_or_default();
        if depth == 0 && is_end(next) {
            return at;
        }
        match next {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += token(rest).max(next.len_utf8());
    }
    text.len()
}

/// The length of a quoted text or name; 0 when there is none here.
fn token(text: &str) -> usize {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) else { return 0 };
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_of_each_element_is_one_of_the_array() {
        let read_back = "((k)::text = ANY (ARRAY[('a,]'::character varying)::text, ('b'::character varying)::text]))";
        let first =
            "((k)::text = ANY ((ARRAY['a,]'::character varying, 'b'::character varying])::text[]))";
        assert_eq!(settled(read_back), first);
        assert_eq!(settled(first), first);
    }

    #[test]
    fn other_arrays_stay() {
        for text in [
            "ARRAY[(a + 1), (b)::text]",
            "ARRAY[(a)::text, (b)::integer]",
            "ARRAY[(a)::text || (b)::text]",
            "'ARRAY[(a)::text]'",
            "ARRAY[(a",
            "ARRAY['é'::text]",
        ] {
            assert_eq!(settled(text), text);
        }
    }
}
