//! The lab's clock: it runs like any other, and can be set and advanced.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dayfly_core::Now;

/// A clock that everything in one lab goes by. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct LabClock {
    started: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// What was added to the time that really passed.
    advanced: Duration,
    /// The Unix time of monotonic zero.
    epoch: Duration,
}

impl Default for LabClock {
    /// Begins at the machine's time.
    fn default() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(epoch)
    }
}

impl LabClock {
    /// Begins at this time since the Unix epoch.
    #[must_use]
    pub fn at(epoch: Duration) -> Self {
        let state = State { advanced: Duration::ZERO, epoch };
        Self { started: Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    /// Both times now.
    #[must_use]
    pub fn now(&self) -> Now {
        let state = self.state();
        let monotonic = self.started.elapsed().saturating_add(state.advanced);
        Now { monotonic, unix: state.epoch.saturating_add(monotonic) }
    }

    /// How long it has really run.
    #[must_use]
    pub fn running(&self) -> Duration {
        self.started.elapsed()
    }

    /// Lets so much time pass at once: what is due by then is due now.
    pub(crate) fn advance(&self, by: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advanced = state.advanced.saturating_add(by);
    }

    /// Sets the Unix time alone, forward or back, as somebody who sets a clock does: nothing becomes due by it.
    pub(crate) fn set(&self, unix: Duration) {
        let monotonic = self.now().monotonic;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.epoch = unix.saturating_sub(monotonic);
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_both_times_and_setting_the_unix_time_alone() {
        let clock = LabClock::at(Duration::from_secs(1_000_000));
        clock.advance(Duration::from_secs(3600));
        let now = clock.now();
        assert_eq!(now.monotonic.as_secs() / 3600, 1);
        assert!(now.unix >= Duration::from_secs(1_003_600));
        clock.set(Duration::from_secs(500_000));
        let later = clock.now();
        assert!(later.monotonic >= now.monotonic && later.unix < Duration::from_secs(500_100));
    }
}
