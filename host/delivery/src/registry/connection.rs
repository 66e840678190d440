//! The connections of a registry: one is kept between operations, more are made when several run at
//! once. Never: keeps one on which something went wrong.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use avenire_postgres::{Error, Row, Session, ToSql, Type, UnavailableCause, WaitingFor};
use tokio::time::timeout_at;

use super::Registry;
use super::change::Change;
use super::error::RegistryError;

/// The parameters of a statement.
pub(super) type Parameters<'a> = [(&'a (dyn ToSql + Sync), Type)];

/// A little less than the deadline is what Postgres is told of it, so that it gives up first.
const SPARE: Duration = Duration::from_millis(200);

impl Registry {
    /// Runs one statement, twice when the connection was lost: only what may be repeated.
    pub(super) async fn rows(
        &self,
        doing: &'static str,
        sql: &str,
        parameters: &Parameters<'_>,
        deadline: Instant,
    ) -> Result<Vec<Row>, RegistryError> {
        if let Some(session) = self.kept() {
            let result = within(deadline, session.query(sql, parameters)).await;
            // It may have been cut while it was idle.
            if !result.as_ref().is_err_and(is_lost) {
                return self.keep_after(session, result, doing);
            }
        }
        let session = self.connect(doing, deadline).await?;
        let result = within(deadline, session.query(sql, parameters)).await;
        self.keep_after(session, result, doing)
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, deadline: Instant) -> Result<Change<'_>, RegistryError> {
        let doing = "begin a transaction";
        let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(SPARE);
        let left = left.as_millis().clamp(1, i32::MAX.unsigned_abs().into());
        let sql = format!(
            "begin isolation level read committed read write; \
             set local statement_timeout = {left}; set local lock_timeout = {left}; \
             set local idle_in_transaction_session_timeout = {left}"
        );
        if let Some(session) = self.kept() {
            match within(deadline, session.batch(&sql)).await {
                Ok(()) => return Ok(Change::new(self, session, deadline)),
                Err(error) if is_lost(&error) => {}
                Err(error) => return Err(self.error(doing, error)),
            }
        }
        let session = self.connect(doing, deadline).await?;
        let begun = within(deadline, session.batch(&sql)).await;
        begun.map_err(|error| self.error(doing, error))?;
        Ok(Change::new(self, session, deadline))
    }

    async fn connect(
        &self,
        doing: &'static str,
        deadline: Instant,
    ) -> Result<Session, RegistryError> {
        let session = Session::connect(&self.inner.endpoint, deadline).await;
        session.map_err(|error| self.error(doing, error))
    }

    fn kept(&self) -> Option<Session> {
        let kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|session| !session.is_closed())
    }

    /// Keeps the session for the next operation.
    pub(super) fn keep(&self, session: Session) {
        if !session.is_closed() {
            *self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        }
    }

    fn keep_after<T>(
        &self,
        session: Session,
        result: Result<T, Error>,
        doing: &'static str,
    ) -> Result<T, RegistryError> {
        if matches!(result, Ok(_) | Err(Error::Database(_))) {
            self.keep(session);
        }
        result.map_err(|error| self.error(doing, error))
    }

    /// The registry's error of one of Postgres.
    pub(super) fn error(&self, doing: &'static str, source: Error) -> RegistryError {
        let is_refused =
            matches!(&source, Error::Database(_)) && source.sqlstate() == Some("42501");
        if is_refused {
            let user = self.inner.endpoint.user().to_owned();
            return RegistryError::NotAllowed { user, doing };
        }
        RegistryError::Database { doing, source }
    }
}

/// After its error the session must be dropped: an answer may still be under way.
pub(super) async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let waiting_for = WaitingFor::Answer;
    timeout_at(deadline.into(), work).await.unwrap_or(Err(Error::Timeout { waiting_for }))
}

fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Unavailable(error) if error.cause == UnavailableCause::Lost)
}
