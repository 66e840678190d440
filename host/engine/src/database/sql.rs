//! The functions of `avenire:database/sql`: statements that commit by
//! themselves, batches, and opening cursors and transactions.

use avenire_postgres as postgres;
use wasmtime::component::Resource;

use super::bindings::sql::{BatchError, Host, Outcome, RowHeader, Statement, TypeOids};
use super::bindings::types::{Error, TransactionOptions};
use super::{Conduct, CursorHandle, Failure, TransactionHandle, convert};
use crate::state::CallState;

impl Host for CallState {
    async fn query(
        &mut self,
        sql: String,
        parameters: Vec<u8>,
        header: RowHeader,
    ) -> Result<Vec<u8>, Failure> {
        self.budget.take_statement(sql.len() + parameters.len())?;
        self.allow(&sql)?;
        let parameters = convert::parameters(parameters)?;
        let (header, caps, deadline) = (convert::header(header), self.caps(), self.deadline);
        let whole = self.whole().await?;
        let began = self.turn.waits();
        let answer = match &whole {
            Some(whole) => whole.transaction.query(&sql, &parameters, header, caps, deadline).await,
            None => self.pool.query(&sql, &parameters, header, caps, deadline).await,
        };
        self.budget.waited(self.turn.resumes(began).await);
        let packed = answer.map_err(|error| self.failure(error))?;
        self.budget.received(&packed);
        Ok(packed.bytes.into())
    }

    async fn execute(&mut self, sql: String, parameters: Vec<u8>) -> Result<u64, Failure> {
        self.budget.take_statement(sql.len() + parameters.len())?;
        self.allow(&sql)?;
        let parameters = convert::parameters(parameters)?;
        let whole = self.whole().await?;
        let began = self.turn.waits();
        let answer = match &whole {
            Some(whole) => whole.transaction.execute(&sql, &parameters, self.deadline).await,
            None => self.pool.execute(&sql, &parameters, self.deadline).await,
        };
        self.budget.waited(self.turn.resumes(began).await);
        answer.map_err(|error| self.failure(error))
    }

