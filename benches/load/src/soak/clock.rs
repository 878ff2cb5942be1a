//! A clock that runs fast, the same for the server and all clients, and dice that fall as the seed says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dayfly_core::env::{Clock, Now};
use dayfly_testkit::SeededRandom;

/// How many seconds of the protocol pass in one of the wall's: an hour in ten minutes.
pub(crate) const SPEED: u32 = 6;

/// The system's clock since the start, faster.
#[derive(Clone, Copy)]
pub(crate) struct FastClock {
    start: Instant,
    unix: Duration,
}

impl FastClock {
    pub(crate) fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), unix }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Now {
        let passed = self.start.elapsed() * SPEED;
        Now { monotonic: passed, unix: self.unix + passed }
    }

    fn wait_for(&self, time: Duration) -> Duration {
        time / SPEED
    }
}

/// Numbers that a seed foretells.
pub(crate) struct Dice(SeededRandom);

impl Dice {
    /// For one of several uses of a seed.
    pub(crate) fn new(seed: u64, of: u64) -> Self {
        Self(SeededRandom::new(seed ^ of.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// From 0 to `most`, both included.
    pub(crate) fn upto(&mut self, most: u64) -> u64 {
        self.0.next_u64() % (most + 1)
    }

    /// A time of the wall of up to `most`.
    pub(crate) fn time(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.upto(u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_clock_and_its_waits_agree() {
        let clock = FastClock::start();
        let (before, wall) = (clock.now(), Instant::now());
        let until = before.monotonic + Duration::from_millis(60);
        while clock.now().monotonic < until {
            std::hint::spin_loop();
        }
        assert!(wall.elapsed() >= clock.wait_for(Duration::from_millis(59)));
        assert_eq!(clock.wait_for(Duration::from_secs(60)), Duration::from_secs(10));
    }

    #[test]
    fn dice_fall_as_the_seed_says() {
        let throw = |seed, of| {
            let mut dice = Dice::new(seed, of);
            [0; 8].map(|_| dice.upto(1_000_000))
        };
        assert_eq!(throw(1, 2), throw(1, 2));
        assert_ne!(throw(1, 2), throw(1, 3));
        assert_ne!(throw(1, 2), throw(2, 2));
    }
}
