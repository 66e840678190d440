//! Runs a file outside of a transaction, so that it can go on after an interruption at any instant.
//! Never: takes the lock, decides whether the file is to be run.
//!
//! Most statements of such a file do not mind a transaction: each of them shares one with the
//! record of how far the file got, so that it happens exactly once. Those that do mind
//! (`create index concurrently`) are recorded as under way before they begin. When a session finds
//! one under way, nobody knows whether it took effect: [`super::settle`] looks.

use std::time::Instant;

use avenire_postgres::{Error, Session};

use super::error::{Effect, MigrationError};
use super::kind::Kind;
use super::lexer::Statement;
use super::plan::Unfinished;
use super::script::{Script, fingerprint};
use super::settle::{self, Settled};
use super::transaction::{
    Ran, Told, failed, is_lock_conflict, is_lost, ran_out_of_time, statements, step,
};
use super::{ledger, lock};

/// One file on its way. The session holds the lock, and the ledger has a row for it that is not
/// finished.
pub(super) struct Outside<'a> {
    pub(super) session: &'a Session,
    pub(super) component: &'a str,
    pub(super) version: i64,
    pub(super) script: Script<'a>,
    pub(super) deadline: Instant,
    pub(super) told: Told<'a>,
}

/// Why a statement has no result.
enum Stop {
    /// Postgres said so, and nothing of it remains.
    Refused(Error),
    /// It may have taken effect, or a part of it.
    InDoubt(Error),
    /// Something else than the statement failed.
    Otherwise(MigrationError),
}

impl From<MigrationError> for Stop {
    fn from(error: MigrationError) -> Self {
        Self::Otherwise(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Otherwise(error.into())
    }
}

impl Outside<'_> {
    /// Goes on from where it got. An error tells by its [`Effect`] how many statements have taken
    /// effect; the ledger knows it too.
    pub(super) async fn run(&self, from: &Unfinished) -> Result<Ran, MigrationError> {
        let begun = Instant::now();
        let statements = statements(self.script)?;
        self.prepare(&statements, from.statements).await?;
        for number in from.statements..statements.len() {
            (self.told)(step(self.script, &statements, number));
            let doubt = from.under_way && number == from.statements;
            match self.one(&statements, number, doubt).await {
                Ok(()) => {}
                Err(Stop::Otherwise(error)) => return Err(error),
                Err(Stop::Refused(error) | Stop::InDoubt(error)) if is_lock_conflict(&error) => {
                    return Ok(Ran::Locked);
                }
                Err(Stop::Refused(error) | Stop::InDoubt(error)) => {
                    return Err(self.error(&statements, number, error));
                }
            }
        }
        self.session.batch("reset session authorization; reset role; reset all").await?;
        Ok(Ran::Through(begun.elapsed()))
    }

    /// A new session has to be told what the statements before have set for it.
    async fn prepare(
        &self,
        statements: &[Statement<'_>],
        done: usize,
    ) -> Result<(), MigrationError> {
        lock::timeouts_of_session(self.session, self.deadline).await?;
        for statement in statements.iter().take(done) {
            if Kind::of(statement.text) == Kind::Setting {
                let run = self.session.batch(statement.text).await;
                run.map_err(|error| {
                    failed(self.script, *statement, error, Effect::Statements(done))
                })?;
            }
        }
        Ok(())
    }

    fn error(&self, all: &[Statement<'_>], number: usize, error: Error) -> MigrationError {
        let Some(statement) = all.get(number) else { return error.into() };
        if ran_out_of_time(&error, self.deadline) {
            let (file, place) = (self.script.file.to_owned(), self.script.place(*statement));
            return MigrationError::Paused { file, place };
        }
        failed(self.script, *statement, error, Effect::Statements(number))
    }

    async fn one(&self, all: &[Statement<'_>], number: usize, doubt: bool) -> Result<(), Stop> {
        let Some(statement) = all.get(number) else { return Ok(()) };
        let kind = Kind::of(statement.text);
        let after = far(all, number + 1, false);
        if doubt && settle::settle(self.session, &kind).await? == Settled::Done {
            return Ok(self.record(&after).await?);
        }
        if !kind.is_alone() {
            match self.with_its_record(*statement, &after).await {
                Err(Stop::Refused(error)) if minds_transactions(&error) => {}
                result => return result,
            }
        }
        let existed = settle::exists(self.session, &kind).await?;
        // What is there already this statement does not make: it is over at once.
        if doubt || !existed {
            self.record(&far(all, number, true)).await?;
        }
        match self.alone(*statement, &kind).await {
            Ok(()) => {
                self.usable(*statement, &kind).await?;
                Ok(self.record(&after).await?)
            }
            Err(error) if is_lost(&error) => Err(Stop::InDoubt(error)),
            Err(error) => {
                let cleaned = settle::clean(self.session, &kind, doubt || !existed).await;
                if matches!(cleaned, Ok(true)) {
                    self.record(&far(all, number, false)).await?;
                    return Err(Stop::Refused(error));
                }
                Err(Stop::InDoubt(error))
            }
        }
    }

    /// In one transaction with the record that it is done.
    async fn with_its_record(
        &self,
        statement: Statement<'_>,
        after: &Unfinished,
    ) -> Result<(), Stop> {
        let record = ledger::progress(self.component, self.version, after);
        let run = async {
            self.session.batch("begin").await?;
            self.session.batch(statement.text).await?;
            self.session.batch(&record).await?;
            // Deferred constraints speak up here.
            self.session.batch("commit").await
        };
        match run.await {
            Ok(()) => Ok(()),
            Err(error) if is_lost(&error) => Err(Stop::InDoubt(error)),
            Err(error) => {
                self.session.batch("rollback").await?;
                Err(Stop::Refused(error))
            }
        }
    }

    /// What these wait for, old transactions, does not make others wait, so that there is no reason
    /// to give up early, unless the file says how long they may.
    async fn alone(&self, statement: Statement<'_>, kind: &Kind) -> Result<(), Error> {
        let patient = kind.is_alone() && !self.script.sql.contains("lock_timeout");
        if patient {
            self.session.batch("set lock_timeout = 0").await?;
        }
        let result = self.session.batch(statement.text).await;
        if patient && !matches!(&result, Err(error) if is_lost(error)) {
            self.session.batch(&lock::table_lock_of_session(self.deadline)).await?;
        }
        result
    }

    async fn usable(&self, statement: Statement<'_>, kind: &Kind) -> Result<(), MigrationError> {
        match settle::invalid(self.session, kind).await? {
            None => Ok(()),
            Some(index) => Err(MigrationError::InvalidIndex {
                file: self.script.file.to_owned(),
                place: self.script.place(statement),
                index,
            }),
        }
    }

    async fn record(&self, far: &Unfinished) -> Result<(), MigrationError> {
        let record = ledger::progress(self.component, self.version, far);
        Ok(self.session.batch(&format!("begin; {record}; commit")).await?)
    }
}

fn far(all: &[Statement<'_>], done: usize, under_way: bool) -> Unfinished {
    let begun = fingerprint(all.iter().take(done + usize::from(under_way)));
    Unfinished { statements: done, under_way, begun }
}

/// `active_sql_transaction` and `invalid_transaction_termination`: Postgres does not allow it in a
/// transaction, or it is a procedure that has transactions of its own. Nothing of it has happened.
fn minds_transactions(error: &Error) -> bool {
    matches!(error.sqlstate(), Some("25001" | "2D000"))
}
