//! Names and where they stand.

use std::fmt;

/// Where something stands in a source file. All locations are equal to each other, so that trees
/// compare by what they say.
#[derive(Clone, Copy, Debug, Default, Eq)]
pub struct Location {
    /// From 1; 0 when the tree was made by hand.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Which of the parser's spans it is, for the proc macro.
    pub(crate) token: usize,
}

impl PartialEq for Location {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A name without a schema: of a column, a constraint, an index. Byte for byte what the database
/// has; nothing is folded to lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub at: Location,
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), at: Location::default() }
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self { text, at: Location::default() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name of something in a schema, which is `public` where the source names none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectName {
    /// The schema.
    pub schema: String,
    /// The name in it.
    pub name: String,
    /// Where it stands.
    pub at: Location,
}

impl ObjectName {
    /// The name `name` in `schema`.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into(), at: Location::default() }
    }

    /// What tells it from others.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.schema, &self.name)
    }
}

/// As people write it: without the schema when that is `public`.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema != "public" {
            write!(f, "{}.", self.schema)?;
        }
        f.write_str(&self.name)
    }
}

/// The name of a collation or an operator class, which Postgres looks for along its search path
/// where the source names no schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// The schema, if one is named.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// Where it stands.
    pub at: Location,
}

impl Reference {
    /// The name without a schema.
    pub fn new(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into(), at: Location::default() }
    }
}
