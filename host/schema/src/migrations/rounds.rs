//! Rounds of one step each, until there is nothing left to do: what is waited for between them, and
//! what becomes of a lost connection.
//! Never: knows what a step does.

use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};

use super::error::MigrationError;
use super::transaction::{Told, lost_connection};
use super::{Progress, lock};

/// How often a lost connection is made anew. How far we got is in the ledger, so that nothing
/// happens twice, also when the answer to a commit was lost.
const RECONNECTS: usize = 3;

/// How long we wait at least after a table was in use.
const AFTER_TABLE_LOCK: Duration = Duration::from_millis(500);

/// What one round came to.
pub(super) enum Step<T> {
    /// There is nothing left to do.
    Complete(T),
    /// There may be more to do.
    Again,
    /// A table was in use; the file is to be tried again.
    Locked(String),
}

/// The connection that the rounds have.
pub(super) struct Rounds<'a> {
    endpoint: &'a Endpoint,
    deadline: Instant,
    told: Told<'a>,
    reconnects: usize,
    pub(super) session: Session,
}

impl<'a> Rounds<'a> {
    pub(super) async fn begin(
        endpoint: &'a Endpoint,
        deadline: Instant,
        told: Told<'a>,
    ) -> Result<Self, MigrationError> {
        let session = Session::connect(endpoint, deadline).await?;
        Ok(Self { endpoint, deadline, told, reconnects: 0, session })
    }

    /// The result of all rounds once there is one.
    pub(super) async fn after<T>(
        &mut self,
        round: Result<Step<T>, MigrationError>,
    ) -> Result<Option<T>, MigrationError> {
        match round {
            Ok(Step::Complete(result)) => return Ok(Some(result)),
            Ok(Step::Again) => {}
            Ok(Step::Locked(file)) => {
                (self.told)(Progress::WaitingForLocks { file: file.clone() });
                if !lock::pause(AFTER_TABLE_LOCK, self.deadline).await {
                    return Err(MigrationError::Locked { file });
                }
            }
            Err(error) if lost_connection(&error) && self.reconnects < RECONNECTS => {
                self.reconnects += 1;
                lock::pause(AFTER_TABLE_LOCK, self.deadline).await;
                self.session = Session::connect(self.endpoint, self.deadline).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }
}
