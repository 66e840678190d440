//! The database interface that guests import (`wit/database`), over the pool of
//! the component's role.
//!
//! The only place where both worlds meet: values of the WIT on one side,
//! `avenire-postgres` on the other. Everything from a guest is checked here or
//! there before it is used. Never decides which connection is used and never
//! looks into a statement.

mod bindings;
mod budget;
mod convert;
mod cursor;
mod diagnostics;
mod scope;
mod sql;
mod transaction;
mod whole;

use std::time::Instant;

use avenire_postgres::WaitingFor;
use wasmtime::component::{HasSelf, Linker};

pub(crate) use budget::Budget;
pub(crate) use cursor::CursorHandle;
pub(crate) use scope::TransactionHandle;
pub(crate) use whole::Conduct;

use crate::error::Doing;
use crate::state::CallState;
use bindings::types::Error;

/// Offers everything a guest may import.
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    bindings::Imports::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

/// How a host function ends without a result: with an error for the guest, or by
/// ending the call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The guest gets it and decides.
    Guest(Box<Error>),
    /// The call ends: its time is over, or the host itself is at fault.
    Trap(wasmtime::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Guest(Box::new(error))
    }
}

impl From<wasmtime::component::ResourceTableError> for Failure {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

/// Marks the trap of a call whose time is over, with what it did then.
#[derive(Debug, thiserror::Error)]
#[error("the call's time is over")]
pub(crate) struct DeadlinePassed(pub(crate) Doing);

impl bindings::types::Host for CallState {
    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<Error> {
        match failure {
            Failure::Guest(error) => Ok(*error),
            Failure::Trap(error) => Err(error),
        }
    }
}

impl CallState {
    /// Turns an error of the database's side into what the guest sees of it.
    ///
    /// A time-out at the call's own deadline ends the call instead: what the guest
    /// could still do in the remaining microseconds would make the outcome a
    /// matter of luck.
    fn failure(&mut self, error: avenire_postgres::Error) -> Failure {
        if let avenire_postgres::Error::Timeout { waiting_for } = &error
            && Instant::now() >= self.deadline
        {
            let doing = match waiting_for {
                WaitingFor::Connection => Doing::Connection,
                WaitingFor::Answer => Doing::Statement,
            };
            return Failure::Trap(wasmtime::Error::new(DeadlinePassed(doing)));
        }
        if matches!(error, avenire_postgres::Error::Unavailable { .. }) {
            self.budget.unavailable();
        }
        if error.sqlstate().is_some_and(|code| code.starts_with("42")) {
            self.budget.refused();
        }
        convert::error(error, &mut self.budget).into()
    }
}
