//! The types of columns, as the source names them.

use super::name::Location;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Which type, or of which type the elements are.
    pub name: TypeName,
    /// What stands in parentheses, such as `10` and `2` of `numeric(10, 2)`.
    pub modifiers: Vec<String>,
    /// How many `[]` follow. Postgres itself does not tell them apart.
    pub dimensions: usize,
    /// `text?[]`: elements may be null. Postgres can not forbid it; this is what Rust code expects.
    pub nullable_elements: bool,
    /// Where it stands.
    pub at: Location,
}

/// The name of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeName {
    /// A built-in one, also by its short name such as `timestamptz`, or one of the application.
    /// Without a schema a built-in type comes before one in `public`.
    Plain {
        /// The schema, if one is named.
        schema: Option<String>,
        /// The name.
        name: String,
    },
    /// Whatever SQL writes there, such as `interval day to second` or `geometry(Point, 4326)`.
    /// Nothing is checked about it, and modifiers and dimensions are part of it.
    Sql(String),
}

impl Type {
    /// The type `name` without a schema, modifiers or dimensions.
    pub fn plain(name: impl Into<String>) -> Self {
        Self::of(TypeName::Plain { schema: None, name: name.into() })
    }

    /// The type that SQL writes as `text`.
    pub fn sql(text: impl Into<String>) -> Self {
        Self::of(TypeName::Sql(text.into()))
    }

    /// A type of that name.
    pub fn of(name: TypeName) -> Self {
        Self {
            name,
            modifiers: Vec::new(),
            dimensions: 0,
            nullable_elements: false,
            at: Location::default(),
        }
    }
}
