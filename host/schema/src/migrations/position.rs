//! Where in a file something is.
//! Never: looks at what is there.

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte of `text`; its end when there is no such byte.
    pub(super) fn of_byte(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count()) + 1;
        Self { line: before.matches('\n').count() + 1, column }
    }

    /// The place of a character of a statement that begins at byte `start` of `text`. Postgres
    /// counts characters, not bytes, from 1 (PostgreSQL documentation, 55.8 "Error and Notice
    /// Message Fields").
    pub(super) fn of_position(text: &str, start: usize, position: usize) -> Self {
        let statement = text.get(start..).unwrap_or_default();
        let offset = statement.char_indices().nth(position.saturating_sub(1));
        Self::of_byte(text, start + offset.map_or(statement.len(), |(byte, _)| byte))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_counts_characters_and_we_answer_in_lines() {
        let text = "select 'ä€';\n\nselect\n  'ö' nonsense here;\n";
        let start = text.find("select\n").unwrap();
        // What `select\n  'ö' nonsense here` fails with: the 14th character is the `n`.
        assert_eq!(Place::of_position(text, start, 14), Place { line: 4, column: 7 });
        assert_eq!(Place::of_position(text, start, 1), Place { line: 3, column: 1 });
    }

    #[test]
    fn a_position_beyond_the_end_is_the_end() {
        assert_eq!(Place::of_position("a\nb", 0, 99), Place { line: 2, column: 2 });
    }
}
