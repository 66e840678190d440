//! Several statements at once, each committing by itself. Owns their order and what
//! is pipelined. Never lets a statement overtake an earlier one.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::{Either, join_all, ready};
use futures_util::stream::FuturesOrdered;

use super::inner::Inner;
use super::shared::SharedLease;
use super::single::{check_size, within};
use crate::connection::Connection;
use crate::endpoint::StatementMode;
use crate::error::{Error, Execution, WaitingFor};
use crate::guard::{self, Kind, Place};
use crate::packed::{Budget, Caps, Header, Layout, Packed};
use crate::parameters::Parameters;
use crate::run::{self, Answer, Failure, Plan, Want};

pub(super) type Statement = (String, Parameters);

/// How a statement of a batch can be sent.
pub(super) enum Step {
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

pub(super) fn check(sql: &str, parameters: &Parameters, place: Place) -> Result<Kind, Error> {
    check_size(sql, parameters)?;
    guard::check(sql, place)
}

/// Prepares all statements that are not, at once.
pub(super) async fn prepare_all(
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
