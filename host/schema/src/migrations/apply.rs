//! Applies what is pending, one migration after the other, each under the lock.
//! Never: applies anything on what the ledger said before the lock was taken.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};

use super::conflict::PlanError;
use super::error::{Failure, MigrationError};
use super::ledger::Entry;
use super::outside::Outside;
use super::plan::{Plan, Unfinished, plan_with};
use super::rounds::{Rounds, Step};
use super::script::fingerprint;
use super::source::{Migration, Transaction};
use super::transaction::{self, Ran, Told, lost_connection};
use super::{ApplyOptions, Done, Migrations, Progress, Report, ledger, lock};

/// See [`super::Migrations::apply_all`].
pub(super) async fn apply(
    parts: &[&Migrations],
    options: ApplyOptions,
    endpoint: &Endpoint,
    deadline: Instant,
    told: Told<'_>,
) -> Result<Vec<Report>, Failure> {
    let reports = vec![Report::default(); parts.len()];
    let mut run = Run { parts, options, endpoint, deadline, told, reports };
    match run.all().await {
        Ok(()) => Ok(run.reports),
        Err(error) => {
            let applied = run.reports.into_iter().flat_map(|report| report.applied).collect();
            Err(Failure { applied, error })
        }
    }
}

fn advice(endpoint: &Endpoint, applied: &[Done]) -> Option<String> {
    (endpoint.is_pooled() && !applied.is_empty()).then(|| {
        "these migrations went through a pooler; give the database's direct URL in \
         DIRECT_DATABASE_URL, which migrations outside of a transaction need"
            .into()
    })
}

struct Run<'a> {
    parts: &'a [&'a Migrations],
    options: ApplyOptions,
    endpoint: &'a Endpoint,
    deadline: Instant,
    told: Told<'a>,
    /// One for each part.
    reports: Vec<Report>,
}

/// What a migration under the lock came to.
enum Under {
    /// So many are applied in all.
    Complete(usize),
    Applied(Done),
    /// It runs outside of a transaction.
    Outside,
    Locked(String),
}

