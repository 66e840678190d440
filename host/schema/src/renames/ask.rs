//! Finds what may have been renamed and matches it with the answers.
//! Never: pairs two things that nobody has paired.

use strsim::jaro_winkler;

use super::answer::{Answer, Kind, Subject};
use super::answers::Answers;
use super::carry::{carry, rename};
use super::pool::{Pool, pools};
use super::question::{Candidate, Question, Unanswered, Unmatched};
use super::rename::Rename;
use super::similar::{last, likeness};
use crate::catalog::Catalog;

/// From which likeness on another answer is worth mentioning.
const NEAR: f64 = 0.7;

/// The renames that lead from one catalog to the other, in the order of their execution.
///
/// Asked is wherever something was removed and something of the same kind (for columns and values:
/// of the same table or type) was created. What one answer makes comparable is asked about next:
/// the columns of a table once the table is known.
///
/// # Errors
/// What nobody has answered, and answers that fit nothing.
pub fn questions(
    from: &Catalog,
    to: &Catalog,
    answers: &Answers,
) -> Result<Vec<Rename>, Unanswered> {
    let mut asking = Asking {
        from: from.clone(),
        to,
        open: answers.given.iter().collect(),
        known: Vec::new(),
        renames: Vec::new(),
        questions: Vec::new(),
    };
    for kind in Kind::ALL {
        for pool in pools(kind, &asking.from, to) {
            asking.settle(kind, pool);
        }
        // Whether what is in a schema is new depends on whether the schema is.
        if kind == Kind::Schema && !asking.questions.is_empty() {
            break;
        }
    }
    asking.finish()
}

struct Asking<'a> {
    /// With the renames so far carried out.
    from: Catalog,
    to: &'a Catalog,
    /// Answers that have not been of use.
    open: Vec<&'a Answer>,
    /// What an answer could have meant.
    known: Vec<(Kind, Pool)>,
    renames: Vec<Rename>,
    questions: Vec<Question>,
}

