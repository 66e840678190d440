//! Waiting for what happens by itself: asks again and again, with a generous end.
//! Never a fixed pause, so that tests are as fast as the machine and fail only when
//! something does not happen at all.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take. Far more than it does: a loaded machine is no failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often is asked.
const INTERVAL: Duration = Duration::from_millis(20);

/// A deadline that only something broken passes.
pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// Waits until `happened` says so.
pub(crate) async fn eventually(
    what: &str,
    mut happened: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    let end = soon();
    while !happened().await? {
        if Instant::now() > end {
            bail!("it never happened that {what}");
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(())
}