impl Run<'_> {
    async fn all(&mut self) -> Result<(), MigrationError> {
        self.distinct()?;
        let mut rounds = Rounds::begin(self.endpoint, self.deadline, self.told).await?;
        let deadline = self.deadline;
        let totals = loop {
            let look = lock::within(deadline, self.look(&rounds.session)).await;
            if let Some(totals) = rounds.after(look.map(Step::Complete)).await? {
                break totals;
            }
        };
        for (part, total) in totals.into_iter().enumerate() {
            let mut total = total;
            while total.is_none() {
                let round = self.step(&rounds.session, part);
                let round = lock::within(deadline, round).await;
                total = rounds.after(round).await?;
            }
            if let (Some(report), Some(total)) = (self.reports.get_mut(part), total) {
                report.already = total.saturating_sub(report.applied.len());
                report.advice = advice(self.endpoint, &report.applied);
            }
        }
        Ok(())
    }

    fn distinct(&self) -> Result<(), MigrationError> {
        let mut seen = BTreeSet::new();
        match self.parts.iter().find(|part| !seen.insert(&part.component)) {
            Some(twin) => Err(MigrationError::TwinComponents { component: twin.component.clone() }),
            None => Ok(()),
        }
    }

    /// The usual case without a lock: nothing is pending. And what could not be applied is refused
    /// before anything is. For each part how many are applied when there is nothing to do.
    async fn look(&self, session: &Session) -> Result<Vec<Option<usize>>, MigrationError> {
        let entries = ledger::glance(session).await?;
        let mut totals = Vec::new();
        for part in self.parts {
            let plan = match self.plan(&entries, part) {
                // Another host may be at it right now; the lock will tell.
                Err(PlanError::Interrupted { .. } | PlanError::Undoing { .. }) => {
                    totals.push(None);
                    continue;
                }
                plan => plan?,
            };
            let outside = plan.pending.iter().find(|one| one.transaction == Transaction::None);
            if let Some(migration) = outside.filter(|_| self.endpoint.is_pooled()) {
                return Err(MigrationError::NeedsDirect { file: migration.file.clone() });
            }
            totals.push(plan.pending.is_empty().then_some(plan.already));
        }
        Ok(totals)
    }

    fn plan<'p>(&self, entries: &[Entry], part: &'p Migrations) -> Result<Plan<'p>, PlanError> {
        plan_with(&ledger::of(entries, &part.component), &part.available, self.options)
    }

    async fn step(
        &mut self,
        session: &Session,
        part: usize,
    ) -> Result<Step<usize>, MigrationError> {
        let Some(migrations) = self.parts.get(part).copied() else { return Ok(Step::Complete(0)) };
        let waiting = || (self.told)(Progress::WaitingForOther);
        lock::begin(session, self.deadline, waiting).await?;
        let under = self.under_lock(session, migrations).await;
        let under = if let Ok(Under::Applied(_)) = under {
            session.batch("commit").await?;
            under?
        } else {
            // A failure to roll back means that the connection is gone, and the transaction with it.
            let rolled_back = session.batch("rollback").await;
            let under = under?;
            rolled_back?;
            under
        };
        let under = match under {
            Under::Outside => self.outside(session, migrations).await?,
            under => under,
        };
        Ok(match under {
            Under::Complete(total) => Step::Complete(total),
            Under::Applied(done) => {
                (self.told)(Progress::Applied(done.clone()));
                if let Some(report) = self.reports.get_mut(part) {
                    report.applied.push(done);
                }
                Step::Again
            }
            Under::Outside => Step::Again,
            Under::Locked(file) => Step::Locked(file),
        })
    }

    /// What is next, and its statements when they belong into this transaction.
    async fn under_lock(
        &self,
        session: &Session,
        part: &Migrations,
    ) -> Result<Under, MigrationError> {
        let plan = self.plan(&ledger::read(session).await?, part)?;
        let Some(migration) = plan.pending.first().copied() else {
            return Ok(Under::Complete(plan.already));
        };
        if migration.transaction == Transaction::None {
            return Ok(Under::Outside);
        }
        (self.told)(Progress::Applying { file: migration.file.clone() });
        ledger::create(session).await?;
        match transaction::run(session, migration.script(), self.deadline, self.told).await? {
            Ran::Locked => Ok(Under::Locked(migration.file.clone())),
            Ran::Through(took) => {
                ledger::applied(session, &part.component, migration, Some(took)).await?;
                Ok(Under::Applied(done(migration, took)))
            }
        }
    }

    /// A migration outside of a transaction. The lock is the session's, so that it holds between
    /// the statements and ends with the connection.
    async fn outside(&self, session: &Session, part: &Migrations) -> Result<Under, MigrationError> {
        if self.endpoint.is_pooled() {
            return self.look(session).await.map(|_| Under::Outside);
        }
        let waiting = || (self.told)(Progress::WaitingForOther);
        lock::take_for_session(session, self.deadline, waiting).await?;
        let plan = self.plan(&ledger::glance(session).await?, part)?;
        let next = plan.pending.first().filter(|one| one.transaction == Transaction::None);
        let under = match next {
            None => Under::Outside,
            Some(migration) => self.alone(session, part, migration, plan.resume.as_ref()).await?,
        };
        session.batch("reset session authorization; reset role; reset all").await?;
        lock::give_back(session).await?;
        Ok(under)
    }

    async fn alone(
        &self,
        session: &Session,
        part: &Migrations,
        migration: &Migration,
        resume: Option<&Unfinished>,
    ) -> Result<Under, MigrationError> {
        let file = migration.file.clone();
        ledger::upgrade(session).await?;
        let from = if let Some(unfinished) = resume {
            let done = unfinished.statements;
            (self.told)(Progress::Resuming { file: file.clone(), statements: done });
            unfinished.clone()
        } else {
            (self.told)(Progress::Applying { file: file.clone() });
            ledger::started(session, &part.component, migration).await?;
            nothing_done()
        };
        let (version, script) = (migration.version, migration.script());
        let (component, deadline, told) = (part.component.as_str(), self.deadline, self.told);
        let outside = Outside { session, component, version, script, deadline, told };
        match outside.run(&from).await {
            Ok(Ran::Locked) => Ok(Under::Locked(file)),
            Ok(Ran::Through(took)) => {
                ledger::finished(session, component, migration, Some(took)).await?;
                Ok(Under::Applied(done(migration, took)))
            }
            Err(error) => {
                if !lost_connection(&error) {
                    // When this fails too the row says that it was interrupted, which is true.
                    drop(ledger::forget_unbegun(session, component, version).await);
                }
                Err(error)
            }
        }
    }
}

/// Where a file begins.
pub(super) fn nothing_done() -> Unfinished {
    Unfinished { statements: 0, under_way: false, begun: fingerprint([].iter()) }
}

pub(super) fn done(migration: &Migration, took: Duration) -> Done {
    Done { version: migration.version, file: migration.file.clone(), took }
}
