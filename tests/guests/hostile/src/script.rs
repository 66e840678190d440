//! Steps with transactions and cursors in any order, and misuse of their handles.

use std::mem::forget;

use crate::Component;
use crate::attacks;
use crate::bindings::avenire::database::sql::{self, Cursor, RowHeader, Transaction};
use crate::bindings::avenire::database::types::{AccessMode, Error, TransactionOptions};
use crate::bindings::exports::test::hostile::script::{Guest, Step};
use crate::packed::{decode, text};
use crate::statements::{batch, query};

/// A number far beyond the handles a call can have.
const INVENTED: u32 = 1_000_000;

const DEFAULTS: TransactionOptions =
    TransactionOptions { isolation: None, access: AccessMode::ReadWrite, deferrable: false };

/// What the steps have opened.
#[derive(Default)]
struct Handles {
    // Dropped first, as it may belong to the transaction.
    cursor: Option<Cursor>,
    transaction: Option<Transaction>,
}

impl Guest for Component {
    fn run(steps: Vec<Step>) -> Vec<Result<String, Error>> {
        let mut handles = Handles::default();
        steps.into_iter().map(|step| handles.take(step)).collect()
    }
}

impl Handles {
    fn take(&mut self, step: Step) -> Result<String, Error> {
        match step {
            Step::Execute(statement) => return count(sql::execute(&statement, &[])),
            Step::Query(statement) => return query(&statement, &[]).map(|rows| text(&rows)),
            Step::Begin => self.begin(DEFAULTS)?,
            Step::BeginWith(options) => self.begin(options)?,
            Step::TransactionExecute(statement) => {
                return count(self.transaction().execute(&statement, &[]));
            }
            Step::TransactionQuery(statement) => {
                let rows = self.transaction().query(&statement, &[], RowHeader::Types)?;
                return Ok(text(&decode(&rows).1));
            }
            Step::TransactionBatch(statements) => return self.batch(statements),
            Step::Savepoint => self.transaction().savepoint()?,
            Step::ReleaseSavepoint => self.transaction().release_savepoint()?,
            Step::RollbackToSavepoint => self.transaction().rollback_to_savepoint()?,
            Step::Commit => self.transaction().commit()?,
            Step::Rollback => self.transaction().rollback()?,
            Step::DropTransaction => drop(self.transaction.take()),
            Step::ForgetTransaction => forget(self.transaction.take()),
            Step::OpenCursor(statement) => {
                self.cursor = None;
                self.cursor = Some(sql::open_cursor(&statement, &[])?);
            }
            Step::TransactionOpenCursor(statement) => {
                self.cursor = None;
                self.cursor = Some(self.transaction().open_cursor(&statement, &[])?);
            }
            Step::Columns => return Ok(self.columns()),
            Step::Next(max_bytes) => {
                return self.cursor().next(max_bytes).map(|rows| text(&decode(&rows).1));
            }
            Step::DropCursor => drop(self.cursor.take()),
            Step::ForgetCursor => forget(self.cursor.take()),
            Step::UseStaleCursor => self.use_stale_cursor(),
            Step::UseInventedTransaction => use_as_transaction(INVENTED),
            Step::UseCursorAsTransaction => use_as_transaction(self.cursor().handle()),
            Step::LoopForever => attacks::loop_forever(),
            Step::Panic(message) => attacks::panic(&message),
        }
        Ok(String::new())
    }

    fn begin(&mut self, options: TransactionOptions) -> Result<(), Error> {
        self.transaction = None;
        self.transaction = Some(sql::begin(options)?);
        Ok(())
    }

    fn batch(&mut self, statements: Vec<String>) -> Result<String, Error> {
        let outcomes = self.transaction().batch(&batch(statements), RowHeader::Types);
        let outcomes = outcomes.map_err(|failure| failure.error)?;
        let counts: Vec<String> = outcomes.iter().map(|one| one.affected.to_string()).collect();
        Ok(counts.join(","))
    }

    fn transaction(&self) -> &Transaction {
        self.transaction.as_ref().expect("a step before this one that begins")
    }

    fn cursor(&self) -> &Cursor {
        self.cursor.as_ref().expect("a step before this one that opens a cursor")
    }

    fn columns(&self) -> String {
        let columns = self.cursor().columns();
        let columns = columns
            .iter()
            .map(|column| format!("{}:{}:{}", column.name, column.type_oid, column.type_modifier));
        columns.collect::<Vec<_>>().join(",")
    }

    #[expect(unsafe_code, reason = "the misuse is the attack")]
    fn use_stale_cursor(&mut self) {
        let number = self.cursor().handle();
        self.cursor = None;
        // SAFETY: a handle is a number that the host looks up; a wrong one ends the
        // call, and nothing in this memory depends on it.
        let cursor = unsafe { Cursor::from_handle(number) };
        let _ = cursor.columns();
        forget(cursor);
    }
}

#[expect(unsafe_code, reason = "the misuse is the attack")]
fn use_as_transaction(number: u32) {
    // SAFETY: as for a stale cursor.
    let transaction = unsafe { Transaction::from_handle(number) };
    let _ = transaction.execute("select 1", &[]);
    forget(transaction);
}

fn count(affected: Result<u64, Error>) -> Result<String, Error> {
    affected.map(|count| count.to_string())
}
