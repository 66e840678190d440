//! Several statements in one transaction, in as few round trips as their results
//! allow. Owns the first failure and what it means for the connection. Never commits
//! a part.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use futures_util::future::{MaybeDone, join, join_all, join3, maybe_done};

use super::batch::{Statement, Step, check, prepare_all};
use super::exclusive::{Lease, Which};
use super::inner::Inner;
use super::single::within;
use crate::classify::Stage;
use crate::connection::Connection;
use crate::endpoint::StatementMode;
use crate::error::{BatchError, Error, WaitingFor};
use crate::guard::{Kind, Place};
use crate::packed::{Budget, Caps, Header, Layout, Packed};
use crate::run::{self, Answer, Failure, Plan, Want};
use crate::transaction::{TransactionOptions, begin_statement, plan_in_transaction};

/// Statements in one transaction.
pub(super) async fn run(
    inner: &Arc<Inner>,
    statements: &[Statement],
    header: Header,
    caps: Caps,
    deadline: Instant,
) -> Result<Vec<Packed>, BatchError> {
    let whole = |error| BatchError { index: statements.len(), error };
    let mut kinds = Vec::with_capacity(statements.len());
    for (index, (sql, parameters)) in statements.iter().enumerate() {
        let kind = check(sql, parameters, Place::Transaction);
        kinds.push(kind.map_err(|error| BatchError { index, error })?);
    }
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let mut is_first = true;
    loop {
        let budget = Budget::new(caps);
        let want = Want::Rows(header, &budget);
        let mut lease = inner.lease(Which::Exclusive, deadline).await.map_err(whole)?;
        if kinds.contains(&Kind::Tainting) {
            lease.taint();
        }
        lease.begin_use();
        let running = Atomic { inner, statements, kinds: &kinds, want }.run(&mut lease);
        let failure = match within(deadline, WaitingFor::Answer, running).await {
            Ok(Ok(results)) => return Ok(results),
            Ok(Err(failure)) => failure,
            Err(timeout) => return Err(whole(timeout)),
        };
        if !(failure.is_stale && is_first) {
            return Err(BatchError { index: failure.index, error: failure.error });
        }
        // Everything was rolled back, so everything may run again.
        inner.schema_changed();
        is_first = false;
    }
}

/// One attempt at an atomic batch.
struct Atomic<'a> {
    inner: &'a Inner,
    statements: &'a [Statement],
    kinds: &'a [Kind],
    want: Want<'a>,
}

struct AtomicFailure {
    index: usize,
    error: Error,
    is_stale: bool,
}

impl AtomicFailure {
    fn new(connection: &Connection, index: usize, failure: Failure) -> AtomicFailure {
        let is_stale = failure.is_stale();
        AtomicFailure { index, error: failure.into_error(connection), is_stale }
    }
}

