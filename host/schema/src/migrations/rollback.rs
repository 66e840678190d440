//! Undoes applied migrations by the files beside them, the newest first, each under the lock.
//! Never: undoes anything before it is sure that all of it can be, invents what undoes something.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use avenire_postgres::{Endpoint, Session};

use super::apply::{done, nothing_done};
use super::conflict::PlanError;
use super::error::{MigrationError, RollbackFailure};
use super::outside::Outside;
use super::plan::{Applied, Resumable, State, file_of, resumable};
use super::rounds::{Rounds, Step};
use super::script::DELETES_DATA;
use super::source::{Down, Migration, Transaction};
use super::transaction::{self, Ran, Told, lost_connection, statements};
use super::{Done, Extent, Migrations, Progress, ledger, lock};

/// See [`super::Migrations::rollback`].
pub(super) async fn rollback(
    migrations: &Migrations,
    extent: Extent,
    accepted: &BTreeSet<String>,
    endpoint: &Endpoint,
    deadline: Instant,
    told: Told<'_>,
) -> Result<Vec<Done>, RollbackFailure> {
    let mut run =
        Run { migrations, endpoint, deadline, told, list: Vec::new(), undone: Vec::new() };
    match run.all(extent, accepted).await {
        Ok(()) => Ok(run.undone),
        Err(error) => Err(RollbackFailure { undone: run.undone, error }),
    }
}

/// What is to be undone, the newest first, with what undoes it.
pub(super) fn list<'a>(
    applied: &[Applied],
    available: &'a [Migration],
    extent: Extent,
) -> Result<Vec<(&'a Migration, &'a Down)>, MigrationError> {
    let files: BTreeMap<i64, &Migration> = available.iter().map(|one| (one.version, one)).collect();
    let rows: BTreeMap<i64, &Applied> = applied.iter().map(|one| (one.version, one)).collect();
    let chosen: Vec<&Applied> = match extent {
        Extent::Steps(asked) if asked > rows.len() => {
            return Err(MigrationError::TooMany { asked, applied: rows.len() });
        }
        Extent::Steps(asked) => rows.values().rev().take(asked).copied().collect(),
        Extent::To(version) if version != 0 && !rows.contains_key(&version) => {
            return Err(PlanError::NoSuchVersion { version }.into());
        }
        Extent::To(version) => {
            rows.values().rev().filter(|row| row.version > version).copied().collect()
        }
    };
    // What is half applied has to be settled first, wherever it is.
    for row in rows.values() {
        if let State::Started { at } = &row.state {
            let (version, name, at) = (row.version, row.name.clone(), at.clone());
            return Err(PlanError::Interrupted { version, name, at, place: None }.into());
        }
    }
    chosen.into_iter().map(|row| undoer(row, &rows, &files)).collect()
}

fn undoer<'a>(
    row: &Applied,
    rows: &BTreeMap<i64, &Applied>,
    files: &BTreeMap<i64, &'a Migration>,
) -> Result<(&'a Migration, &'a Down), MigrationError> {
    let migration = file_of(row, rows, files)?;
    let missing = || {
        let (file, down) = (migration.file.clone(), migration.down_file());
        MigrationError::NoDown { file, down }
    };
    let down = migration.down.as_ref().ok_or_else(missing)?;
    if row.state != State::Undoing {
        return Ok((migration, down));
    }
    let interrupted = |place| {
        let (version, name) = (row.version, row.name.clone());
        PlanError::Interrupted { version, name, at: "its undoing".into(), place }
    };
    match row.unfinished.as_ref().map(|unfinished| resumable(down.script(), unfinished)) {
        Some(Resumable::Yes) => Ok((migration, down)),
        Some(Resumable::Changed) => Err(PlanError::Changed { file: down.file.clone() }.into()),
        Some(Resumable::InDoubt(place)) => Err(interrupted(Some(place)).into()),
        None => Err(interrupted(None).into()),
    }
}

