//! All answers to what was renamed, from flags and from a file.
//! Never: asks.

use serde::Deserialize;
use toml::Spanned;

use super::answer::{Answer, AnswerError};

/// The answers that were given, in any order.
///
/// A file of answers is TOML with the words of the flags; each key may be missing:
///
/// ```toml
/// rename = ["table:chat=conversation", "column:chat.title=name"]
/// drop = ["table:draft"]
/// create = ["column:chat.topic"]
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub(super) given: Vec<Answer>,
}

/// What is wrong with a file of answers. Its author's to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswersError {
    /// It is not TOML, or has other keys.
    #[error("line {line} of the answers is not understood: {reason}")]
    NotUnderstood {
        /// From 1.
        line: usize,
        /// What the reader of TOML says.
        reason: String,
    },
    /// An answer in it is none.
    #[error("line {line} of the answers: {error}")]
    Answer {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        error: AnswerError,
    },
}

impl AnswersError {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            Self::NotUnderstood { .. } => {
                "write lists of strings named `rename`, `drop` and `create`".into()
            }
            Self::Answer { error, .. } => error.hint(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    rename: Vec<Spanned<String>>,
    drop: Vec<Spanned<String>>,
    create: Vec<Spanned<String>>,
}

impl Answers {
    /// Reads the text of a file of answers.
    pub fn from_toml(text: &str) -> Result<Self, AnswersError> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| AnswersError::NotUnderstood {
            line: line(error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let mut answers = Self::default();
        let read: [(_, fn(&str) -> _); 3] = [
            (file.rename, Answer::rename),
            (file.drop, Answer::drop),
            (file.create, Answer::create),
        ];
        for (texts, parse) in read {
            for text in texts {
                let answer = parse(text.get_ref()).map_err(|error| AnswersError::Answer {
                    line: line(text.span().start),
                    error,
                })?;
                answers.add(answer);
            }
        }
        Ok(answers)
    }

    /// Adds an answer. The same one twice is one.
    pub fn add(&mut self, answer: Answer) {
        if !self.given.contains(&answer) {
            self.given.push(answer);
        }
    }

    /// Adds all of another's.
    pub fn extend(&mut self, others: Self) {
        for answer in others.given {
            self.add(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_the_same_as_flags() {
        let text = "# comment\nrename = [\n  'table:chat=talk',\n]\ndrop = [\"column:talk.a\"]\n";
        let mut flags = Answers::default();
        flags.add(Answer::rename("table:chat=talk").unwrap());
        flags.add(Answer::drop("column:talk.a").unwrap());
        let file = Answers::from_toml(text).unwrap();
        assert_eq!(file, flags);
        flags.extend(file.clone());
        assert_eq!(file, flags);
    }

    #[test]
    fn a_mistake_in_the_file_is_told_with_its_line() {
        let wrong = Answers::from_toml("drop = [\n  'table:a',\n  'b',\n]").unwrap_err();
        assert!(matches!(&wrong, AnswersError::Answer { line: 3, .. }), "{wrong:?}");
        let wrong = Answers::from_toml("\nrenamed = []").unwrap_err();
        assert!(matches!(&wrong, AnswersError::NotUnderstood { line: 2, .. }), "{wrong:?}");
    }
}