impl Asking<'_> {
    fn settle(&mut self, kind: Kind, mut pool: Pool) {
        self.known.push((kind, pool.clone()));
        for (from, to) in pool.moves(self.renamed(kind, &pool)) {
            if let Some(rename) = rename(kind, from, to) {
                carry(&mut self.from, &rename);
                self.renames.push(rename);
            }
        }
        let open = std::mem::take(&mut self.open);
        for answer in open {
            if answer.kind() != kind || !self.apply(answer, &mut pool) {
                self.open.push(answer);
            }
        }
        if pool.gone.is_empty() {
            return;
        }
        for created in pool.new {
            let mut candidates: Vec<Candidate> = pool
                .gone
                .iter()
                .map(|name| Candidate {
                    name: name.clone(),
                    likeness: likeness(kind, (&self.from, name), (self.to, &created)),
                })
                .collect();
            candidates.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
            self.questions.push(Question::new(kind, created, candidates));
        }
    }

    /// The renames that the answers give and that can be carried out, taken out of the open ones.
    fn renamed(&mut self, kind: Kind, pool: &Pool) -> Vec<(Subject, Subject)> {
        let mut given: Vec<(&Answer, Subject, Subject)> = Vec::new();
        for answer in &self.open {
            let Answer::Rename(of, old, new) = answer else { continue };
            let (from, to) =
                (self.meant(old, |one| pool.was(one)), self.meant(new, |one| pool.is(one)));
            if let (Some(from), Some(to)) = (from, to)
                && *of == kind
                && from != to
                && given.iter().all(|(_, old, new)| *old != from && *new != to)
            {
                given.push((answer, from, to));
            }
        }
        // A name that stays can be taken only when what has it gets another.
        loop {
            let moving: Vec<Subject> = given.iter().map(|(_, from, _)| from.clone()).collect();
            given.retain(|(.., to)| !pool.kept.contains(to) || moving.contains(to));
            if given.len() == moving.len() {
                break;
            }
        }
        self.open.retain(|open| !given.iter().any(|(answer, ..)| answer == open));
        given.into_iter().map(|(_, from, to)| (from, to)).collect()
    }

    /// Whether the answer was of use.
    fn apply(&self, answer: &Answer, pool: &mut Pool) -> bool {
        match answer {
            Answer::Drop(_, subject) => self.take(&mut pool.gone, subject).is_some(),
            Answer::Create(_, subject) => self.take(&mut pool.new, subject).is_some(),
            Answer::Rename(..) => false,
        }
    }

    /// Takes out what is meant.
    fn take(&self, all: &mut Vec<Subject>, subject: &Subject) -> Option<Subject> {
        let meant = self.meant(subject, |one| all.contains(one))?;
        let at = all.iter().position(|one| *one == meant)?;
        Some(all.remove(at))
    }

    /// The subject, of which there is one. What it belongs to may be called by its former name.
    fn meant(&self, subject: &Subject, is_there: impl Fn(&Subject) -> bool) -> Option<Subject> {
        let current = || self.current(subject);
        [subject.clone(), current()].into_iter().find(|one| is_there(one))
    }

    fn current(&self, subject: &Subject) -> Subject {
        match subject {
            Subject::Schema(_) => subject.clone(),
            Subject::InSchema(name) => {
                let mut name = name.clone();
                for rename in &self.renames {
                    if let Rename::Schema { from, to } = rename
                        && name.schema == *from
                    {
                        name.schema.clone_from(to);
                    }
                }
                Subject::InSchema(name)
            }
            Subject::Within(of, name) => {
                let Subject::InSchema(mut of) = self.current(&Subject::InSchema(of.clone())) else {
                    return subject.clone();
                };
                for rename in &self.renames {
                    if let Rename::Relation { from, to, .. } = rename
                        && of == *from
                    {
                        of = to.clone();
                    }
                }
                Subject::Within(of, name.clone())
            }
        }
    }

    fn finish(self) -> Result<Vec<Rename>, Unanswered> {
        let level = |kind: Kind| Kind::ALL.iter().position(|one| *one == kind);
        let first_open = self.questions.iter().map(|question| level(question.kind)).min();
        // An answer about what is not settled yet may still turn out to be of use.
        let useless = self
            .open
            .iter()
            .filter(|answer| first_open.is_none_or(|first| level(answer.kind()) <= first));
        let unmatched: Vec<Unmatched> = useless
            .map(|answer| Unmatched {
                answer: (*answer).clone(),
                nearest: self.nearest(answer),
                taken: self.taken(answer),
            })
            .collect();
        if self.questions.is_empty() && unmatched.is_empty() {
            return Ok(self.renames);
        }
        Err(Unanswered { questions: self.questions, unmatched })
    }

    /// The new name of a rename, when something has it before and after.
    fn taken(&self, answer: &Answer) -> Option<Subject> {
        let Answer::Rename(kind, _, new) = answer else { return None };
        let mut pools = self.known.iter().filter(|(of, _)| of == kind);
        pools.find_map(|(_, pool)| self.meant(new, |one| pool.kept.contains(one)))
    }

    fn nearest(&self, answer: &Answer) -> Option<Answer> {
        let gone = |wanted| self.near(answer.kind(), wanted, |pool| &pool.gone);
        let new = |wanted| self.near(answer.kind(), wanted, |pool| &pool.new);
        let nearest = match answer {
            Answer::Rename(kind, from, to) => Answer::Rename(*kind, gone(from)?, new(to)?),
            Answer::Drop(kind, subject) => Answer::Drop(*kind, gone(subject)?),
            Answer::Create(kind, subject) => Answer::Create(*kind, new(subject)?),
        };
        (nearest != *answer).then_some(nearest)
    }

    fn near(
        &self,
        kind: Kind,
        wanted: &Subject,
        side: impl Fn(&Pool) -> &Vec<Subject>,
    ) -> Option<Subject> {
        let pools = self.known.iter().filter(|(of, _)| *of == kind);
        let all = pools.flat_map(|(_, pool)| side(pool));
        let text = wanted.to_string();
        let scored = all.map(|one| {
            let whole = jaro_winkler(&text, &one.to_string());
            (whole.max(jaro_winkler(last(wanted), last(one))), one)
        });
        let near = scored.filter(|(score, _)| *score >= NEAR);
        near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, one)| one.clone())
    }
}

#[cfg(test)]
mod tests;
