//! Several statements at once. Owns their order, what is pipelined, and the first
//! failure of an atomic batch. Never lets a statement overtake an earlier one.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::{Either, join, join_all, join3, maybe_done, ready};
use futures_util::stream::FuturesOrdered;

use super::exclusive::{Lease, Which};
use super::inner::Inner;
use super::shared::SharedLease;
use super::single::{check_size, within};
use crate::TransactionOptions;
use crate::connection::Connection;
use crate::endpoint::StatementMode;
use crate::error::{BatchError, Error, Execution, WaitingFor};
use crate::guard::{self, Kind, Place};
use crate::packed::{Budget, Caps, Header, Layout, Packed};
use crate::parameters::Parameters;
use crate::run::{self, Answer, Failure, Plan, Want};
use crate::transaction::{begin_statement, plan_in_transaction};

type Statement = (String, Parameters);

/// How a statement of a batch can be sent.
enum Step {
    Ready(Plan),
    /// It could not be prepared yet; perhaps an earlier statement creates what it
    /// needs. It is prepared at its turn.
    Late(Kind),
    Refused(Error),
}

/// What became of a statement.
enum Outcome {
    Done(Packed),
    Failed(Error),
    /// Failed because what was prepared is stale: nothing was executed.
    Stale(Error),
}

impl Outcome {
    fn of(connection: &Connection, result: Result<Answer, Failure>) -> Outcome {
        match result {
            Ok(answer) => Outcome::Done(answer.packed),
            Err(failure) if failure.is_stale() => Outcome::Stale(failure.into_error(connection)),
            Err(failure) => Outcome::Failed(failure.into_error(connection)),
        }
    }

    fn is_unexecuted(&self) -> bool {
        match self {
            Outcome::Done(_) => false,
            Outcome::Stale(_) => true,
            Outcome::Failed(error) => error.execution() == Execution::NotExecuted,
        }
    }

    fn into_result(self) -> Result<Packed, Error> {
        match self {
            Outcome::Done(packed) => Ok(packed),
            Outcome::Failed(error) | Outcome::Stale(error) => Err(error),
        }
    }
}

/// Statements that each commit by themselves.
pub(super) async fn independent(
    inner: &Arc<Inner>,
    statements: &[Statement],
    header: Header,
    caps: Caps,
    deadline: Instant,
) -> Result<Vec<Result<Packed, Error>>, Error> {
    let budget = Budget::new(caps);
    let want = Want::Rows(header, &budget);
    let mut outcomes = run_tail(inner, statements, want, deadline).await?;
    // After the schema changed the statements prepared before it fail without being
    // executed. They are run again when no later one has taken effect meanwhile.
    let stale = outcomes.iter().position(|outcome| matches!(outcome, Outcome::Stale(_)));
    if let Some(first) = stale
        && outcomes.iter().skip(first).all(Outcome::is_unexecuted)
    {
        inner.schema_changed();
        outcomes.truncate(first);
        let tail = statements.get(first..).unwrap_or_default();
        outcomes.extend(run_tail(inner, tail, want, deadline).await?);
    }
    Ok(outcomes.into_iter().map(Outcome::into_result).collect())
}

async fn run_tail(
    inner: &Arc<Inner>,
    statements: &[Statement],
    want: Want<'_>,
    deadline: Instant,
) -> Result<Vec<Outcome>, Error> {
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let (lease, steps) = plan_shared(inner, statements, want, deadline).await?;
    let (outcomes, is_settled) = run_shared(inner, &lease, statements, steps, want, deadline).await;
    let is_lost = |outcome: &Outcome| matches!(outcome, Outcome::Failed(Error::Unavailable(_)));
    if is_settled && outcomes.iter().any(is_lost) {
        lease.retire();
    } else if is_settled {
        lease.settle();
    }
    Ok(outcomes)
}

/// A shared connection, and how each statement is sent on it.
async fn plan_shared(
    inner: &Arc<Inner>,
    statements: &[Statement],
    want: Want<'_>,
    deadline: Instant,
) -> Result<(SharedLease, Vec<Step>), Error> {
    if inner.mode() == StatementMode::Named {
        let lease = inner.shared.acquire(inner, deadline).await?;
        let plans = prepare_all(inner, lease.connection(), statements, Place::Autocommit);
        let steps = within(deadline, WaitingFor::Answer, plans).await?;
        return Ok((lease, steps));
    }
    let mut steps = Vec::with_capacity(statements.len());
    let mut user_types = Vec::new();
    for (sql, parameters) in statements {
        let kind = match check(sql, parameters, Place::Autocommit) {
            Ok(kind) => kind,
            Err(error) => {
                steps.push(Step::Refused(error));
                continue;
            }
        };
        steps.push(match inner.shape_if_needed(sql, parameters, kind, want, deadline).await {
            Ok(Some(shape)) => {
                user_types.extend_from_slice(&shape.user_types);
                Step::Ready(Plan::Unnamed(Arc::clone(&shape.layout)))
            }
            Ok(None) => Step::Ready(Plan::Unnamed(Arc::new(Layout::default()))),
            Err(Error::Database(_)) => Step::Late(kind),
            Err(error) => return Err(error),
        });
    }
    // A connection that is too old to know the types makes way for one that does.
    for _ in 0..inner.options().shared.max(1) {
        let lease = inner.shared.acquire(inner, deadline).await?;
        if lease.connection().knows_types(&user_types) {
            return Ok((lease, steps));
        }
        lease.retire();
    }
    Ok((inner.shared.acquire(inner, deadline).await?, steps))
}

