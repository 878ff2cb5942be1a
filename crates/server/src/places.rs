//! One place for each connection that may be open at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The places of all connections; clones share them.
#[derive(Clone)]
pub(crate) struct Places(Arc<Shared>);

struct Shared {
    taken: AtomicUsize,
    most: AtomicUsize,
    all_free: Notify,
}

/// The place of one connection, free again when it is dropped.
pub(crate) struct Place(Arc<Shared>);

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        let (taken, most) = (AtomicUsize::new(0), AtomicUsize::new(most));
        Self(Arc::new(Shared { taken, most, all_free: Notify::new() }))
    }

    /// Another bound from now on; nobody loses a place for it.
    pub(crate) fn set_most(&self, most: usize) {
        self.0.most.store(most, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) -> Option<Place> {
        let most = self.0.most.load(Ordering::Relaxed);
        let one_more = |taken: usize| (taken < most).then(|| taken.saturating_add(1));
        self.0.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(Place(Arc::clone(&self.0)))
    }

    /// Waits until every connection has ended.
    pub(crate) async fn all_free(&self) {
        loop {
            // Listens before it looks: the last place may become free in between.
            let freed = self.0.all_free.notified();
            if self.0.taken.load(Ordering::Acquire) == 0 {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.taken.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.all_free.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        drop(first);
        assert!(places.take().is_some());
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.all_free().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        waiting.await.unwrap();
    }

    #[test]
    fn another_bound_counts_for_the_next_connection() {
        let places = Places::new(2);
        let _held = (places.take().unwrap(), places.take().unwrap());
        places.set_most(1);
        assert!(places.take().is_none());
        places.set_most(3);
        assert!(places.take().is_some());
    }
}
