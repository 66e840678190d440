//! The state of one transaction, shared with its cursors. Owns the connection and
//! knows whether Postgres takes statements on it. Never retries, except for the
//! first statement when what was prepared for it had become stale.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::MAXIMUM_SAVEPOINTS;
use super::options::{TransactionOptions, begin_statement, plan_in_transaction};
use super::portal::Portals;
use crate::connection::Connection;
use crate::error::{BatchError, Error, WaitingFor};
use crate::guard::{self, Kind, Place};
use crate::packed::Packed;
use crate::parameters::Parameters;
use crate::pool::{Inner, Lease, Which, check_size, within};
use crate::run::{self, Answer, Failure, Want};

/// How long the rollback of a dropped transaction may take.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(5);

const ABORTED: &str =
    "current transaction is aborted, commands ignored until end of transaction block";
const ENDED: &str = "the transaction has ended";

pub(crate) struct Core {
    inner: Arc<Inner>,
    state: Mutex<State>,
}

pub(super) struct State {
    lease: Option<Lease>,
    /// `BEGIN`, until it was sent.
    pub(super) begin: Option<String>,
    phase: Phase,
    /// A statement was sent and its end was not seen. Still set at the next one, its
    /// future was dropped.
    is_busy: bool,
    pub(super) savepoints: usize,
    /// Type look-ups left statements on the server behind a pooler.
    pub(super) has_leftovers: bool,
    pub(super) portals: Portals,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Postgres takes statements.
    Open,
    /// A statement failed; Postgres takes only rollbacks.
    Failed,
    /// Given up and rolled back, which the user was not told yet.
    Lost,
    /// Committed or rolled back.
    Ended,
}

impl Core {
    pub(super) async fn begin(
        inner: &Arc<Inner>,
        options: TransactionOptions,
        deadline: Instant,
    ) -> Result<Arc<Core>, Error> {
        let lease = inner.lease(Which::Exclusive, deadline).await?;
        Ok(Arc::new(Core {
            inner: Arc::clone(inner),
            state: Mutex::new(State {
                lease: Some(lease),
                begin: Some(begin_statement(inner, options)),
                phase: Phase::Open,
                is_busy: false,
                savepoints: 0,
                has_leftovers: false,
                portals: Portals::default(),
            }),
        }))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Waits for the statement that runs, if any, and checks that another may.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = within(deadline, WaitingFor::Answer, self.state.lock()).await?;
        if state.is_busy {
            state.give_up();
        }
        match state.phase {
            Phase::Open | Phase::Failed => Ok(state),
            Phase::Lost => Err(Error::failed_transaction(ABORTED)),
            Phase::Ended => Err(Error::invalid(ENDED)),
        }
    }

    pub(super) async fn statement(
        &self,
        sql: &str,
        parameters: &Parameters,
        want: Want<'_>,
        deadline: Instant,
    ) -> Result<Packed, Error> {
        let kind = guard::check(sql, Place::Transaction)?;
        check_size(sql, parameters)?;
        let mut state = self.enter(deadline).await?;
        state.prepare_for(kind);
        let work = state.run(&self.inner, sql, parameters, kind, want);
        let result = within(deadline, WaitingFor::Answer, work).await;
        state.leave(result).map(|answer| answer.packed)
    }

    pub(super) async fn batch(
        &self,
        statements: &[(String, Parameters)],
        want: Want<'_>,
        deadline: Instant,
    ) -> Result<Vec<Packed>, BatchError> {
        let mut kinds = Vec::with_capacity(statements.len());
        for (index, (sql, parameters)) in statements.iter().enumerate() {
            let kind = check_size(sql, parameters)
                .and_then(|()| guard::check(sql, Place::Transaction))
                .map_err(|error| BatchError { index, error })?;
            kinds.push(kind);
        }
        let whole = |error| BatchError { index: statements.len(), error };
        let mut state = self.enter(deadline).await.map_err(whole)?;
        let mut results = Vec::with_capacity(statements.len());
        while results.len() < statements.len() {
            let first = results.len();
            let segment = segment(statements, &kinds, first);
            for (_, kind) in &segment {
                state.prepare_for(*kind);
            }
            let work = state.run_many(&self.inner, &segment, want);
            let answers = match within(deadline, WaitingFor::Answer, work).await {
                Ok(answers) => answers,
                Err(timeout) => {
                    state.give_up();
                    return Err(whole(timeout));
                }
            };
            let mut failed = None;
            for (offset, answer) in answers.into_iter().enumerate() {
                match state.leave(Ok(answer)) {
                    Ok(answer) if failed.is_none() => results.push(answer.packed),
                    Ok(_) => {}
                    Err(error) => {
                        failed.get_or_insert(BatchError { index: first + offset, error });
                    }
                }
            }
            if let Some(failed) = failed {
                return Err(failed);
            }
        }
        Ok(results)
    }

