//! One transaction, shared with its cursors: what its users ask for, one after the
//! other and within deadlines. Never retries a statement.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, MutexGuard};

use super::MAXIMUM_SAVEPOINTS;
use super::local::Local;
use super::options::{TransactionOptions, begin_statement};
use super::state::{ENDED, Phase, State};
use crate::error::{BatchError, Error, WaitingFor};
use crate::guard::{self, Kind, Place};
use crate::packed::Packed;
use crate::parameters::Parameters;
use crate::pool::{Inner, Which, check_size, within};
use crate::run::Want;

const ABORTED: &str =
    "current transaction is aborted, commands ignored until end of transaction block";

pub(crate) struct Core {
    inner: Arc<Inner>,
    /// What its statements are checked by.
    place: Place,
    state: Mutex<State>,
}

impl Core {
    pub(super) async fn begin(
        inner: &Arc<Inner>,
        options: TransactionOptions,
        local: &Local,
        deadline: Instant,
    ) -> Result<Arc<Core>, Error> {
        let lease = inner.lease(Which::Exclusive, deadline).await?;
        let begin = begin_statement(inner, options) + &local.sql();
        let place = if local.is_empty() { Place::Transaction } else { Place::Fixed };
        let state = Mutex::new(State::new(lease, begin));
        Ok(Arc::new(Core { inner: Arc::clone(inner), place, state }))
    }

    /// What its statements are checked by.
    pub(super) fn place(&self) -> Place {
        self.place
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
        let kind = guard::check(sql, self.place)?;
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
                .and_then(|()| guard::check(sql, self.place))
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

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
