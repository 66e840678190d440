//! Names of objects, and how SQL writes them.
//! Never: folds case; a name is what the catalog says, byte for byte.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name within a schema. Ordered by schema, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QName {
    /// The schema, such as `public`.
    pub schema: String,
    /// The name in it.
    pub name: String,
}

impl QName {
    /// The name `name` in `schema`.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// As generated SQL writes it: without the schema when that is `public`, which is what the
    /// connections that run generated SQL have as their search path.
    pub fn sql(&self) -> String {
        if self.schema == "public" {
            quoted(&self.name)
        } else {
            format!("{}.{}", quoted(&self.schema), quoted(&self.name))
        }
    }
}

/// `schema.name`, quoted where SQL needs it; what [`FromStr`] reads.
impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// What is no qualified name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name of the form schema.name")]
pub struct NotAName(pub String);

impl FromStr for QName {
    type Err = NotAName;

    /// Reads what [`Display`](fmt::Display) writes; a single part is a name in `public`.
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let parts = parts(text).ok_or_else(|| NotAName(text.to_owned()))?;
        match parts.as_slice() {
            [name] => Ok(Self::new("public", name)),
            [schema, name] => Ok(Self::new(schema, name)),
            _ => Err(NotAName(text.to_owned())),
        }
    }
}

impl Serialize for QName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The parts of a dotted name, unquoted; nothing when it is malformed.
pub fn parts(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = if let Some(body) = rest.strip_prefix('"') {
            quoted_part(body)?
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (rest.get(..end)?.to_owned(), rest.get(end..)?)
        };
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        if after.is_empty() {
            return Some(parts);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// A part up to its closing quote, and what follows.
fn quoted_part(body: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = body;
    loop {
        let end = rest.find('"')?;
        part.push_str(rest.get(..end)?);
        let after = rest.get(end + 1..)?;
        match after.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, after)),
        }
    }
}

/// An identifier as SQL writes it: quoted when it is not a plain word in lower case, or is one
/// that the grammar keeps to itself (PostgreSQL documentation, Appendix C, the reserved ones and
/// those that can not be names of columns, tables, functions or types, over versions 13 to 18).
pub fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && KEPT.binary_search(&name).is_err() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A string as SQL writes it.
pub fn literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    if body.contains('\\') {
        format!("E'{}'", body.replace('\\', "\\\\"))
    } else {
        format!("'{body}'")
    }
}

const KEPT: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_only_where_sql_needs_it() {
        assert_eq!(quoted("chat"), "chat");
        assert_eq!(quoted("Chat"), "\"Chat\"");
        assert_eq!(quoted("user"), "\"user\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("1st"), "\"1st\"");
    }

    #[test]
    fn the_kept_words_are_sorted() {
        assert!(KEPT.is_sorted());
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        for (schema, name) in [("public", "chat"), ("A.b", "c\"d"), ("select", "x.y")] {
            let written = QName::new(schema, name);
            assert_eq!(written.to_string().parse(), Ok(written));
        }
        assert_eq!("chat".parse(), Ok(QName::new("public", "chat")));
        for wrong in ["", "a.", ".a", "\"a", "a.b.c", "\"a\"b"] {
            assert!(wrong.parse::<QName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
    }
}