    pub(super) async fn savepoint(&self, deadline: Instant) -> Result<(), Error> {
        let mut state = self.enter(deadline).await?;
        if state.savepoints >= MAXIMUM_SAVEPOINTS {
            return Err(Error::invalid(format!(
                "there are {MAXIMUM_SAVEPOINTS} savepoints already"
            )));
        }
        let sql = format!("savepoint sp_{}", state.savepoints + 1);
        state.command(&sql, deadline).await?;
        state.savepoints += 1;
        Ok(())
    }

    pub(super) async fn release_savepoint(&self, deadline: Instant) -> Result<(), Error> {
        let mut state = self.enter(deadline).await?;
        let depth = state.innermost()?;
        state.command(&format!("release savepoint sp_{depth}"), deadline).await?;
        state.savepoints = depth - 1;
        state.portals.release(depth - 1);
        Ok(())
    }

    pub(super) async fn rollback_to_savepoint(&self, deadline: Instant) -> Result<(), Error> {
        let mut state = self.enter(deadline).await?;
        let depth = state.innermost()?;
        let sql = format!("rollback to savepoint sp_{depth}; release savepoint sp_{depth}");
        state.command(&sql, deadline).await?;
        state.savepoints = depth - 1;
        state.phase = Phase::Open;
        // Postgres closes the cursors that were opened since.
        state.portals.close_deeper_than(depth - 1);
        Ok(())
    }

    pub(super) async fn commit(&self, deadline: Instant) -> Result<(), Error> {
        let mut state = match self.enter(deadline).await {
            Ok(state) => state,
            Err(error) => return Err(self.acknowledge(error)),
        };
        if state.phase == Phase::Failed {
            state.finish("rollback", deadline).await?;
            return Err(Error::failed_transaction(
                "the transaction was rolled back, since a statement in it had failed",
            ));
        }
        state.finish("commit", deadline).await
    }

    pub(super) async fn rollback(&self, deadline: Instant) -> Result<(), Error> {
        match self.enter(deadline).await {
            Ok(mut state) => state.finish("rollback", deadline).await,
            // What was given up is rolled back already.
            Err(Error::Database(error)) => {
                let _told = self.acknowledge(Error::Database(error));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The user was told that the transaction was lost; from now on it has ended.
    fn acknowledge(&self, error: Error) -> Error {
        if let Ok(mut state) = self.state.try_lock()
            && state.phase == Phase::Lost
        {
            state.phase = Phase::Ended;
        }
        error
    }

    /// Ends the transaction without waiting.
    pub(super) fn close(self: &Arc<Self>) {
        if let Ok(mut state) = self.state.try_lock() {
            state.close();
            return;
        }
        // A cursor is being read at this moment: wait for it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let core = Arc::clone(self);
            runtime.spawn(async move { core.state.lock().await.close() });
        }
    }

    /// A cursor of this transaction was dropped.
    pub(crate) fn close_portal(self: &Arc<Self>, id: u64) {
        if let Ok(mut state) = self.state.try_lock() {
            state.portals.close(id);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let core = Arc::clone(self);
            runtime.spawn(async move { core.state.lock().await.portals.close(id) });
        }
    }
}

/// The statements from `first` on that can be sent at once. A statement that may
/// change the schema ends them, since what follows may only be prepared after it: a
/// failure to prepare would abort the transaction.
fn segment<'a>(
    statements: &'a [(String, Parameters)],
    kinds: &[Kind],
    first: usize,
) -> Vec<(&'a (String, Parameters), Kind)> {
    let rest = statements.iter().zip(kinds.iter().copied()).skip(first);
    let mut segment = Vec::new();
    for (statement, kind) in rest {
        segment.push((statement, kind));
        if matches!(kind, Kind::Utility | Kind::Tainting) {
            break;
        }
    }
    segment
}

/// Answers of which the one at `index` is the failure, and those before it do not
/// count, since it aborted the transaction.
fn before_failure(index: usize, failure: Failure) -> Vec<Result<Answer, Failure>> {
    let mut answers = Vec::with_capacity(index + 1);
    answers.resize_with(index, || Ok(Answer::empty()));
    answers.push(Err(failure));
    answers
}

impl State {
    pub(super) fn connection(&self) -> Result<&Connection, Failure> {
        let lease = self.lease.as_ref().ok_or_else(|| Failure::Ours(Error::invalid(ENDED)))?;
        lease.connection().map_err(Failure::Ours)
    }

