//! What a check says: where, by which rule, how bad, and what to do.
//! Never: contains values of statements.

use std::fmt;

use serde::Serialize;

use crate::migrations::Place;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It fails, or a check is told something wrong.
    Error,
    /// It can lose data, fail, or stop others from working.
    Warning,
    /// It works and could be better.
    Advice,
}

impl Severity {
    /// `error`, `warning` or `advice`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum At {
    /// In a file.
    File {
        /// The name of the file.
        file: String,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// In the catalog.
    Object {
        /// The table it is about, such as `public.chat`.
        object: String,
    },
}

/// Something that a check has found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where.
    #[serde(flatten)]
    pub at: At,
    /// How bad it is.
    pub severity: Severity,
    /// The rule, such as `foreign-key-without-index`; see [`rules`](super::rules).
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// `file:line:column: severity: message (rule)`, as editors understand it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            At::File { file, line, column } => write!(f, "{file}:{line}:{column}")?,
            At::Object { object } => f.write_str(object)?,
        }
        write!(f, ": {}: {} ({})", self.severity.word(), self.message, self.rule)
    }
}

/// The place of a byte of `text`.
pub(super) fn place(text: &str, byte: usize) -> Place {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}