impl Atomic<'_> {
    async fn run(self, lease: &mut Lease) -> Result<Vec<Packed>, AtomicFailure> {
        let connection = lease.connection().map_err(|error| self.whole(error))?;
        let (result, is_clean, must_taint) = self.run_on(connection).await;
        if must_taint {
            lease.taint();
        }
        let is_lost =
            matches!(&result, Err(failure) if matches!(failure.error, Error::Unavailable(_)));
        if is_clean && !is_lost {
            lease.end_use();
        }
        result
    }

    fn whole(&self, error: Error) -> AtomicFailure {
        AtomicFailure { index: self.statements.len(), error, is_stale: false }
    }

    /// The results, whether the connection is outside of a transaction again, and
    /// whether look-ups left something behind on it.
    async fn run_on(
        &self,
        connection: &Connection,
    ) -> (Result<Vec<Packed>, AtomicFailure>, bool, bool) {
        let client = connection.client();
        let executing = |error: &tokio_postgres::Error| connection.error(error, Stage::Executing);
        let begin_sql = begin_statement(self.inner, TransactionOptions::default());
        let mut steps = self.plan(connection).await;
        let mut begin = pin!(maybe_done(client.batch_execute(&begin_sql)));
        send(begin.as_mut()).await;
        let mut results = Vec::with_capacity(steps.len());
        let mut must_taint = false;
        let mut failure = None;
        while results.len() < steps.len() && failure.is_none() {
            let first = results.len();
            if let Some(step @ Step::Late(_)) = steps.get_mut(first) {
                match self.late(connection, first).await {
                    Ok((plan, looked_up)) => {
                        must_taint |= looked_up;
                        *step = Step::Ready(plan);
                    }
                    Err(error) => {
                        failure = Some((first, error));
                        break;
                    }
                }
            }
            let segment = self.segment(connection, &steps, first);
            let is_last = first + segment.len() == steps.len();
            let mut segment = pin!(maybe_done(join_all(segment)));
            send(segment.as_mut()).await;
            if is_last && first == 0 && !must_taint && steps.iter().all(returns_nothing) {
                // A failed statement makes this a rollback.
                let commit = client.batch_execute("commit");
                let ((), (), committed) = join3(begin.as_mut(), segment.as_mut(), commit).await;
                let answers = segment.take_output().unwrap_or_default();
                let failure = keep(connection, &mut results, answers, first);
                let started = begin.take_output().unwrap_or(Ok(()));
                let is_clean = started.is_ok() && !connection.is_closed();
                let result = match (started, failure, committed) {
                    (Err(error), ..) | (Ok(()), None, Err(error)) => {
                        Err(self.whole(executing(&error)))
                    }
                    (Ok(()), Some((index, failure)), _) => {
                        Err(AtomicFailure::new(connection, index, failure))
                    }
                    (Ok(()), None, Ok(())) => Ok(results),
                };
                return (result, is_clean, false);
            }
            join(begin.as_mut(), segment.as_mut()).await;
            let answers = segment.take_output().unwrap_or_default();
            failure = keep(connection, &mut results, answers, first);
        }
        begin.as_mut().await;
        if let Some(Err(error)) = begin.take_output() {
            return (Err(self.whole(executing(&error))), false, true);
        }
        self.end(connection, results, failure, must_taint).await
    }

    async fn end(
        &self,
        connection: &Connection,
        results: Vec<Packed>,
        failure: Option<(usize, Failure)>,
        must_taint: bool,
    ) -> (Result<Vec<Packed>, AtomicFailure>, bool, bool) {
        let client = connection.client();
        let Some((index, failure)) = failure else {
            let sql = if must_taint { "deallocate all; commit" } else { "commit" };
            let result = client
                .batch_execute(sql)
                .await
                .map_err(|error| self.whole(connection.error(&error, Stage::Executing)));
            return (result.map(|()| results), !connection.is_closed(), must_taint);
        };
        let is_clean = failure.is_settled() && client.batch_execute("rollback").await.is_ok();
        // What the look-ups left behind outlives the failed transaction.
        (Err(AtomicFailure::new(connection, index, failure)), is_clean, must_taint)
    }

    async fn plan(&self, connection: &Connection) -> Vec<Step> {
        if self.inner.mode() == StatementMode::Named {
            return prepare_all(self.inner, connection, self.statements, Place::Transaction).await;
        }
        let known = |(sql, parameters): &Statement| {
            let shape = self.inner.shapes.get(sql, parameters)?;
            connection.knows_types(&shape.user_types).then(|| Arc::clone(&shape.layout))
        };
        let step = |(statement, kind): (&Statement, &Kind)| match known(statement) {
            Some(layout) => Step::Ready(Plan::Unnamed(layout)),
            None if matches!(kind, Kind::Read | Kind::Write) => Step::Late(*kind),
            None => Step::Ready(Plan::Unnamed(Arc::new(Layout::default()))),
        };
        self.statements.iter().zip(self.kinds).map(step).collect()
    }

    async fn late(&self, connection: &Connection, index: usize) -> Result<(Plan, bool), Failure> {
        let missing = || Failure::Ours(Error::invalid("the batch has no such statement"));
        let (sql, parameters) = self.statements.get(index).ok_or_else(missing)?;
        let kind = self.kinds.get(index).copied().ok_or_else(missing)?;
        plan_in_transaction(self.inner, connection, sql, parameters, kind, self.want).await
    }

    /// The statements from `first` on that can be sent at once.
    fn segment<'a>(
        &'a self,
        connection: &'a Connection,
        steps: &'a [Step],
        first: usize,
    ) -> Vec<impl Future<Output = Result<Answer, Failure>> + use<'a>> {
        let rest = self.statements.iter().zip(steps).skip(first);
        rest.take_while(|(_, step)| !matches!(step, Step::Late(_)))
            .map(|((sql, parameters), step)| async move {
                match step {
                    Step::Ready(plan) => {
                        run::run(connection, plan, sql, parameters, self.want).await
                    }
                    Step::Refused(error) => Err(Failure::Ours(error.clone())),
                    Step::Late(_) => Err(Failure::Ours(Error::invalid("not prepared yet"))),
                }
            })
            .collect()
    }
}

/// Polls once, which hands the message to the driver.
async fn send<F: Future>(mut future: Pin<&mut MaybeDone<F>>) {
    std::future::poll_fn(|cx| {
        let _ = future.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
}

fn returns_nothing(step: &Step) -> bool {
    match step {
        Step::Ready(Plan::Named(prepared)) => prepared.layout.columns.is_empty(),
        Step::Ready(Plan::Unnamed(layout)) => layout.columns.is_empty(),
        Step::Late(_) | Step::Refused(_) => false,
    }
}

/// Keeps the results before the first failure. When rows of any statement are still
/// on their way, the failure says so.
fn keep(
    connection: &Connection,
    results: &mut Vec<Packed>,
    answers: Vec<Result<Answer, Failure>>,
    first: usize,
) -> Option<(usize, Failure)> {
    let mut failure = None;
    let mut is_settled = true;
    for (offset, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(answer) if failure.is_none() => results.push(answer.packed),
            Ok(_) => {}
            Err(error) => {
                is_settled &= error.is_settled();
                failure.get_or_insert((first + offset, error));
            }
        }
    }
    match failure {
        Some((index, error)) if !is_settled => {
            Some((index, Failure::Unsettled(error.into_error(connection))))
        }
        failure => failure,
    }
}
