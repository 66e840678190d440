//! What is known of a transaction: its connection, whether Postgres takes statements
//! on it, its savepoints and cursors. Owns what the end of each statement means for
//! it. Never waits for a lock or a clock.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use tokio::time::timeout;

use super::options::plan_in_transaction;
use super::portal::Portals;
use crate::connection::Connection;
use crate::error::{Error, WaitingFor};
use crate::guard::Kind;
use crate::parameters::Parameters;
use crate::pool::{Inner, Lease, within};
use crate::run::{self, Answer, Failure, Want};

/// How long the rollback of a dropped transaction may take.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(5);

pub(super) const ENDED: &str = "the transaction has ended";

pub(super) struct State {
    lease: Option<Lease>,
    /// `BEGIN`, until it was sent.
    pub(super) begin: Option<String>,
    pub(super) phase: Phase,
    /// A statement was sent and its end was not seen. Still set at the next one, its
    /// future was dropped.
    pub(super) is_busy: bool,
    pub(super) savepoints: usize,
    /// Type look-ups left statements on the server behind a pooler.
    pub(super) has_leftovers: bool,
    pub(super) portals: Portals,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Postgres takes statements.
    Open,
    /// A statement failed; Postgres takes only rollbacks.
    Failed,
    /// Given up and rolled back, which the user was not told yet.
    Lost,
    /// Committed or rolled back.
    Ended,
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
    pub(super) fn new(lease: Lease, begin: String) -> State {
        State {
            lease: Some(lease),
            begin: Some(begin),
            phase: Phase::Open,
            is_busy: false,
            savepoints: 0,
            has_leftovers: false,
            portals: Portals::default(),
        }
    }

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
    pub(super) fn give_up(&mut self) {
        self.is_busy = false;
        self.portals.clear();
        if matches!(self.phase, Phase::Open | Phase::Failed) {
            self.phase = Phase::Lost;
        }
        self.lease = None;
    }

    pub(super) fn innermost(&self) -> Result<usize, Error> {
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
        let (started, result) = join(connection.client().batch_execute(&begin), work).await;
        match started {
            Ok(()) => result,
            // Without a transaction around it the statement must not count.
            Err(error) => Err(Failure::Unsettled(Failure::preparing(error).into_error(connection))),
        }
    }

    pub(super) async fn run(
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
    pub(super) async fn run_many(
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
    pub(super) async fn command(&mut self, sql: &str, deadline: Instant) -> Result<(), Error> {
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
    pub(super) async fn finish(&mut self, how: &str, deadline: Instant) -> Result<(), Error> {
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

    pub(super) fn close(&mut self) {
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
