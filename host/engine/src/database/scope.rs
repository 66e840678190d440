//! What a guest's transaction is: one of its own, or a savepoint in a call that is one transaction.
//! Never: begins the call's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use avenire_postgres::{Error, Transaction};

/// A guest's transaction.
#[expect(unreachable_pub, reason = "generated bindings name it")]
pub struct TransactionHandle {
    scope: Scope,
    ended: bool,
}

/// What it is for the database.
enum Scope {
    /// One of its own.
    Own(Transaction),
    /// A level of the call's.
    Within(Arc<Nest>, u32),
}

impl TransactionHandle {
    pub(crate) fn new(transaction: Transaction) -> Self {
        Self { scope: Scope::Own(transaction), ended: false }
    }

    /// A new level of the call's transaction.
    pub(super) async fn within(nest: Arc<Nest>, deadline: Instant) -> Result<Self, Error> {
        let level = nest.enter(deadline).await?;
        Ok(Self { scope: Scope::Within(nest, level), ended: false })
    }

    /// Where its statements run. A transaction that has ended fails them itself; a level does not.
    pub(super) fn open(&self) -> Result<&Transaction, Error> {
        match &self.scope {
            Scope::Own(transaction) => Ok(transaction),
            Scope::Within(nest, level) => nest.place(*level).map(|_| &nest.transaction),
        }
    }

    /// Sets a savepoint.
    pub(super) async fn savepoint(&mut self, deadline: Instant) -> Result<(), Error> {
        match &self.scope {
            Scope::Own(transaction) => transaction.savepoint(deadline).await,
            Scope::Within(nest, level) => nest.savepoint(*level, deadline).await,
        }
    }

    /// Forgets the guest's innermost savepoint, or undoes what was done since.
    pub(super) async fn leave_savepoint(
        &mut self,
        keep: bool,
        deadline: Instant,
    ) -> Result<(), Error> {
        match &self.scope {
            Scope::Own(transaction) => leave(transaction, keep, deadline).await,
            Scope::Within(nest, level) => nest.leave_savepoint(*level, keep, deadline).await,
        }
    }

    /// Commits, or rolls back.
    pub(super) async fn end(&mut self, keep: bool, deadline: Instant) -> Result<(), Error> {
        self.ended = true;
        match &mut self.scope {
            Scope::Own(transaction) if keep => transaction.commit(deadline).await,
            Scope::Own(transaction) => transaction.rollback(deadline).await,
            Scope::Within(nest, level) => nest.end(*level, keep, deadline).await,
        }
    }

    /// Undoes what a level that is dropped has done. One of its own does so by itself.
    pub(super) async fn given_up(self, deadline: Instant) {
        if let Scope::Within(nest, level) = &self.scope
            && nest.place(*level).is_ok()
        {
            // When that fails, the call's transaction has failed as a whole.
            drop(nest.end(*level, false, deadline).await);
        }
    }

    /// Whether it was neither committed nor rolled back.
    pub(crate) fn is_open(&self) -> bool {
        match &self.scope {
            Scope::Own(_) => !self.ended,
            Scope::Within(nest, level) => nest.place(*level).is_ok(),
        }
    }
}

/// The transaction that a call is, and the guest's transactions inside of each other. Each is a
/// savepoint, followed by those that the guest set in it.
pub(super) struct Nest {
    pub(super) transaction: Transaction,
    levels: Mutex<Levels>,
}

#[derive(Default)]
struct Levels {
    /// Number and savepoints of each, from the outermost to the innermost.
    open: Vec<(u32, usize)>,
    entered: u32,
}

impl Nest {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self { transaction, levels: Mutex::default() }
    }

    /// Commits all of it.
    pub(super) async fn commit(mut self, deadline: Instant) -> Result<(), Error> {
        self.transaction.commit(deadline).await
    }

    fn levels(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many levels are around that one.
    fn place(&self, level: u32) -> Result<usize, Error> {
        let place = self.levels().open.iter().position(|(open, _)| *open == level);
        place.ok_or_else(|| Error::invalid("the transaction has already ended"))
    }

    /// Refuses what would reach into a transaction inside of that one.
    fn innermost(&self, level: u32) -> Result<(), Error> {
        let place = self.place(level)?;
        if place + 1 == self.levels().open.len() {
            return Ok(());
        }
        Err(Error::invalid("a transaction that was begun inside of it is still open"))
    }

    async fn enter(&self, deadline: Instant) -> Result<u32, Error> {
        self.transaction.savepoint(deadline).await?;
        let mut levels = self.levels();
        levels.entered = levels.entered.wrapping_add(1);
        let level = levels.entered;
        levels.open.push((level, 0));
        Ok(level)
    }

    async fn savepoint(&self, level: u32, deadline: Instant) -> Result<(), Error> {
        self.innermost(level)?;
        self.transaction.savepoint(deadline).await?;
        if let Some((_, savepoints)) = self.levels().open.last_mut() {
            *savepoints += 1;
        }
        Ok(())
    }

    async fn leave_savepoint(
        &self,
        level: u32,
        keep: bool,
        deadline: Instant,
    ) -> Result<(), Error> {
        self.innermost(level)?;
        if self.levels().open.last().is_none_or(|(_, savepoints)| *savepoints == 0) {
            return Err(Error::invalid("there is no savepoint"));
        }
        leave(&self.transaction, keep, deadline).await?;
        if let Some((_, savepoints)) = self.levels().open.last_mut() {
            *savepoints -= 1;
        }
        Ok(())
    }

    /// Ends a level; what is given up takes the levels inside of it along.
    async fn end(&self, level: u32, keep: bool, deadline: Instant) -> Result<(), Error> {
        let place = self.place(level)?;
        if keep {
            self.innermost(level)?;
        }
        let ended: Vec<_> = self.levels().open.drain(place..).collect();
        for _ in 0..ended.iter().map(|(_, savepoints)| savepoints + 1).sum() {
            leave(&self.transaction, keep, deadline).await?;
        }
        Ok(())
    }
}

async fn leave(transaction: &Transaction, keep: bool, deadline: Instant) -> Result<(), Error> {
    if keep {
        transaction.release_savepoint(deadline).await
    } else {
        transaction.rollback_to_savepoint(deadline).await
    }
}
