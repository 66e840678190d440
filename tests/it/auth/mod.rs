//! The query functions of authentication: users, accounts, verifications and passkeys.

mod accounts;
mod passkeys;
mod passwords;
mod users;
mod verifications;

use std::sync::Arc;

use anyhow::Result;
use serde_json::Value;

use crate::ground::Ground;

/// What that many calls of a function lead to that run at once.
async fn at_once(
    ground: &Arc<Ground>,
    calls: usize,
    function: &'static str,
    arguments: Value,
) -> Result<Vec<Result<Value, String>>> {
    let running: Vec<_> = (0..calls)
        .map(|_| {
            let (ground, arguments) = (Arc::clone(ground), arguments.clone());
            tokio::spawn(async move { ground.outcome(function, arguments).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for call in running {
        outcomes.push(call.await??);
    }
    Ok(outcomes)
}
