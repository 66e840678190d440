//! One statement that commits by itself, on a shared connection. Owns when it is
//! tried again: only while nothing of it was executed. Never runs it twice.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout_at};

use super::inner::Inner;
use super::shapes::Shape;
use super::shared::SharedLease;
use crate::connection::Connection;
use crate::endpoint::StatementMode;
use crate::error::{Error, Execution, WaitingFor};
use crate::guard::{self, Kind, Place};
use crate::packed::{Layout, Packed};
use crate::parameters::Parameters;
use crate::run::{self, Answer, Failure, Plan, Want};

/// Attempts at a statement that was not executed yet.
const ATTEMPTS: u32 = 4;
/// Pause before the second of them, doubled for each further one.
const PAUSE: Duration = Duration::from_millis(50);
/// A message of the protocol has a signed 32-bit length; a quarter of that leaves
/// room for what frames the values.
const MAXIMUM_STATEMENT: usize = 512 * 1024 * 1024;
/// How long the columns of a statement are believed when no row confirms them.
const SHAPE_TRUST: Duration = Duration::from_mins(1);

/// Waits for a future until a deadline.
pub(crate) async fn within<T>(
    deadline: Instant,
    waiting_for: WaitingFor,
    future: impl Future<Output = T>,
) -> Result<T, Error> {
    // Polled even once, the future could send a statement.
    if Instant::now() >= deadline {
        return Err(Error::Timeout { waiting_for });
    }
    timeout_at(deadline.into(), future).await.map_err(|_| Error::Timeout { waiting_for })
}

pub(crate) fn check_size(sql: &str, parameters: &Parameters) -> Result<(), Error> {
    if sql.len().saturating_add(parameters.size()) > MAXIMUM_STATEMENT {
        return Err(Error::invalid("the statement and its parameters are larger than 512 MiB"));
    }
    Ok(())
}

/// One attempt's end.
enum Attempt {
    /// The statement's result, or its failure.
    Done(Result<Packed, Error>),
    /// Nothing was executed, and another attempt may fare better.
    Again(Error),
}

impl Inner {
    pub(crate) async fn single(
        self: &Arc<Self>,
        sql: &str,
        parameters: &Parameters,
        want: Want<'_>,
        deadline: Instant,
    ) -> Result<Packed, Error> {
        let kind = guard::check(sql, Place::Autocommit)?;
        check_size(sql, parameters)?;
        if Instant::now() >= deadline {
            return Err(Error::Timeout { waiting_for: WaitingFor::Connection });
        }
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(sql, parameters, kind, want, deadline).await {
                Attempt::Done(result) => return result,
                Attempt::Again(error) => error,
            };
            attempt += 1;
            if attempt > ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(error);
            }
            // A stale statement is mended already; only a server needs time.
            if error.is_retryable_connect() && attempt > 2 {
                sleep(pause).await;
                pause *= 2;
            }
        }
    }

    async fn attempt(
        self: &Arc<Self>,
        sql: &str,
        parameters: &Parameters,
        kind: Kind,
        want: Want<'_>,
        deadline: Instant,
    ) -> Attempt {
        let shape = match self.shape_if_needed(sql, parameters, kind, want, deadline).await {
            Ok(shape) => shape,
            Err(error) => return Attempt::of(error),
        };
        let lease = match self.shared.acquire(self, deadline).await {
            Ok(lease) => lease,
            Err(error) => return Attempt::Done(Err(error)),
        };
        if let Some(shape) = &shape
            && !lease.connection().knows_types(&shape.user_types)
        {
            // The next connection learns the types while nobody else uses it.
            lease.retire();
            return Attempt::Again(Error::invalid("the types of the result are not known yet"));
        }
        let sending = self.send(lease.connection(), sql, parameters, shape.as_deref(), want);
        let result = match within(deadline, WaitingFor::Answer, sending).await {
            Ok(result) => result,
            Err(timeout) => {
                self.shapes.forget(sql, parameters);
                return Attempt::Done(Err(timeout));
            }
        };
        match result {
            Ok(answer) => {
                lease.settle();
                self.distrust(sql, parameters, shape.as_deref(), &answer);
                Attempt::Done(Ok(answer.packed))
            }
            Err(failure) => self.failed(lease, failure),
        }
    }

    async fn send(
        &self,
        connection: &Connection,
        sql: &str,
        parameters: &Parameters,
        shape: Option<&Shape>,
        want: Want<'_>,
    ) -> Result<Answer, Failure> {
        let plan = match self.mode() {
            StatementMode::Named => {
                Plan::Named(run::prepare(connection, sql, parameters, self.epoch()).await?)
            }
            StatementMode::Unnamed => Plan::Unnamed(match shape {
                Some(shape) => Arc::clone(&shape.layout),
                None => Arc::new(Layout::default()),
            }),
        };
        run::run(connection, &plan, sql, parameters, want).await
    }

    /// Behind a pooler a statement without rows says nothing of its columns, so they
    /// are found out before.
    pub(super) async fn shape_if_needed(
        self: &Arc<Self>,
        sql: &str,
        parameters: &Parameters,
        kind: Kind,
        want: Want<'_>,
        deadline: Instant,
    ) -> Result<Option<Arc<Shape>>, Error> {
        let has_rows = matches!(kind, Kind::Read | Kind::Write) && matches!(want, Want::Rows(..));
        if self.mode() == StatementMode::Named || !has_rows {
            return Ok(None);
        }
        self.shape(sql, parameters, deadline).await.map(Some)
    }

    /// Forgets columns that the rows contradict, or that no row has confirmed for
    /// long.
    pub(super) fn distrust(
        &self,
        sql: &str,
        parameters: &Parameters,
        shape: Option<&Shape>,
        answer: &Answer,
    ) {
        let Some(shape) = shape else { return };
        if !answer.fits || (answer.packed.rows == 0 && shape.learned.elapsed() > SHAPE_TRUST) {
            self.shapes.forget(sql, parameters);
        }
    }

    fn failed(&self, lease: SharedLease, failure: Failure) -> Attempt {
        let is_stale = failure.is_stale();
        let is_settled = failure.is_settled();
        let error = failure.into_error(lease.connection());
        if !is_settled {
            drop(lease);
        } else if matches!(error, Error::Unavailable(_))
            || (is_stale && self.mode() == StatementMode::Unnamed)
        {
            // The socket may take a moment to close after the server's last words. Stale
            // behind a pooler are only the driver's own look-ups of types.
            lease.retire();
        } else {
            lease.settle();
        }
        if is_stale {
            self.schema_changed();
            return Attempt::Again(error);
        }
        Attempt::of(error)
    }
}

impl Attempt {
    fn of(error: Error) -> Attempt {
        match &error {
            Error::Unavailable(unavailable)
                if unavailable.execution == Execution::NotExecuted
                    && unavailable.cause.is_transient() =>
            {
                Attempt::Again(error)
            }
            _ => Attempt::Done(Err(error)),
        }
    }
}
