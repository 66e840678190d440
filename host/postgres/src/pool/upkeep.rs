//! Closes idle connections. Owns one task per pool, which ends when there is
//! nothing left to close. Never sends anything: a ping would keep a server awake
//! that wants to suspend.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::inner::Inner;

impl Inner {
    /// Called after each new connection.
    pub(super) fn start_upkeep(self: &Arc<Self>) {
        if !self.upkeep.swap(true, Ordering::AcqRel) {
            tokio::spawn(run(Arc::downgrade(self), self.options().idle_timeout));
        }
    }
}

async fn run(pool: Weak<Inner>, idle_timeout: Duration) {
    let pause = (idle_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(15));
    loop {
        sleep(pause).await;
        let Some(pool) = pool.upgrade() else { return };
        let Some(since) = Instant::now().checked_sub(idle_timeout) else { continue };
        let shared = pool.shared.close_idle(since);
        let exclusive = pool.exclusive.close_idle(since);
        let scouts = pool.scouts.close_idle(since);
        if shared || exclusive || scouts {
            continue;
        }
        // A connection that was opened in between finds the flag still set, so look
        // again after taking it back.
        pool.upkeep.store(false, Ordering::Release);
        let figures = pool.figures();
        if figures.shared + figures.idle + figures.in_use == 0
            || pool.upkeep.swap(true, Ordering::AcqRel)
        {
            return;
        }
    }
}
