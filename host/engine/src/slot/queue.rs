//! How many calls of a slot run at once, and how many may wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

/// First come, first served; bounded in both directions.
pub(super) struct Queue {
    places: Semaphore,
    concurrency: usize,
    waiting: AtomicUsize,
    capacity: usize,
}

/// Counts one waiting call for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    pub(super) fn new(concurrency: usize, capacity: usize) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            places: Semaphore::new(concurrency),
            concurrency,
            waiting: AtomicUsize::new(0),
            capacity,
        }
    }

    pub(super) fn running(&self) -> usize {
        self.concurrency - self.places.available_permits()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A place to run, or nothing when the queue is full or did not move until
    /// the deadline.
    pub(super) async fn enter(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.capacity {
            return None;
        }
        tokio::time::timeout_at(deadline.into(), self.places.acquire()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Queue;

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_a_freed_place_is_taken() {
        let queue = Queue::new(1, 1);
        let far = Instant::now() + Duration::from_mins(1);
        let running = queue.enter(far).await.unwrap();
        let mut second = Box::pin(queue.enter(far));
        tokio::select! { biased; _ = &mut second => panic!("ran twice"), () = tokio::task::yield_now() => {} }
        assert_eq!((queue.running(), queue.waiting()), (1, 1));
        assert!(queue.enter(far).await.is_none());
        assert_eq!(queue.waiting(), 1);
        drop(running);
        assert!(second.await.is_some());
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test]
    async fn waiting_ends_at_the_deadline() {
        let queue = Queue::new(1, 1);
        let _running = queue.enter(Instant::now()).await.unwrap();
        assert!(queue.enter(Instant::now() + Duration::from_millis(5)).await.is_none());
        assert_eq!(queue.waiting(), 0);
    }
}
