use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dayfly_client::SystemClock;
use dayfly_core::env::{Clock, Now};

/// The system's clock, and as many seconds more as a test says. Clones show the same time.
#[derive(Clone, Default)]
pub(crate) struct HandClock {
    system: SystemClock,
    ahead: Arc<AtomicU64>,
}

impl HandClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Now {
        let ahead = Duration::from_secs(self.ahead.load(Ordering::SeqCst));
        let now = self.system.now();
        Now { monotonic: now.monotonic + ahead, unix: now.unix + ahead }
    }
}
