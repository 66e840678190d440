//! One answer to what was renamed, as a flag or a file says it: `table:chat=conversation`.
//! Never: looks at a catalog.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::catalog::QName;
use crate::catalog::name::{parts, quoted};

/// Of what kind something is that may have been renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A schema.
    Schema,
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// An enumerated type.
    Enum,
    /// A domain.
    Domain,
    /// A composite type.
    Composite,
    /// A sequence that goes with no column.
    Sequence,
    /// A column of a table.
    Column,
    /// An attribute of a composite type.
    Attribute,
    /// A value of an enumerated type.
    Value,
}

impl Kind {
    /// All of them, in the order in which they are settled.
    pub const ALL: [Self; 11] = [
        Self::Schema,
        Self::Enum,
        Self::Domain,
        Self::Composite,
        Self::Sequence,
        Self::Table,
        Self::View,
        Self::MaterializedView,
        Self::Column,
        Self::Attribute,
        Self::Value,
    ];

    /// The word for it in flags and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized-view",
            Self::Enum => "enum",
            Self::Domain => "domain",
            Self::Composite => "composite",
            Self::Sequence => "sequence",
            Self::Column => "column",
            Self::Attribute => "attribute",
            Self::Value => "value",
        }
    }
}

/// Something that may have been renamed, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A schema.
    Schema(String),
    /// Something in a schema.
    InSchema(QName),
    /// A column, attribute or value, and what it belongs to.
    Within(QName, String),
}

/// As flags write it: the schema is left out where it is `public`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(name) => f.write_str(&quoted(name)),
            Self::InSchema(name) => f.write_str(&name.sql()),
            Self::Within(of, name) => write!(f, "{}.{}", of.sql(), quoted(name)),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What somebody says about a removed or created thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The first has become the second. Within a table or type both belong to the same one.
    Rename(Kind, Subject, Subject),
    /// It is gone.
    Drop(Kind, Subject),
    /// It is new.
    Create(Kind, Subject),
}

/// What is no answer. Whoever wrote it made the mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// No known kind stands before a colon.
    #[error("`{0}` does not begin with a kind and a colon")]
    NoKind(String),
    /// What stands behind the colon is no name of that kind.
    #[error("`{text}` is not the name of a {}", kind.word())]
    NotAName {
        /// What was read.
        text: String,
        /// The kind.
        kind: Kind,
    },
    /// A rename without a new name.
    #[error("`{0}` does not say what the new name is")]
    NoNewName(String),
}

impl AnswerError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::NoKind(_) => {
                let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
                format!("write one of {} and a colon before the name", words.join(", "))
            }
            Self::NotAName { kind: Kind::Column | Kind::Attribute | Kind::Value, .. } => {
                "write `table.column` or `type.value`, with double quotes around a part that has \
                 dots or equals signs in it"
                    .into()
            }
            Self::NotAName { .. } => {
                "write `name` or `schema.name`, with double quotes around a part that has dots or \
                 equals signs in it"
                    .into()
            }
            Self::NoNewName(_) => "write `=` and the new name behind it".into(),
        }
    }
}

impl Answer {
    /// Reads the value of `--rename`, such as `column:chat.title=name`.
    pub fn rename(text: &str) -> Result<Self, AnswerError> {
        let (kind, body) = kind(text)?;
        let equals =
            outside_quotes(body, '=').ok_or_else(|| AnswerError::NoNewName(text.into()))?;
        let (old, new) = body.split_at(equals);
        let new = new.get(1..).unwrap_or_default();
        let old = subject(kind, old)?;
        let not_a_name = || AnswerError::NotAName { text: new.into(), kind };
        let names = parts(new).ok_or_else(not_a_name)?;
        let new = match (&old, names.as_slice()) {
            (Subject::Schema(_), [name]) => Subject::Schema(name.clone()),
            (Subject::Within(of, _), [name]) => Subject::Within(of.clone(), name.clone()),
            // What has no schema stays in the one that it is in.
            (Subject::InSchema(old), [name]) => Subject::InSchema(QName::new(&old.schema, name)),
            (Subject::InSchema(_), [schema, name]) => Subject::InSchema(QName::new(schema, name)),
            _ => return Err(not_a_name()),
        };
        Ok(Self::Rename(kind, old, new))
    }

    /// Reads the value of `--drop`, such as `table:chat`.
    pub fn drop(text: &str) -> Result<Self, AnswerError> {
        let (kind, body) = kind(text)?;
        Ok(Self::Drop(kind, subject(kind, body)?))
    }