    async fn batch(
        &mut self,
        statements: Vec<Statement>,
        header: RowHeader,
    ) -> Result<Vec<Result<Outcome, Error>>, Failure> {
        let statements = self.admit(statements).map_err(|error| error.error)?;
        let (header, caps, deadline) = (convert::header(header), self.caps(), self.deadline);
        let whole = self.whole().await?;
        let began = self.turn.waits();
        let answer = match &whole {
            Some(whole) => Ok(self.batch_within(&whole.transaction, &statements, header).await),
            None => self.pool.batch(&statements, header, caps, deadline).await,
        };
        self.budget.waited(self.turn.resumes(began).await);
        let outcomes = answer.map_err(|error| self.failure(error))?;
        outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Ok(packed) => {
                    self.budget.received(&packed);
                    Ok(Ok(convert::outcome(packed)))
                }
                Err(error) => match self.failure(error) {
                    Failure::Guest(error) => Ok(Err(*error)),
                    trap @ Failure::Trap(_) => Err(trap),
                },
            })
            .collect()
    }

    async fn batch_atomic(
        &mut self,
        statements: Vec<Statement>,
        header: RowHeader,
    ) -> wasmtime::Result<Result<Vec<Outcome>, BatchError>> {
        let statements = match self.admit(statements) {
            Ok(statements) => statements,
            Err(error) => return Ok(Err(error)),
        };
        let (header, caps, deadline) = (convert::header(header), self.caps(), self.deadline);
        let whole = match self.whole().await {
            Ok(whole) => whole,
            Err(Failure::Guest(error)) => {
                let index = u32::try_from(statements.len()).unwrap_or(u32::MAX);
                return Ok(Err(BatchError { index, error: *error }));
            }
            Err(Failure::Trap(trap)) => return Err(trap),
        };
        let began = self.turn.waits();
        let answer = match &whole {
            Some(whole) => self.batch_atomic_within(&whole.transaction, &statements, header).await,
            None => self.pool.batch_atomic(&statements, header, caps, deadline).await,
        };
        self.budget.waited(self.turn.resumes(began).await);
        self.batch_answer(answer)
    }

    async fn lookup_type(
        &mut self,
        name: String,
        schema: Option<String>,
    ) -> Result<TypeOids, Failure> {
        self.budget.take_statement(name.len())?;
        let began = self.turn.waits();
        let answer = self.pool.lookup_type(&name, schema.as_deref(), self.deadline).await;
        self.budget.waited(self.turn.resumes(began).await);
        let (type_oid, array_oid) = answer.map_err(|error| self.failure(error))?;
        Ok(TypeOids { type_oid, array_oid })
    }

    async fn open_cursor(
        &mut self,
        sql: String,
        parameters: Vec<u8>,
    ) -> Result<Resource<CursorHandle>, Failure> {
        self.budget.take_statement(sql.len() + parameters.len())?;
        self.allow(&sql)?;
        let parameters = convert::parameters(parameters)?;
        let whole = self.whole().await?;
        self.budget.take_handle()?;
        let began = self.turn.waits();
        let answer = match &whole {
            Some(whole) => whole.transaction.open_cursor(&sql, &parameters, self.deadline).await,
            None => self.pool.open_cursor(&sql, &parameters, self.deadline).await,
        };
        self.budget.waited(self.turn.resumes(began).await);
        match answer {
            Ok(cursor) => Ok(self.handles.push(CursorHandle::new(cursor))?),
            Err(error) => {
                self.budget.return_handle();
                Err(self.failure(error))
            }
        }
    }

    async fn begin(
        &mut self,
        options: TransactionOptions,
    ) -> Result<Resource<TransactionHandle>, Failure> {
        let mut options = convert::options(options);
        if matches!(self.conduct, Conduct::Reads) {
            options.access = postgres::AccessMode::ReadOnly;
        }
        self.budget.take_handle()?;
        match self.nest(options.isolation).await {
            Ok(None) => {}
            Ok(Some(nested)) => return Ok(self.handles.push(nested)?),
            Err(failure) => {
                self.budget.return_handle();
                return Err(failure);
            }
        }
        let began = self.turn.waits();
        let answer = self.pool.begin(options, self.deadline).await;
        self.budget.waited(self.turn.resumes(began).await);
        match answer {
            Ok(transaction) => Ok(self.handles.push(TransactionHandle::new(transaction))?),
            Err(error) => {
                self.budget.return_handle();
                Err(self.failure(error))
            }
        }
    }
}

impl CallState {
    /// Takes a batch's statements from the budget and reads their parameters;
    /// nothing of the batch is sent when one of them is refused.
    pub(super) fn admit(
        &mut self,
        statements: Vec<Statement>,
    ) -> Result<Vec<(String, postgres::Parameters)>, BatchError> {
        statements
            .into_iter()
            .zip(0..)
            .map(|(statement, index)| {
                self.budget
                    .take_statement(statement.sql.len() + statement.parameters.len())
                    .and_then(|()| self.allow(&statement.sql))
                    .and_then(|()| convert::statement(statement))
                    .map_err(|error| BatchError { index, error })
            })
            .collect()
    }

    pub(super) fn batch_answer(
        &mut self,
        answer: Result<Vec<postgres::Packed>, postgres::BatchError>,
    ) -> wasmtime::Result<Result<Vec<Outcome>, BatchError>> {
        match answer {
            Ok(outcomes) => Ok(Ok(outcomes
                .into_iter()
                .map(|packed| {
                    self.budget.received(&packed);
                    convert::outcome(packed)
                })
                .collect())),
            Err(postgres::BatchError { index, error }) => match self.failure(error) {
                Failure::Guest(error) => {
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    Ok(Err(BatchError { index, error: *error }))
                }
                Failure::Trap(trap) => Err(trap),
            },
        }
    }
}
