//! Time that passes when the test says so.

use core::time::Duration;

use dayfly_core::Now;

/// A clock that stands still until it is moved.
#[derive(Clone, Copy, Debug)]
pub struct TestClock {
    monotonic: Duration,
    unix: Duration,
}

impl TestClock {
    /// A clock that shows the Unix time `unix`, and no monotonic time yet.
    #[must_use]
    pub fn at(unix: Duration) -> Self {
        Self { monotonic: Duration::ZERO, unix }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { monotonic: self.monotonic, unix: self.unix }
    }

    /// Lets time pass, by both clocks.
    pub fn advance(&mut self, by: Duration) {
        self.monotonic += by;
        self.unix += by;
    }

    /// Sets the Unix time, as an operator or an NTP client does; monotonic time does not notice.
    pub fn jump_to(&mut self, unix: Duration) {
        self.unix = unix;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_moves_one_of_the_two_times() {
        let mut clock = TestClock::at(Duration::from_secs(1000));
        clock.advance(Duration::from_secs(5));
        clock.jump_to(Duration::from_secs(10));
        let expected = Now { monotonic: Duration::from_secs(5), unix: Duration::from_secs(10) };
        assert_eq!(clock.now(), expected);
    }
}
