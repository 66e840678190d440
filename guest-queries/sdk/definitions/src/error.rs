//! What is wrong with a schema module, and where.

use std::path::PathBuf;

/// Something in a schema module that can not be, always the fault of the module's author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {message}", file.display())]
pub struct DefinitionError {
    /// The file.
    pub file: PathBuf,
    /// From 1; 0 when the tree was made by hand.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong: a lower-case clause without full stop.
    pub message: String,
    pub(crate) hint: String,
}

impl DefinitionError {
    /// What to do: one sentence without full stop.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
