//! What was renamed between two catalogs: asked, answered, and written as SQL.
//! Never: guesses; whatever could be a rename or a removal is answered by somebody.
//!
//! It goes in two rounds. [`questions`] settles schemas, tables, views, types, sequences, columns,
//! attributes and enum values; its renames are executed, and Postgres carries them into every expression. The
//! catalog is read again, and [`implied`] then finds the constraints, indexes, triggers, policies
//! and owned sequences that differ in nothing but their name.

mod answer;
mod answers;
mod ask;
mod carry;
mod implied;
mod pool;
mod question;
mod rename;
mod similar;

pub use answer::{Answer, AnswerError, Kind, Subject};
pub use answers::{Answers, AnswersError};
pub use ask::questions;
pub use implied::implied;
pub use question::{Candidate, Choice, Question, Unanswered, Unmatched};
pub use rename::{Part, Relation, Rename};
