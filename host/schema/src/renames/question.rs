//! What is asked when something may have been renamed, and what happens without an answer.
//! Never: reads from a terminal.

use std::fmt;

use serde::Serialize;

use super::answer::{Answer, Kind, Subject};

/// Something is new, and something of its kind is gone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Question {
    /// What kind of thing.
    pub kind: Kind,
    /// What is new.
    pub created: Subject,
    /// What is gone and may have become it, the likeliest first; at least one.
    pub candidates: Vec<Candidate>,
    /// What can be answered: each candidate in the same order, then that it is new.
    pub choices: Vec<Choice>,
}

/// What may have been renamed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Candidate {
    /// Its former name.
    pub name: Subject,
    /// How alike the two are in name and shape, from 0 to 1.
    pub likeness: f64,
}

/// A possible answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choice {
    /// In words, such as `renamed from chat`.
    pub text: String,
    /// The answer itself; [`Answer`] displays the flag that gives it.
    pub answer: Answer,
}

/// An answer to something that is no question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unmatched {
    /// The answer.
    pub answer: Answer,
    /// What may have been meant.
    pub nearest: Option<Answer>,
    /// The new name of a rename, when something else has it before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<Subject>,
}

/// Nothing can be generated: something may have been renamed and nobody has said whether, or an
/// answer fits nothing. Whoever gives the answers has to mend it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unanswered {
    /// In the order in which they are settled. Answers may raise further ones, such as those about
    /// the columns of a renamed table.
    pub questions: Vec<Question>,
    /// Answers that fit nothing.
    pub unmatched: Vec<Unmatched>,
}

impl Question {
    pub(super) fn new(kind: Kind, created: Subject, candidates: Vec<Candidate>) -> Self {
        let renamed = candidates.iter().map(|candidate| Choice {
            text: format!("renamed from {}", candidate.name),
            answer: Answer::Rename(kind, candidate.name.clone(), created.clone()),
        });
        let new = Choice { text: "new".into(), answer: Answer::Create(kind, created.clone()) };
        let choices = renamed.chain([new]).collect();
        Self { kind, created, candidates, choices }
    }
}

/// The question in one line: `is the column chat.name new, or was it renamed?`
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.word().replace('-', " ");
        write!(f, "is the {kind} {} new, or was it renamed?", self.created)
    }
}

impl Unanswered {
    /// What to do about it, one sentence without a full stop.
    pub fn hint(&self) -> String {
        if self.questions.is_empty() {
            "correct or remove the answers that fit nothing".into()
        } else {
            "give one of the listed flags for each question, or put the same into a file of answers"
                .into()
        }
    }
}

/// One question a paragraph, with the flags that answer it, each in a line.
impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for question in &self.questions {
            write!(f, "{separator}{question}")?;
            separator = "\n";
            let answers: Vec<String> =
                question.choices.iter().map(|choice| choice.answer.to_string()).collect();
            let width = answers.iter().map(|answer| answer.chars().count()).max().unwrap_or(0);
            for (choice, answer) in question.choices.iter().zip(&answers) {
                write!(f, "\n  {answer:width$}  {}", choice.text)?;
            }
        }
        for unmatched in &self.unmatched {
            if let Some(taken) = &unmatched.taken {
                let kind = unmatched.answer.kind().word().replace('-', " ");
                write!(
                    f,
                    "{separator}`{}` is not possible: there is a {kind} {taken} before and after; \
                     say what that one has become, or drop it in a migration of its own first",
                    unmatched.answer
                )?;
                separator = "\n";
                continue;
            }
            write!(f, "{separator}`{}` fits nothing that is gone or new", unmatched.answer)?;
            separator = "\n";
            if let Some(nearest) = &unmatched.nearest {
                write!(f, "; did you mean `{nearest}`?")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Unanswered {}
