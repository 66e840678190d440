//! The words of a statement between white space and comments. Never decides anything.

use crate::error::Error;

/// The words at the beginning of a statement, as Postgres' scanner sees them
/// (PostgreSQL documentation, "Lexical Structure").
pub(super) struct Words<'a> {
    pub(super) rest: &'a [u8],
}

impl Words<'_> {
    pub(super) fn skip_space_and_parentheses(&mut self) -> Result<(), Error> {
        loop {
            self.skip_space()?;
            match self.rest {
                [b'(', rest @ ..] => self.rest = rest,
                _ => return Ok(()),
            }
        }
    }

    pub(super) fn skip_space(&mut self) -> Result<(), Error> {
        loop {
            match self.rest {
                [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, rest @ ..] => self.rest = rest,
                [b'-', b'-', rest @ ..] => {
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
                }
                [b'/', b'*', rest @ ..] => self.rest = after_comment(rest)?,
                _ => return Ok(()),
            }
        }
    }

    /// The next word in lower case; none when something else comes first.
    pub(super) fn next_word(&mut self) -> Option<String> {
        let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let is_inner = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(*byte, b'_' | b'$') || !byte.is_ascii()
        };
        self.rest.first().filter(|byte| is_start(byte))?;
        let end = self.rest.iter().position(|byte| !is_inner(byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(String::from_utf8_lossy(word).to_ascii_lowercase())
    }

    pub(super) fn following(&mut self) -> Option<String> {
        self.skip_space().ok()?;
        self.next_word()
    }
}

/// What follows a block comment whose opening was consumed. They nest.
fn after_comment(mut rest: &[u8]) -> Result<&[u8], Error> {
    let mut depth = 1_usize;
    while depth > 0 {
        rest = match rest {
            [b'*', b'/', rest @ ..] => {
                depth -= 1;
                rest
            }
            [b'/', b'*', rest @ ..] => {
                depth += 1;
                rest
            }
            [_, rest @ ..] => rest,
            [] => return Err(Error::invalid("the statement has an unterminated comment")),
        };
    }
    Ok(rest)
}
