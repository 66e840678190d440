//! The `transaction` resource. A dropped one is rolled back by
//! `avenire-postgres`, which also sees to it that its connection is clean before
//! anyone else gets it. In a call that is one transaction itself, a guest's is a savepoint of it.

use avenire_postgres as postgres;
use postgres::Error;
use wasmtime::component::Resource;

use super::bindings::sql::{BatchError, HostTransaction, Outcome, RowHeader, Statement};
use super::{CursorHandle, Failure, TransactionHandle, convert};
use crate::state::CallState;

/// Runs `$call` on the transaction behind `$handle`, counts the time it waited,
/// and turns its error into what the guest sees.
macro_rules! on_transaction {
    ($self:ident, $handle:ident, |$transaction:ident| $call:expr) => {{
        let $transaction = $self.handles.get_mut(&$handle)?;
        let began = $self.turn.waits();
        let answer: Result<_, Error> = async { $call.await }.await;
        $self.budget.waited($self.turn.resumes(began).await);
        answer.map_err(|error| $self.failure(error))
    }};
}

impl HostTransaction for CallState {
    async fn query(
        &mut self,
        handle: Resource<TransactionHandle>,
        sql: String,
        parameters: Vec<u8>,
        header: RowHeader,
    ) -> Result<Vec<u8>, Failure> {
        self.budget.take_statement(sql.len() + parameters.len())?;
        let parameters = convert::parameters(parameters)?;
        let (header, caps, deadline) = (convert::header(header), self.caps(), self.deadline);
        let packed = on_transaction!(self, handle, |transaction| transaction.open()?.query(
            &sql,
            &parameters,
            header,
            caps,
            deadline
        ))?;
        self.budget.received(&packed);
        Ok(packed.bytes.into())
    }

    async fn execute(
        &mut self,
        handle: Resource<TransactionHandle>,
        sql: String,
        parameters: Vec<u8>,
    ) -> Result<u64, Failure> {
        self.budget.take_statement(sql.len() + parameters.len())?;
        let parameters = convert::parameters(parameters)?;
        let deadline = self.deadline;
        on_transaction!(self, handle, |transaction| transaction.open()?.execute(
            &sql,
            &parameters,
            deadline
        ))
    }

    async fn batch(
        &mut self,
        handle: Resource<TransactionHandle>,
        statements: Vec<Statement>,
        header: RowHeader,
    ) -> wasmtime::Result<Result<Vec<Outcome>, BatchError>> {
        let statements = match self.admit(statements) {
            Ok(statements) => statements,
            Err(error) => return Ok(Err(error)),
        };
        let (header, caps, deadline) = (convert::header(header), self.caps(), self.deadline);
        let entry = self.handles.get_mut(&handle)?;
        let began = self.turn.waits();
        let answer = match entry.open() {
            Ok(open) => open.batch(&statements, header, caps, deadline).await,
            Err(error) => Err(postgres::BatchError { index: statements.len(), error }),
        };
        self.budget.waited(self.turn.resumes(began).await);
        self.batch_answer(answer)
    }

    async fn open_cursor(
        &mut self,
        handle: Resource<TransactionHandle>,
        sql: String,
        parameters: Vec<u8>,
    ) -> Result<Resource<CursorHandle>, Failure> {
        self.budget.take_statement(sql.len() + parameters.len())?;
        let parameters = convert::parameters(parameters)?;
        self.budget.take_handle()?;
        let deadline = self.deadline;
        let opened = on_transaction!(self, handle, |transaction| transaction.open()?.open_cursor(
            &sql,
            &parameters,
            deadline
        ));
        match opened {
            Ok(cursor) => Ok(self.handles.push(CursorHandle::new(cursor))?),
            Err(failure) => {
                self.budget.return_handle();
                Err(failure)
            }
        }
    }

    async fn savepoint(&mut self, handle: Resource<TransactionHandle>) -> Result<(), Failure> {
        self.budget.take_statement(0)?;
        let deadline = self.deadline;
        on_transaction!(self, handle, |transaction| transaction.savepoint(deadline))
    }

    async fn release_savepoint(
        &mut self,
        handle: Resource<TransactionHandle>,
    ) -> Result<(), Failure> {
        let deadline = self.deadline;
        on_transaction!(self, handle, |transaction| transaction.leave_savepoint(true, deadline))
    }

    async fn rollback_to_savepoint(
        &mut self,
        handle: Resource<TransactionHandle>,
    ) -> Result<(), Failure> {
        let deadline = self.deadline;
        on_transaction!(self, handle, |transaction| transaction.leave_savepoint(false, deadline))
    }

    async fn commit(&mut self, handle: Resource<TransactionHandle>) -> Result<(), Failure> {
        let deadline = self.deadline;
        on_transaction!(self, handle, |transaction| transaction.end(true, deadline))
    }

    async fn rollback(&mut self, handle: Resource<TransactionHandle>) -> Result<(), Failure> {
        let deadline = self.deadline;
        on_transaction!(self, handle, |transaction| transaction.end(false, deadline))
    }

    async fn drop(&mut self, handle: Resource<TransactionHandle>) -> wasmtime::Result<()> {
        let transaction = self.handles.delete(handle)?;
        self.budget.return_handle();
        transaction.given_up(self.deadline).await;
        Ok(())
    }
}
