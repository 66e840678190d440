//! Applies what is pending, one migration after the other, each under the lock.
//! Never: applies anything on what the ledger said before the lock was taken.

use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Error, Session, UnavailableCause};

use super::error::{Effect, Failure, MigrationError};
use super::lexer::Statement;
use super::plan::{Plan, PlanError, plan};
use super::position::Place;
use super::source::{Migration, Transaction};
use super::{Done, Progress, Report, ledger, lock};

/// How often a lost connection is made anew. What was applied is in the ledger, so that nothing is
/// applied twice, also when the answer to a commit was lost.
const RECONNECTS: usize = 3;

/// How long we wait at least after a table was in use.
const AFTER_TABLE_LOCK: Duration = Duration::from_millis(500);

/// See [`super::Migrations::apply`].
pub(super) async fn apply(
    component: &str,
    available: &[Migration],
    endpoint: &Endpoint,
    deadline: Instant,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Report, Failure> {
    let mut run = Run { component, available, endpoint, deadline, progress, applied: Vec::new() };
    match run.all().await {
        Ok(total) => {
            let already = total.saturating_sub(run.applied.len());
            let advice = advice(endpoint, &run.applied);
            Ok(Report { applied: run.applied, already, advice })
        }
        Err(error) => Err(Failure { applied: run.applied, error }),
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
    component: &'a str,
    available: &'a [Migration],
    endpoint: &'a Endpoint,
    deadline: Instant,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
    applied: Vec<Done>,
}

/// What one round came to.
enum Step<'a> {
    /// Nothing is pending; so many are applied in all.
    Complete(usize),
    Applied(Done),
    /// The ledger changed while we waited.
    Again,
    /// A table was in use; the migration was rolled back.
    Locked(&'a Migration),
}

impl<'a> Run<'a> {
    /// Returns how many migrations are applied in all.
    async fn all(&mut self) -> Result<usize, MigrationError> {
        let mut session = Session::connect(self.endpoint, self.deadline).await?;
        let mut reconnects = 0;
        if let Some(total) = lock::within(self.deadline, self.look(&session)).await? {
            return Ok(total);
        }
        loop {
            match lock::within(self.deadline, self.step(&session)).await {
                Ok(Step::Complete(total)) => return Ok(total),
                Ok(Step::Applied(done)) => {
                    (self.progress)(Progress::Applied(done.clone()));
                    self.applied.push(done);
                }
                Ok(Step::Again) => {}
                Ok(Step::Locked(migration)) => {
                    let file = migration.file.clone();
                    (self.progress)(Progress::WaitingForLocks { file: file.clone() });
                    if !lock::pause(AFTER_TABLE_LOCK, self.deadline).await {
                        return Err(MigrationError::Locked { file });
                    }
                }
                Err(MigrationError::Database(error))
                    if is_lost(&error) && reconnects < RECONNECTS =>
                {
                    reconnects += 1;
                    lock::pause(AFTER_TABLE_LOCK, self.deadline).await;
                    session = Session::connect(self.endpoint, self.deadline).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The usual case without a lock: nothing is pending. And what could not be applied is refused
    /// before anything is.
    async fn look(&self, session: &Session) -> Result<Option<usize>, MigrationError> {
        let plan = match self.plan(session).await {
            // Another host may be at it right now; the lock will tell.
            Err(MigrationError::Plan(PlanError::Interrupted { .. })) => return Ok(None),
            plan => plan?,
        };
        let outside = plan.pending.iter().find(|one| one.transaction == Transaction::None);
        match outside {
            Some(migration) if self.endpoint.is_pooled() => {
                Err(MigrationError::NeedsDirect { file: migration.file.clone() })
            }
            _ => Ok(plan.pending.is_empty().then_some(plan.already)),
        }
    }

    async fn plan(&self, session: &Session) -> Result<Plan<'a>, MigrationError> {
        let applied = ledger::read(session, self.component).await?;
        Ok(plan(&applied, self.available)?)
    }

    async fn step(&self, session: &Session) -> Result<Step<'a>, MigrationError> {
        lock::begin(session, self.deadline, || (self.progress)(Progress::WaitingForOther)).await?;
        let step = self.under_lock(session).await;
        if let Ok(Step::Applied(_)) = step {
            session.batch("commit").await?;
            return step;
        }
        // A failure to roll back means that the connection is gone, and the transaction with it.
        let rolled_back = session.batch("rollback").await;
        match step? {
            Step::Again => {
                rolled_back?;
                self.outside(session).await
            }
            step => rolled_back.map(|()| step).map_err(MigrationError::from),
        }
    }

    /// What is next, and its statements when they belong into this transaction.
    async fn under_lock(&self, session: &Session) -> Result<Step<'a>, MigrationError> {
        let plan = self.plan(session).await?;
        let Some(migration) = plan.pending.first().copied() else {
            return Ok(Step::Complete(plan.already));
        };
        if migration.transaction == Transaction::None {
            return Ok(Step::Again);
        }
        (self.progress)(Progress::Applying { file: migration.file.clone() });
        let begun = Instant::now();
        ledger::create(session).await?;
        for statement in statements(migration)? {
            match session.batch(statement.text).await {
                Err(error) if is_lock_conflict(&error) => return Ok(Step::Locked(migration)),
                Err(error) if is_lost(&error) => return Err(error.into()),
                Err(error) if self.ran_out_of_time(&error) => {
                    let place = Place::of_position(&migration.sql, statement.start, 1);
                    let file = migration.file.clone();
                    return Err(MigrationError::Deadline { file, place });
                }
                Err(error) => return Err(failed(migration, statement, error, Effect::None)),
                Ok(()) => {}
            }
        }
        let took = begun.elapsed();
        // A migration may have changed who we are or where names are looked up.
        session.batch("reset role; set local search_path = pg_catalog").await?;
        ledger::applied(session, self.component, migration, took).await?;
        Ok(Step::Applied(done(migration, took)))
    }

    /// Either our clock says so, or Postgres, which was told the deadline (`query_canceled`).
    fn ran_out_of_time(&self, error: &Error) -> bool {
        let soon = Instant::now() + Duration::from_millis(100);
        matches!(error, Error::Timeout { .. })
            || (error.sqlstate() == Some("57014") && soon >= self.deadline)
    }

    /// A migration outside of a transaction. The lock is the session's, so that it holds between
    /// the statements and ends with the connection; the row in the ledger tells of a kill.
    async fn outside(&self, session: &Session) -> Result<Step<'a>, MigrationError> {
        if self.endpoint.is_pooled() {
            return self.look(session).await.map(|_| Step::Again);
        }
        let waiting = || (self.progress)(Progress::WaitingForOther);
        lock::take_for_session(session, self.deadline, waiting).await?;
        let plan = self.plan(session).await?;
        let next = plan.pending.first().filter(|one| one.transaction == Transaction::None);
        let Some(migration) = next.copied() else {
            lock::give_back(session).await?;
            return Ok(Step::Again);
        };
        (self.progress)(Progress::Applying { file: migration.file.clone() });
        ledger::create(session).await?;
        ledger::started(session, self.component, migration).await?;
        let begun = Instant::now();
        for (done, statement) in statements(migration)?.into_iter().enumerate() {
            if let Err(error) = session.batch(statement.text).await {
                if done == 0 && !is_lost(&error) {
                    // When this fails too the row says that it was interrupted, which is true.
                    drop(ledger::forget(session, self.component, migration).await);
                }
                return Err(failed(migration, statement, error, Effect::Statements(done)));
            }
        }
        let took = begun.elapsed();
        session.batch("reset session authorization; reset role; reset all").await?;
        ledger::finished(session, self.component, migration, took).await?;
        lock::give_back(session).await?;
        Ok(Step::Applied(done(migration, took)))
    }
}

fn done(migration: &Migration, took: Duration) -> Done {
    Done { version: migration.version, file: migration.file.clone(), took }
}

/// They were read without a complaint when the file was.
fn statements(migration: &Migration) -> Result<Vec<Statement<'_>>, MigrationError> {
    let changed = |_| PlanError::Changed { file: migration.file.clone() };
    Ok(migration.statements().map_err(changed)?)
}

fn failed(
    migration: &Migration,
    statement: Statement<'_>,
    error: Error,
    effect: Effect,
) -> MigrationError {
    let position = match &error {
        Error::Database(about) => about.position.and_then(|at| usize::try_from(at).ok()),
        _ => None,
    };
    // Without a position the statement is all that is known.
    let place = Place::of_position(&migration.sql, statement.start, position.unwrap_or(1));
    MigrationError::Statement { file: migration.file.clone(), place, error, effect }
}

/// `lock_not_available` and `deadlock_detected` (PostgreSQL documentation, Appendix A).
fn is_lock_conflict(error: &Error) -> bool {
    matches!(error, Error::Database(_)) && matches!(error.sqlstate(), Some("55P03" | "40P01"))
}

fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Unavailable(about) if about.cause == UnavailableCause::Lost)
}
