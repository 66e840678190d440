//! Says what was renamed, from two versions of a sketch.

use avenire_schema::catalog::QName;
use avenire_schema::renames::{Answer, Answers, Kind, Question, Subject};

use super::sketch::{Head, Id, Sketch};

/// Answers all questions about what lies between two versions.
pub(super) fn answer(before: &Sketch, after: &Sketch, questions: &[Question]) -> Answers {
    let mut answers = Answers::default();
    for question in questions {
        let former = former(before, after, question.kind, &question.created);
        let renamed = question.choices.iter().find(|choice| match &choice.answer {
            Answer::Rename(_, from, _) => former.as_ref() == Some(from),
            _ => false,
        });
        let choice = renamed.or(question.choices.last());
        if let Some(choice) = choice {
            answers.add(choice.answer.clone());
        }
    }
    answers
}

/// What something was called, after the renames of what it is in.
fn former(before: &Sketch, after: &Sketch, kind: Kind, created: &Subject) -> Option<Subject> {
    let is = |head: &Head, name: &QName| *name == QName::new(after.schema(head.schema), &head.name);
    match created {
        Subject::Schema(name) => {
            let id = after.schemas.iter().find(|one| one.head.name == *name)?.head.id;
            let old = before.schemas.iter().find(|one| one.head.id == id)?;
            Some(Subject::Schema(old.head.name.clone()))
        }
        Subject::InSchema(name) => {
            let id = heads(after, kind).into_iter().find(|head| is(head, name))?.id;
            let old = heads(before, kind).into_iter().find(|head| head.id == id)?;
            Some(Subject::InSchema(QName::new(schema(before, after, old.schema), &old.name)))
        }
        Subject::Within(of, name) if kind == Kind::Column => {
            let table = after.tables.iter().find(|table| is(&table.head, of))?;
            let id = table.it.columns.iter().find(|column| column.name == *name)?.id;
            let old = before.table(table.head.id)?.it.column(id)?;
            Some(Subject::Within(of.clone(), old.name.clone()))
        }
        Subject::Within(of, word) => {
            let now = after.enums.iter().find(|one| is(&one.head, of))?;
            let (id, _) = now.it.iter().find(|(_, one)| one == word)?;
            let old = before.enums.iter().find(|one| one.head.id == now.head.id)?;
            let (_, old) = old.it.iter().find(|(one, _)| one == id)?;
            Some(Subject::Within(of.clone(), old.clone()))
        }
    }
}

/// The name of a schema of before, as it is after schemas were renamed.
fn schema<'a>(before: &'a Sketch, after: &'a Sketch, id: Id) -> &'a str {
    let now = after.schemas.iter().find(|schema| schema.head.id == id);
    now.map_or_else(|| before.schema(id), |schema| &schema.head.name)
}

fn heads(sketch: &Sketch, kind: Kind) -> Vec<&Head> {
    match kind {
        Kind::Table => sketch.tables.iter().map(|one| &one.head).collect(),
        Kind::View | Kind::MaterializedView => sketch.views.iter().map(|one| &one.head).collect(),
        Kind::Enum => sketch.enums.iter().map(|one| &one.head).collect(),
        Kind::Domain => sketch.domains.iter().map(|one| &one.head).collect(),
        Kind::Composite => sketch.composites.iter().map(|one| &one.head).collect(),
        Kind::Sequence => sketch.sequences.iter().map(|one| &one.head).collect(),
        _ => Vec::new(),
    }
}