/// Nothing is deleted that the caller does not know of.
fn check_hazards(
    list: &[(&Migration, &Down)],
    accepted: &BTreeSet<String>,
) -> Result<(), MigrationError> {
    if accepted.contains(DELETES_DATA) {
        return Ok(());
    }
    let mut hazards = Vec::new();
    for (_, down) in list {
        let script = down.script();
        let statements = statements(script)?;
        for (statement, notes) in statements.iter().zip(script.hazards(&statements)) {
            for note in notes.into_iter().filter(|note| note.kind == DELETES_DATA) {
                hazards.push((down.file.clone(), script.place(*statement), note));
            }
        }
    }
    if hazards.is_empty() { Ok(()) } else { Err(MigrationError::Hazards { hazards }) }
}

struct Run<'a> {
    migrations: &'a Migrations,
    endpoint: &'a Endpoint,
    deadline: Instant,
    told: Told<'a>,
    /// What was to be undone at the beginning, the newest last: two that undo one migration each
    /// at the same time undo one together.
    list: Vec<i64>,
    undone: Vec<Done>,
}

/// What is next.
struct Next<'a> {
    migration: &'a Migration,
    down: &'a Down,
    row: Applied,
}

impl Run<'_> {
    async fn all(
        &mut self,
        extent: Extent,
        accepted: &BTreeSet<String>,
    ) -> Result<(), MigrationError> {
        let mut rounds = Rounds::begin(self.endpoint, self.deadline, self.told).await?;
        self.list = loop {
            let list = self.list(&rounds.session, extent, accepted);
            let list = lock::within(self.deadline, list).await;
            if let Some(list) = rounds.after(list.map(Step::Complete)).await? {
                break list;
            }
        };
        while !self.list.is_empty() {
            let deadline = self.deadline;
            let round = lock::within(deadline, self.step(&rounds.session)).await;
            let round = round.map(|step: Step<()>| match step {
                Step::Complete(()) => {
                    self.list.pop();
                    Step::<()>::Again
                }
                step => step,
            });
            rounds.after(round).await?;
        }
        Ok(())
    }

    /// Checks all of it, under the lock, since it must not see what is under way elsewhere.
    async fn list(
        &self,
        session: &Session,
        extent: Extent,
        accepted: &BTreeSet<String>,
    ) -> Result<Vec<i64>, MigrationError> {
        lock::begin(session, self.deadline, || (self.told)(Progress::WaitingForOther)).await?;
        let entries = ledger::read(session).await;
        session.batch("rollback").await?;
        let applied = ledger::of(&entries?, &self.migrations.component);
        let list = list(&applied, &self.migrations.available, extent)?;
        let outside = list.iter().find(|(_, down)| down.transaction == Transaction::None);
        if let Some((_, down)) = outside.filter(|_| self.endpoint.is_pooled()) {
            return Err(MigrationError::NeedsDirect { file: down.file.clone() });
        }
        check_hazards(&list, accepted)?;
        Ok(list.iter().rev().map(|(migration, _)| migration.version).collect())
    }

    /// The newest, when it is the one that is to be undone; nothing when it is undone already.
    fn next(&self, entries: &[ledger::Entry]) -> Result<Option<Next<'_>>, MigrationError> {
        let applied = ledger::of(entries, &self.migrations.component);
        let wanted = self.list.last().copied().unwrap_or(0);
        let Some(newest) = applied.iter().max_by_key(|row| row.version) else { return Ok(None) };
        if newest.version < wanted {
            return Ok(None);
        }
        if newest.version > wanted {
            return Err(MigrationError::Moved { version: newest.version });
        }
        let list = list(&applied, &self.migrations.available, Extent::Steps(1))?;
        let first = list.first().copied();
        Ok(first.map(|(migration, down)| Next { migration, down, row: newest.clone() }))
    }

    /// Complete when the last of the list is undone.
    async fn step(&mut self, session: &Session) -> Result<Step<()>, MigrationError> {
        lock::begin(session, self.deadline, || (self.told)(Progress::WaitingForOther)).await?;
        let result = self.under_lock(session).await;
        if let Ok(Some(Step::Complete(done))) = result {
            session.batch("commit").await?;
            return Ok(self.tell(done));
        }
        let rolled_back = session.batch("rollback").await;
        let step = result?;
        rolled_back?;
        match step {
            Some(Step::Complete(done)) => Ok(self.tell(done)),
            Some(Step::Locked(file)) => Ok(Step::Locked(file)),
            Some(Step::Again) => match self.outside(session).await? {
                Some(Step::Complete(done)) => Ok(self.tell(done)),
                Some(Step::Locked(file)) => Ok(Step::Locked(file)),
                Some(Step::Again) => Ok(Step::Again),
                None => Ok(Step::Complete(())),
            },
            None => Ok(Step::Complete(())),
        }
    }

    fn tell(&mut self, done: Done) -> Step<()> {
        (self.told)(Progress::Undone(done.clone()));
        self.undone.push(done);
        Step::Complete(())
    }

    /// Nothing when somebody else has undone it, `Again` when it is to be done outside.
    async fn under_lock(&self, session: &Session) -> Result<Option<Step<Done>>, MigrationError> {
        let Some(next) = self.next(&ledger::read(session).await?)? else { return Ok(None) };
        if next.down.transaction == Transaction::None {
            return Ok(Some(Step::Again));
        }
        (self.told)(Progress::Undoing { file: next.down.file.clone() });
        let ran = transaction::run(session, next.down.script(), self.deadline, self.told).await?;
        Ok(Some(match ran {
            Ran::Locked => Step::Locked(next.down.file.clone()),
            Ran::Through(took) => {
                let version = next.migration.version;
                ledger::forget(session, &self.migrations.component, version).await?;
                Step::Complete(Done { file: next.down.file.clone(), ..done(next.migration, took) })
            }
        }))
    }

    async fn outside(&self, session: &Session) -> Result<Option<Step<Done>>, MigrationError> {
        let waiting = || (self.told)(Progress::WaitingForOther);
        lock::take_for_session(session, self.deadline, waiting).await?;
        let next = self.next(&ledger::glance(session).await?)?;
        let step = match next {
            None => None,
            Some(next) if next.down.transaction == Transaction::One => Some(Step::Again),
            Some(next) => Some(self.alone(session, next).await?),
        };
        session.batch("reset session authorization; reset role; reset all").await?;
        lock::give_back(session).await?;
        Ok(step)
    }

    async fn alone(&self, session: &Session, next: Next<'_>) -> Result<Step<Done>, MigrationError> {
        let (component, version) = (self.migrations.component.as_str(), next.migration.version);
        let (file, script) = (next.down.file.clone(), next.down.script());
        let (deadline, told) = (self.deadline, self.told);
        ledger::upgrade(session).await?;
        let from = if let Some(unfinished) = next.row.unfinished {
            told(Progress::Resuming { file: file.clone(), statements: unfinished.statements });
            unfinished
        } else {
            told(Progress::Undoing { file: file.clone() });
            ledger::undoing(session, component, version).await?;
            nothing_done()
        };
        let outside = Outside { session, component, version, script, deadline, told };
        match outside.run(&from).await {
            Ok(Ran::Locked) => Ok(Step::Locked(file)),
            Ok(Ran::Through(took)) => {
                ledger::forget(session, component, version).await?;
                Ok(Step::Complete(Done { version, file, took }))
            }
            Err(error) => {
                if !lost_connection(&error) {
                    // When this fails too the row says that it was interrupted, which is true.
                    drop(ledger::not_undone(session, component, version).await);
                }
                Err(error)
            }
        }
    }
}