    /// Notes that something is about to be sent.
    pub(super) fn prepare_for(&mut self, kind: Kind) {
        self.is_busy = true;
        if let Some(lease) = &mut self.lease {
            lease.begin_use();
            if kind == Kind::Tainting {
                lease.taint();
            }
        }
    }

    /// Takes the end of a statement in: what does it mean for the transaction?
    pub(super) fn leave<T>(
        &mut self,
        result: Result<Result<T, Failure>, Error>,
    ) -> Result<T, Error> {
        let failure = match result {
            Ok(Ok(value)) => {
                self.is_busy = false;
                return Ok(value);
            }
            Ok(Err(failure)) => failure,
            Err(timeout) => {
                self.give_up();
                return Err(timeout);
            }
        };
        self.is_busy = false;
        let is_ours = matches!(failure, Failure::Ours(_));
        let is_settled = failure.is_settled();
        let is_from_postgres = failure.is_from_postgres();
        let error = match self.connection() {
            Ok(connection) => failure.into_error(connection),
            Err(_) => Error::invalid(ENDED),
        };
        let is_lost = matches!(error, Error::Unavailable(_)) || !is_settled;
        if is_lost || !(is_ours || is_from_postgres) {
            self.give_up();
        } else if is_from_postgres {
            self.phase = Phase::Failed;
        }
        Err(error)
    }

    /// Gives the connection up. The server rolls back by itself.
    fn give_up(&mut self) {
        self.is_busy = false;
        self.portals.clear();
        if matches!(self.phase, Phase::Open | Phase::Failed) {
            self.phase = Phase::Lost;
        }
        self.lease = None;
    }

    fn innermost(&self) -> Result<usize, Error> {
        if self.savepoints == 0 {
            return Err(Error::invalid("the transaction has no savepoint"));
        }
        Ok(self.savepoints)
    }

    /// Runs work, and `BEGIN` before it in the same round trip if it was not sent.
    pub(super) async fn after_begin<T>(
        begin: Option<String>,
        connection: &Connection,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let Some(begin) = begin else { return work.await };
        let (begun, result) = join(connection.client().batch_execute(&begin), work).await;
        match begun {
            Ok(()) => result,
            // Without a transaction around it the statement must not count.
            Err(error) => Err(Failure::Unsettled(Failure::preparing(error).into_error(connection))),
        }
    }

    async fn run(
        &mut self,
        inner: &Inner,
        sql: &str,
        parameters: &Parameters,
        kind: Kind,
        want: Want<'_>,
    ) -> Result<Answer, Failure> {
        self.park().await?;
        let begin = self.begin.take();
        let connection = self.connection()?;
        let work = async || {
            let (plan, looked_up) =
                plan_in_transaction(inner, connection, sql, parameters, kind, want).await?;
            let answer = run::run(connection, &plan, sql, parameters, want).await?;
            Ok((answer, looked_up))
        };
        let result = match Self::after_begin(begin.clone(), connection, work()).await {
            Err(failure) if failure.is_stale() && begin.is_some() => {
                // Nothing happened in this transaction yet, so it can begin again.
                inner.schema_changed();
                let again = format!("rollback; {}", begin.unwrap_or_default());
                Self::after_begin(Some(again), connection, work()).await
            }
            Err(failure) => {
                if failure.is_stale() {
                    inner.schema_changed();
                }
                Err(failure)
            }
            result => result,
        };
        let (answer, looked_up) = result?;
        self.has_leftovers |= looked_up;
        Ok(answer)
    }

