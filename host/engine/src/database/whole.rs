//! Calls that are one transaction from their first statement to their end: the statements that a
//! guest sends outside of a transaction of its own run inside of it, and transactions of its own
//! become savepoints.
//!
//! Never: commits unless it is told to. A call that is given up leaves nothing behind; the
//! transaction's connection comes back clean.

use std::sync::Arc;
use std::time::Instant;

use avenire_postgres as postgres;
use postgres::{
    AccessMode, Caps, Header, Local, Packed, Parameters, Transaction, TransactionOptions,
};

use super::bindings::types::Error;
use super::scope::Nest;
use super::{Failure, TransactionHandle};
use crate::declared::Repeat;
use crate::state::CallState;

/// What a call is for the database.
pub(crate) enum Conduct {
    /// Each statement commits by itself.
    Each,
    /// The same, and none may write.
    Reads,
    /// All of it is one transaction.
    Whole(Whole),
}

/// The one transaction of a call, once a statement needed it.
pub(crate) struct Whole {
    options: TransactionOptions,
    local: Local,
    open: Option<Arc<Nest>>,
}

impl Conduct {
    /// How a call is carried out of which that is declared, with what the host sets for it.
    pub(crate) fn of(repeat: Repeat, local: Option<Local>) -> Self {
        let local = local.filter(|local| !local.is_empty());
        match (repeat, local) {
            (Repeat::No, None) => Self::Each,
            (Repeat::ReadOnly, None) => Self::Reads,
            (Repeat::ReadOnly, Some(local)) => Self::whole(AccessMode::ReadOnly, local),
            (Repeat::No | Repeat::Transactional, local) => {
                Self::whole(AccessMode::ReadWrite, local.unwrap_or_default())
            }
        }
    }

    /// One transaction that can only read.
    pub(crate) fn read_only() -> Self {
        Self::whole(AccessMode::ReadOnly, Local::default())
    }

    fn whole(access: AccessMode, local: Local) -> Self {
        let options = TransactionOptions { access, ..TransactionOptions::default() };
        Self::Whole(Whole { options, local, open: None })
    }

    /// Makes what a call did take effect, when it is one transaction. Its handles have ended before.
    pub(crate) async fn commit(&mut self, deadline: Instant) -> Result<(), postgres::Error> {
        let Self::Whole(Whole { open, .. }) = self else { return Ok(()) };
        let Some(nest) = open.take() else { return Ok(()) };
        match Arc::into_inner(nest) {
            Some(nest) => nest.commit(deadline).await,
            None => Err(postgres::Error::invalid("a part of the transaction is still in use")),
        }
    }
}

impl CallState {
    /// Refuses a statement that may write in a call that was declared to read only.
    pub(super) fn allow(&self, sql: &str) -> Result<(), Error> {
        if matches!(self.conduct, Conduct::Reads) && !postgres::only_reads(sql) {
            let reason = "the function is declared read-only, and this statement may write";
            return Err(Error::Denied(reason.to_owned()));
        }
        Ok(())
    }

    /// The transaction that the call is, begun when this is its first statement; none when each
    /// statement commits by itself.
    pub(super) async fn whole(&mut self) -> Result<Option<Arc<Nest>>, Failure> {
        let Conduct::Whole(whole) = &self.conduct else { return Ok(None) };
        if let Some(open) = &whole.open {
            return Ok(Some(Arc::clone(open)));
        }
        let (options, local) = (whole.options, whole.local.clone());
        let began = self.turn.waits();
        let answer = self.pool.begin_with(options, &local, self.deadline).await;
        self.budget.waited(self.turn.resumes(began).await);
        let open = Arc::new(Nest::new(answer.map_err(|error| self.failure(error))?));
        if let Conduct::Whole(whole) = &mut self.conduct {
            whole.open = Some(Arc::clone(&open));
        }
        Ok(Some(open))
    }

    /// A guest's own transaction as a part of the call's; none when it is one of its own.
    pub(super) async fn nest(
        &mut self,
        isolation: Option<postgres::IsolationLevel>,
    ) -> Result<Option<TransactionHandle>, Failure> {
        let Some(open) = self.whole().await? else { return Ok(None) };
        let Conduct::Whole(whole) = &self.conduct else { return Ok(None) };
        if isolation.is_some() && isolation != whole.options.isolation {
            let reason = "the call is one transaction already, of another isolation";
            return Err(Error::Invalid(reason.to_owned()).into());
        }
        let began = self.turn.waits();
        let level = TransactionHandle::within(open, self.deadline).await;
        self.budget.waited(self.turn.resumes(began).await);
        level.map(Some).map_err(|error| self.failure(error))
    }

    /// Statements one after the other in the call's transaction: a failure of one fails those after
    /// it with 25P02, as in any transaction.
    pub(super) async fn batch_within(
        &mut self,
        open: &Transaction,
        statements: &[(String, Parameters)],
        header: Header,
    ) -> Vec<Result<Packed, postgres::Error>> {
        let mut outcomes = Vec::with_capacity(statements.len());
        let Caps { mut rows, mut bytes } = self.caps();
        for (sql, parameters) in statements {
            let caps = Caps { rows, bytes };
            let outcome = open.query(sql, parameters, header, caps, self.deadline).await;
            if let Ok(packed) = &outcome {
                rows = rows.saturating_sub(packed.rows);
                bytes = bytes.saturating_sub(packed.bytes.len() as u64);
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Statements that take effect all or none, inside of the call's transaction.
    pub(super) async fn batch_atomic_within(
        &mut self,
        open: &Transaction,
        statements: &[(String, Parameters)],
        header: Header,
    ) -> Result<Vec<Packed>, postgres::BatchError> {
        let whole = |error| postgres::BatchError { index: statements.len(), error };
        open.savepoint(self.deadline).await.map_err(whole)?;
        let answer = open.batch(statements, header, self.caps(), self.deadline).await;
        let ended = if answer.is_ok() {
            open.release_savepoint(self.deadline).await
        } else {
            open.rollback_to_savepoint(self.deadline).await
        };
        let packed = answer?;
        ended.map_err(whole)?;
        Ok(packed)
    }
}