fn check(sql: &str, parameters: &Parameters, place: Place) -> Result<Kind, Error> {
    check_size(sql, parameters)?;
    guard::check(sql, place)
}

/// Prepares all statements that are not, at once.
async fn prepare_all(
    inner: &Inner,
    connection: &Connection,
    statements: &[Statement],
    place: Place,
) -> Vec<Step> {
    let epoch = inner.epoch();
    join_all(statements.iter().map(|(sql, parameters)| async move {
        let kind = match check(sql, parameters, place) {
            Ok(kind) => kind,
            Err(error) => return Step::Refused(error),
        };
        match run::prepare(connection, sql, parameters, epoch).await {
            Ok(prepared) => Step::Ready(Plan::Named(prepared)),
            Err(Failure::Ours(error)) => Step::Refused(error),
            Err(_) => Step::Late(kind),
        }
    }))
    .await
}

/// Runs the statements in order; true when the connection may be kept.
async fn run_shared(
    inner: &Arc<Inner>,
    lease: &SharedLease,
    statements: &[Statement],
    steps: Vec<Step>,
    want: Want<'_>,
    deadline: Instant,
) -> (Vec<Outcome>, bool) {
    let connection = lease.connection();
    let mut outcomes = Vec::with_capacity(statements.len());
    let mut is_settled = true;
    let mut steps = statements.iter().zip(steps).peekable();
    while steps.peek().is_some() {
        let mut flying = FuturesOrdered::new();
        while let Some(((sql, parameters), step)) =
            steps.next_if(|(_, step)| flying.is_empty() || !matches!(step, Step::Late(_)))
        {
            let plan = match step {
                Step::Ready(plan) => Ok(plan),
                Step::Refused(error) => Err(Failure::Ours(error)),
                Step::Late(kind) => {
                    late_plan(inner, connection, sql, parameters, kind, want, deadline).await
                }
            };
            flying.push_back(match plan {
                Ok(plan) => {
                    Either::Left(
                        async move { run::run(connection, &plan, sql, parameters, want).await },
                    )
                }
                Err(failure) => Either::Right(ready(Err(failure))),
            });
        }
        while !flying.is_empty() {
            let Ok(Some(result)) = within(deadline, WaitingFor::Answer, flying.next()).await else {
                // What was sent is in the server's hands.
                let timeout =
                    || Outcome::Failed(Error::Timeout { waiting_for: WaitingFor::Answer });
                outcomes.resize_with(statements.len(), timeout);
                return (outcomes, false);
            };
            is_settled &= result.as_ref().map_or_else(Failure::is_settled, |_| true);
            outcomes.push(Outcome::of(connection, result));
        }
    }
    (outcomes, is_settled)
}

/// The plan of a statement whose turn has come.
async fn late_plan(
    inner: &Arc<Inner>,
    connection: &Connection,
    sql: &str,
    parameters: &Parameters,
    kind: Kind,
    want: Want<'_>,
    deadline: Instant,
) -> Result<Plan, Failure> {
    if inner.mode() == StatementMode::Named {
        let preparing = run::prepare(connection, sql, parameters, inner.epoch());
        let prepared = within(deadline, WaitingFor::Answer, preparing).await;
        return Ok(Plan::Named(prepared.map_err(Failure::Unsettled)??));
    }
    let shape = inner.shape_if_needed(sql, parameters, kind, want, deadline).await;
    let Some(shape) = shape.map_err(Failure::Ours)? else {
        return Ok(Plan::Unnamed(Arc::new(Layout::default())));
    };
    if connection.knows_types(&shape.user_types) {
        Ok(Plan::Unnamed(Arc::clone(&shape.layout)))
    } else {
        Err(Failure::Ours(Error::invalid(
            "the statement returns a type that was created in the same batch",
        )))
    }
}

/// Statements in one transaction.
pub(super) async fn atomic(
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
        let executing = |error: &tokio_postgres::Error| {
            connection.error(error, crate::classify::Stage::Executing)
        };
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
                let (_, (), committed) = join3(begin.as_mut(), segment.as_mut(), commit).await;
                let answers = segment.take_output().unwrap_or_default();
                let failure = keep(connection, &mut results, answers, first);
                let begun = begin.take_output().unwrap_or(Ok(()));
                let is_clean = begun.is_ok() && !connection.is_closed();
                let result = match (begun, failure, committed) {
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
            let result = client.batch_execute(sql).await.map_err(|error| {
                self.whole(connection.error(&error, crate::classify::Stage::Executing))
            });
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
async fn send<F: Future>(mut future: std::pin::Pin<&mut futures_util::future::MaybeDone<F>>) {
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
