//! How long to wait before a stream is opened again.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(10);
/// A stream that stood for so long was well: what ends it begins anew.
const WELL: Duration = Duration::from_secs(10);

/// Pauses that double up to a bound, with jitter, so that many streams, or many servers, do not come back at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after a stream that stood for `stood`, zero if it never did: between half and all of the present step, as
    /// `random` says.
    pub(super) fn pause(&mut self, stood: Duration, random: u32) -> Duration {
        if stood >= WELL {
            self.failures = 0;
        }
        let step = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = step / 2;
        half.saturating_add(half.mul_f64(f64::from(random) / f64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_begin_anew_after_a_stream_that_was_well() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> =
            (0..10).map(|_| backoff.pause(Duration::ZERO, u32::MAX).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
        assert_eq!(backoff.pause(Duration::from_secs(9), 0).as_millis(), 5000);
        assert_eq!(backoff.pause(WELL, 0).as_millis(), 50);
        for _ in 0..100 {
            assert!(backoff.pause(Duration::ZERO, u32::MAX / 2) <= LONGEST);
        }
    }
}