    /// Runs statements at once; one answer for each. When one can not be prepared none
    /// is run: its failure has aborted the transaction.
    async fn run_many(
        &mut self,
        inner: &Inner,
        statements: &[(&(String, Parameters), Kind)],
        want: Want<'_>,
    ) -> Vec<Result<Answer, Failure>> {
        let begin = self.begin.take();
        let mut has_leftovers = false;
        let answers = self.try_many(inner, statements, want, begin, &mut has_leftovers).await;
        self.has_leftovers |= has_leftovers;
        answers.unwrap_or_else(|failure| vec![Err(failure)])
    }

    async fn try_many(
        &mut self,
        inner: &Inner,
        statements: &[(&(String, Parameters), Kind)],
        want: Want<'_>,
        begin: Option<String>,
        has_leftovers: &mut bool,
    ) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        self.park().await?;
        let connection = self.connection()?;
        let work = async {
            let planning = statements.iter().map(|((sql, parameters), kind)| {
                plan_in_transaction(inner, connection, sql, parameters, *kind, want)
            });
            let mut plans = Vec::with_capacity(statements.len());
            let mut failed = None;
            for planned in join_all(planning).await {
                match planned {
                    Ok((plan, looked_up)) => {
                        *has_leftovers |= looked_up;
                        plans.push(plan);
                    }
                    Err(failure) if failed.is_none() => failed = Some((plans.len(), failure)),
                    Err(_) => {}
                }
            }
            if let Some((index, failure)) = failed {
                return Ok(before_failure(index, failure));
            }
            let flying = statements.iter().zip(&plans).map(|(((sql, parameters), _), plan)| {
                run::run(connection, plan, sql, parameters, want)
            });
            Ok(join_all(flying).await)
        };
        Self::after_begin(begin, connection, work).await
    }

    /// Runs a command of the host's own.
    async fn command(&mut self, sql: &str, deadline: Instant) -> Result<(), Error> {
        self.prepare_for(Kind::Utility);
        let work = async {
            self.park().await?;
            let begin = self.begin.take();
            let connection = self.connection()?;
            let work =
                async { connection.client().batch_execute(sql).await.map_err(Failure::executing) };
            Self::after_begin(begin, connection, work).await
        };
        let result = within(deadline, WaitingFor::Answer, work).await;
        self.leave(result)
    }

    /// Ends the transaction with `commit` or `rollback`.
    async fn finish(&mut self, how: &str, deadline: Instant) -> Result<(), Error> {
        self.portals.clear();
        let Some(mut lease) = self.lease.take() else { return Err(Error::invalid(ENDED)) };
        self.phase = Phase::Ended;
        if self.begin.take().is_some() {
            // Nothing was sent, so nothing is to be ended.
            return Ok(());
        }
        let sql = if self.has_leftovers {
            lease.taint();
            format!("deallocate all; {how}")
        } else {
            how.to_owned()
        };
        lease.begin_use();
        let connection = lease.connection()?;
        let ending = connection.client().batch_execute(&sql);
        let ended = within(deadline, WaitingFor::Answer, ending).await?;
        let result = ended.map_err(|error| Failure::executing(error).into_error(connection));
        // An error of Postgres means that it was rolled back: outside of a
        // transaction in both cases.
        if matches!(result, Ok(()) | Err(Error::Database(_))) {
            lease.end_use();
        }
        result
    }

    fn close(&mut self) {
        self.portals.clear();
        self.phase = Phase::Ended;
        let Some(mut lease) = self.lease.take() else { return };
        if self.begin.is_some() || self.is_busy {
            // Never begun: clean. Busy: the lease gives the connection up.
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let sql = if self.has_leftovers { "deallocate all; rollback" } else { "rollback" };
        if self.has_leftovers {
            lease.taint();
        }
        runtime.spawn(async move {
            let Ok(connection) = lease.connection() else { return };
            let rolling_back = connection.client().batch_execute(sql);
            if matches!(timeout(ROLLBACK_PATIENCE, rolling_back).await, Ok(Ok(()))) {
                lease.end_use();
            }
        });
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