    /// Reads the value of `--create`, such as `column:chat.name`.
    pub fn create(text: &str) -> Result<Self, AnswerError> {
        let (kind, body) = kind(text)?;
        Ok(Self::Create(kind, subject(kind, body)?))
    }

    /// Of what kind the thing is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Rename(kind, ..) | Self::Drop(kind, _) | Self::Create(kind, _) => *kind,
        }
    }

    /// The flag and its value, without the quotes of a shell.
    pub fn words(&self) -> (&'static str, String) {
        match self {
            Self::Rename(kind, from, to) => ("--rename", renamed(*kind, from, to)),
            Self::Drop(kind, subject) => ("--drop", format!("{}:{subject}", kind.word())),
            Self::Create(kind, subject) => ("--create", format!("{}:{subject}", kind.word())),
        }
    }
}

/// As it is typed into a POSIX shell: `--rename column:chat.title=name`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (flag, value) = self.words();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:=".contains(c);
        if value.chars().all(plain) {
            write!(f, "{flag} {value}")
        } else {
            write!(f, "{flag} '{}'", value.replace('\'', r"'\''"))
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (flag, value) = self.words();
        serializer.collect_str(&format_args!("{flag} {value}"))
    }
}

fn renamed(kind: Kind, from: &Subject, to: &Subject) -> String {
    let new = match (from, to) {
        (Subject::InSchema(old), Subject::InSchema(new)) if old.schema == new.schema => {
            quoted(&new.name)
        }
        (_, Subject::InSchema(new)) => new.to_string(),
        (_, Subject::Schema(name) | Subject::Within(_, name)) => quoted(name),
    };
    format!("{}:{from}={new}", kind.word())
}

fn kind(text: &str) -> Result<(Kind, &str), AnswerError> {
    let none = || AnswerError::NoKind(text.to_owned());
    let (word, body) = text.split_once(':').ok_or_else(none)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(none)?;
    Ok((kind, body))
}

fn subject(kind: Kind, text: &str) -> Result<Subject, AnswerError> {
    let not_a_name = || AnswerError::NotAName { text: text.to_owned(), kind };
    let names = parts(text).ok_or_else(not_a_name)?;
    match (kind, names.as_slice()) {
        (Kind::Schema, [name]) => Ok(Subject::Schema(name.clone())),
        (Kind::Column | Kind::Attribute | Kind::Value, [of, name]) => {
            Ok(Subject::Within(QName::new("public", of), name.clone()))
        }
        (Kind::Column | Kind::Attribute | Kind::Value, [schema, of, name]) => {
            Ok(Subject::Within(QName::new(schema, of), name.clone()))
        }
        (Kind::Schema | Kind::Column | Kind::Attribute | Kind::Value, _) => Err(not_a_name()),
        _ => text.parse().map(Subject::InSchema).map_err(|_| not_a_name()),
    }
}

/// Where `wanted` stands first outside of double quotes.
fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == wanted && !quoted).then_some(at)
    })
}

impl FromStr for Kind {
    type Err = AnswerError;

    /// Reads its [`word`](Kind::word).
    fn from_str(text: &str) -> Result<Self, AnswerError> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| AnswerError::NoKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        for text in [
            "table:chat=conversation",
            "table:chat=app.chat",
            "table:app.chat=conversation",
            "table:app.chat=public.chat",
            "column:chat.title=name",
            "column:app.chat.title=name",
            "column:\"My Chat\".\"a=b\"=\"c.d\"",
            "attribute:app.point.x=across",
            "value:mood.sad=unhappy",
            "schema:a=b",
        ] {
            assert_eq!(Answer::rename(text).unwrap().words(), ("--rename", text.to_owned()));
        }
        assert_eq!(Answer::drop("table:chat").unwrap().to_string(), "--drop table:chat");
        let quoted = Answer::create("value:mood.\"it's\"").unwrap();
        assert_eq!(quoted.to_string(), r#"--create 'value:mood."it'\''s"'"#);
    }

    #[test]
    fn what_is_no_answer_is_refused_with_what_to_write() {
        let no_kind = Answer::drop("chat").unwrap_err();
        assert_eq!(no_kind, AnswerError::NoKind("chat".into()));
        assert!(no_kind.hint().contains("table"), "{}", no_kind.hint());
        assert!(matches!(Answer::rename("table:chat"), Err(AnswerError::NoNewName(_))));
        for text in ["column:title=name", "column:a.b=c.d", "table:a.b.c=d", "table:=d", "table:a="]
        {
            assert!(matches!(Answer::rename(text), Err(AnswerError::NotAName { .. })), "{text}");
        }
    }
}
