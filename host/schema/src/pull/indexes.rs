//! Indexes, with keys read from what Postgres prints of them.

use avenire_definitions::{Index, IndexKey, Nulls, OperatorClass};

use super::read::{Rest, column};
use crate::catalog::text::items;
use crate::catalog::{Index as Found, name};

/// The index `name`; nothing when a key is not understood.
pub(super) fn index(name: &str, found: &Found) -> Option<Index> {
    Some(Index {
        name: Some(name.into()),
        unique: found.unique,
        method: (found.method != "btree").then(|| found.method.clone()),
        keys: found.keys.iter().map(|text| key(text)).collect::<Option<_>>()?,
        include: found.include.iter().map(|text| column(text)).collect::<Option<_>>()?,
        nulls_not_distinct: found.nulls_not_distinct,
        options: found.options.clone().into_iter().collect(),
        predicate: found.predicate.clone(),
        comment: found.comment.clone(),
        ..Index::default()
    })
}

/// `column`, `function(…)` or `(expression)`, then collation, operator class with parameters, and
/// order, as far as they are not the usual.
fn key(text: &str) -> Option<IndexKey> {
    let mut rest = Rest::of(text);
    let mut key = if let Some(expression) = rest.brackets() {
        IndexKey::expression(expression)
    } else {
        let name = rest.name()?;
        if rest.brackets().is_some() {
            let call = text.len() - rest.text().len();
            IndexKey::expression(text.get(..call)?.trim_end())
        } else {
            name.schema.is_none().then(|| IndexKey::column(name.name))?
        }
    };
    if rest.eat("COLLATE") {
        key.collation = Some(rest.name()?);
    }
    key.descending = rest.eat("DESC");
    key.nulls = nulls(&mut rest);
    if !key.descending && key.nulls.is_none() && !rest.is_empty() {
        key.class = Some(class(&mut rest)?);
        key.descending = rest.eat("DESC");
        key.nulls = nulls(&mut rest);
    }
    rest.is_empty().then_some(key)
}

fn nulls(rest: &mut Rest<'_>) -> Option<Nulls> {
    if rest.eat("NULLS FIRST") {
        Some(Nulls::First)
    } else if rest.eat("NULLS LAST") {
        Some(Nulls::Last)
    } else {
        None
    }
}

fn class(rest: &mut Rest<'_>) -> Option<OperatorClass> {
    let name = rest.name()?;
    let mut parameters = Vec::new();
    if let Some(list) = rest.brackets() {
        for parameter in items(list) {
            let (key, value) = parameter.split_once('=')?;
            parameters.push((name::parts(key)?.pop()?, unquoted(value)));
        }
    }
    Some(OperatorClass { name, parameters })
}

/// `'32'` is 32.
fn unquoted(value: &str) -> String {
    let inside = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inside.map_or_else(|| value.to_owned(), |inside| inside.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use avenire_definitions::{KeyValue, Reference};

    #[test]
    fn keys_are_understood() {
        let read = key("lower((\"Name\")::text) COLLATE \"C\" text_pattern_ops DESC NULLS LAST");
        let read = read.unwrap();
        assert_eq!(read.value, KeyValue::Expression("lower((\"Name\")::text)".into()));
        assert_eq!(read.collation, Some(Reference::new("C")));
        assert_eq!(read.class.unwrap().name, Reference::new("text_pattern_ops"));
        assert!(read.descending);
        assert_eq!(read.nulls, Some(Nulls::Last));
        assert_eq!(key("a").unwrap(), IndexKey::column("a"));
        assert_eq!(key("((a + b)) DESC").unwrap().value, KeyValue::Expression("(a + b)".into()));
        let read = key("\"T\" public.gist_trgm_ops (siglen='32')").unwrap();
        let class = read.class.unwrap();
        assert_eq!(class.name.schema.as_deref(), Some("public"));
        assert_eq!(class.parameters, [("siglen".to_owned(), "32".to_owned())]);
        assert_eq!(key("a NULLS FIRST").unwrap().nulls, Some(Nulls::First));
    }
}
