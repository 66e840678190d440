//! How many requests run and wait at once; further ones are turned away before they cost memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::LimitsConfig;
use crate::problem::{Kind, Problem};

pub(crate) struct Admission {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
}

/// A place in the queue.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    pub(crate) fn new(limits: &LimitsConfig) -> Self {
        Self {
            running: Arc::new(Semaphore::new(limits.concurrency)),
            waiting: AtomicUsize::new(0),
            queue: limits.queue,
            patience: limits.queue_time.0,
        }
    }

    /// A request's turn, in the order in which they came. It lasts until it is dropped.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(turn) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(turn);
        }
        let place = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if place >= self.queue {
            return Err(self.turned_away());
        }
        let until = (Instant::now() + self.patience).min(deadline);
        let turn = Arc::clone(&self.running).acquire_owned();
        match tokio::time::timeout_at(until.into(), turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(self.turned_away()),
        }
    }

    fn turned_away(&self) -> Problem {
        Problem::new(Kind::Overloaded, "The server has more requests than it carries.")
            .after(self.patience.max(Duration::from_secs(1)))
            .with_hint("try again later, with growing pauses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Time;

    #[tokio::test]
    async fn who_finds_the_queue_full_is_turned_away_and_who_waits_gets_the_next_turn() {
        let limits = LimitsConfig {
            concurrency: 1,
            queue: 1,
            queue_time: Time(Duration::from_mins(1)),
            ..LimitsConfig::default()
        };
        let admission = Arc::new(Admission::new(&limits));
        let far = Instant::now() + Duration::from_mins(1);
        let first = admission.enter(far).await.expect("a turn");
        let second = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.enter(far).await.is_ok() }
        });
        while admission.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let third = admission.enter(far).await.expect_err("full");
        assert_eq!((third.kind, third.status()), (Kind::Overloaded, 503));
        assert!(third.retry_after.is_some());
        drop(first);
        assert!(second.await.expect("no panic"));
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn nobody_waits_beyond_the_deadline() {
        let limits = LimitsConfig { concurrency: 1, ..LimitsConfig::default() };
        let admission = Admission::new(&limits);
        let _turn = admission.enter(Instant::now()).await.expect("a turn");
        assert!(admission.enter(Instant::now()).await.is_err());
    }
}
