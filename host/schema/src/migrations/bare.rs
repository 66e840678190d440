//! Runs the text of a migration as the runner would, but without its ledger, lock and retries: for
//! scratch databases, and for `push`.
//! Never: touches a ledger.

use avenire_postgres::{Error, Session};

use super::source::{self, Transaction};
use super::statements_of;

/// A statement of a text was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The statement's first words.
    pub(crate) what: String,
    /// What Postgres said.
    pub(crate) source: Error,
    /// Whether statements before it took effect and stay.
    pub(crate) partly: bool,
}

/// Runs the statements of `text` in one transaction, or one by one when its first line says so.
/// `told` hears the first words of each statement before it runs.
pub(crate) async fn run_bare(
    session: &Session,
    text: &str,
    told: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), Refused> {
    let transaction = source::transaction_of(text);
    let failed = |what: &str| {
        let what = what.to_owned();
        move |source| Refused { what, source, partly: false }
    };
    if transaction == Transaction::One {
        session.batch("begin").await.map_err(failed("begin"))?;
    }
    for (done, statement) in statements_of(text).into_iter().enumerate() {
        let what: String = statement.split_whitespace().take(5).collect::<Vec<_>>().join(" ");
        told(&what);
        if let Err(source) = session.batch(statement).await {
            if transaction == Transaction::One {
                // When this fails the connection is gone, and the transaction with it.
                drop(session.batch("rollback").await);
            }
            return Err(Refused {
                what,
                source,
                partly: transaction == Transaction::None && done > 0,
            });
        }
    }
    if transaction == Transaction::One {
        session.batch("commit").await.map_err(failed("commit"))?;
    }
    Ok(())
}
