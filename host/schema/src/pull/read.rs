//! Reads words off the front of what Postgres prints.

use avenire_definitions::{Name, ObjectName, Reference, Type, TypeName};

use crate::catalog::text::bracketed;
use crate::catalog::{Catalog, QName, text};

/// What is left to read.
pub(super) struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.trim_start())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn text(&self) -> &'a str {
        self.0
    }

    /// Whether these words come next, which are then read.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        match self.0.strip_prefix(words) {
            Some(rest) if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                self.0 = rest.trim_start();
                true
            }
            _ => false,
        }
    }

    /// What is in the parentheses that come next.
    pub(super) fn brackets(&mut self) -> Option<&'a str> {
        let (inside, rest) = bracketed(self.0)?;
        self.0 = rest.trim_start();
        Some(inside)
    }

    /// The columns in the parentheses that come next.
    pub(super) fn columns(&mut self) -> Option<Vec<Name>> {
        text::items(self.brackets()?).iter().map(|item| column(item)).collect()
    }

    /// The name that comes next, with or without a schema, unquoted.
    pub(super) fn name(&mut self) -> Option<Reference> {
        let mut parts = vec![self.part()?];
        while let Some(rest) = self.0.strip_prefix('.') {
            self.0 = rest;
            parts.push(self.part()?);
        }
        self.0 = self.0.trim_start();
        let name = parts.pop()?;
        let schema = parts.pop();
        Some(Reference { schema, ..Reference::new(name) })
    }

    fn part(&mut self) -> Option<String> {
        let end = if self.0.starts_with('"') {
            let mut quotes = self.0.match_indices('"').map(|(at, _)| at).skip(1).peekable();
            loop {
                let at = quotes.next()?;
                // A doubled quote is one of the name's.
                if quotes.peek() == Some(&(at + 1)) {
                    quotes.next();
                } else {
                    break at + 1;
                }
            }
        } else {
            self.0
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(self.0.len())
        };
        let (part, rest) = self.0.split_at_checked(end)?;
        let part = crate::catalog::name::parts(part)?.pop()?;
        self.0 = rest;
        Some(part)
    }
}

/// A lone column name.
pub(super) fn column(text: &str) -> Option<Name> {
    let mut rest = Rest::of(text);
    let name = rest.name()?;
    (rest.is_empty() && name.schema.is_none()).then(|| name.name.into())
}

pub(super) fn object_name(name: &QName) -> ObjectName {
    ObjectName::new(&name.schema, &name.name)
}

/// The system's collations need no schema.
pub(super) fn collation(name: &QName) -> Reference {
    let schema = (name.schema != "pg_catalog").then(|| name.schema.clone());
    Reference { schema, ..Reference::new(&name.name) }
}

/// A type as the language names it; as SQL when neither Postgres nor the catalog has it, since an
/// extension brings it then.
pub(super) fn data_type(printed: &str, catalog: &Catalog) -> Type {
    let read = Type::from_canonical(printed);
    let read = match &read.name {
        TypeName::Sql(text) => quoted_type(text).unwrap_or(read),
        TypeName::Plain { .. } => read,
    };
    let Some(name) = type_name(&read) else { return read };
    let is_extension = name.schema == "public"
        && catalog.extensions.get(&name.name).is_some_and(|one| one.schema == "public");
    if is_extension || has_type(catalog, &name) { read } else { Type::sql(printed) }
}

/// `public."Mood"[]`, which the language writes without the schema.
fn quoted_type(printed: &str) -> Option<Type> {
    let (element, dimensions) = match printed.strip_suffix("[]") {
        Some(element) => (element, 1),
        None => (printed, 0),
    };
    let mut rest = Rest::of(element);
    let Reference { schema: Some(schema), name, .. } = rest.name()? else { return None };
    let bare = Type::plain(&name);
    // A string alone is SQL, so what is no word keeps its schema.
    let is_word = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_named = schema != "public" || bare.builtin().is_some() || !is_word;
    let schema = is_named.then_some(schema);
    let read = Type::of(TypeName::Plain { schema, name });
    rest.is_empty().then_some(Type { dimensions, nullable_elements: dimensions > 0, ..read })
}

/// Whether the modules define a type of that name; tables and views are types too.
fn has_type(catalog: &Catalog, name: &QName) -> bool {
    catalog.enums.contains_key(name)
        || catalog.domains.contains_key(name)
        || catalog.composites.contains_key(name)
        || catalog.tables.contains_key(name)
        || catalog.views.contains_key(name)
}

/// The name of a type that is not Postgres' own.
pub(super) fn type_name(data_type: &Type) -> Option<QName> {
    match &data_type.name {
        TypeName::Plain { schema, name } if data_type.builtin().is_none() => {
            Some(QName::new(schema.as_deref().unwrap_or("public"), name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_their_quotes() {
        let mut rest = Rest::of("public.\"a\"\"b.c\" DESC");
        let name = rest.name().unwrap();
        assert_eq!((name.schema.as_deref(), name.name.as_str()), (Some("public"), "a\"b.c"));
        assert!(rest.eat("DESC") && rest.is_empty());
        assert_eq!(column("\"x y\""), Some("x y".into()));
        assert_eq!(column("f(x)"), None);
    }

    #[test]
    fn words_are_read_whole() {
        let mut rest = Rest::of("NULLS LASTING");
        assert!(!rest.eat("NULLS LAST"));
        assert!(rest.eat("NULLS"));
    }
}
