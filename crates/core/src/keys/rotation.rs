//! When a client makes its next temporary key.

use core::time::Duration;

use dayfly_crypto::{RandomError, SecureRandom};

use crate::env::Now;
use crate::mutant;

/// The server's clock as a client knows it: `server_time` of a handshake, carried on by the client's monotonic clock,
/// so that a jump of the client's own clock moves nothing.
///
/// Source: Perfect Forward Secrecy, `expires_at`; rule PF-02.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerClock {
    monotonic: Duration,
    unix: Duration,
}

impl ServerClock {
    /// `offset` is the server's time minus the client's, in seconds (rule HS-28).
    #[must_use]
    pub fn new(now: Now, offset: i64) -> Self {
        let shift = Duration::from_secs(offset.unsigned_abs());
        let unix = if offset < 0 { now.unix.saturating_sub(shift) } else { now.unix.saturating_add(shift) };
        Self { monotonic: now.monotonic, unix: mutant!("PF-02.clock", unix, now.unix) }
    }

    /// The server's Unix time now.
    #[must_use]
    pub fn unix(&self, now: Now) -> Duration {
        self.unix.saturating_add(now.monotonic.saturating_sub(self.monotonic))
    }

    /// The monotonic time at which the server's clock shows the Unix second `at`.
    #[must_use]
    pub fn monotonic_at(&self, at: u64) -> Duration {
        let ahead = Duration::from_secs(at).saturating_sub(self.unix);
        self.monotonic.saturating_add(ahead)
    }
}

/// How far ahead of its end a temporary key is renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RotationPolicy {
    /// At least this long before the end, but never more than a quarter of the key's life.
    pub lead: Duration,
    /// Up to this much earlier still, drawn for each key, so that many clients do not come at once.
    pub jitter: Duration,
}

impl Default for RotationPolicy {
    /// 60 to 70 minutes ahead.
    fn default() -> Self {
        Self { lead: Duration::from_secs(3600), jitter: Duration::from_secs(600) }
    }
}

/// The two moments of a temporary key that its client watches, in monotonic time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RotationPlan {
    /// When the next key is begun (rule PF-13).
    pub renew_at: Duration,
    /// From here on nothing is sent under the key (rule PF-13).
    pub ends_at: Duration,
}

impl RotationPlan {
    /// Plans for a key that ends at the Unix second `expires_at` of the server's clock.
    ///
    /// # Errors
    /// Those of the source of randomness.
    pub fn new(
        policy: RotationPolicy,
        clock: ServerClock,
        expires_at: u64,
        now: Now,
        random: &mut dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        let ends_at = clock.monotonic_at(expires_at);
        let quarter = ends_at.saturating_sub(now.monotonic).mul_f64(0.25);
        let mut drawn = [0; 4];
        random.fill_public(&mut drawn)?;
        let share = f64::from(u32::from_le_bytes(drawn)) / f64::from(u32::MAX);
        let lead = policy.lead.min(quarter).saturating_add(policy.jitter.min(quarter).mul_f64(share));
        let renew_at = mutant!("PF-13.ahead", ends_at.saturating_sub(lead), ends_at);
        Ok(Self { renew_at, ends_at })
    }
}

/// A delay that doubles each time up to a limit, with jitter of a quarter (rules HS-38, PF-12, PF-14).
///
/// # Errors
/// Those of the source of randomness.
pub fn growing_delay(
    first: Duration,
    most: Duration,
    failures: u32,
    random: &mut dyn SecureRandom,
) -> Result<Duration, RandomError> {
    let doubled = first.saturating_mul(1_u32.checked_shl(failures.min(20)).unwrap_or(u32::MAX)).min(most);
    let mut drawn = [0; 4];
    random.fill_public(&mut drawn)?;
    let share = f64::from(u32::from_le_bytes(drawn)) / f64::from(u32::MAX);
    Ok(doubled.mul_f64(0.75 + share / 4.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant(u8);

    impl SecureRandom for Constant {
        fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(self.0);
            Ok(())
        }

        fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.fill_public(out)
        }
    }

    const NOW: Now = Now { monotonic: Duration::from_secs(50), unix: Duration::from_secs(1000) };

    // rule: PF-02
    #[test]
    fn expiry_is_compared_with_the_servers_clock_not_with_ones_own() {
        let clock = ServerClock::new(NOW, 400);
        assert_eq!(clock.unix(NOW), Duration::from_secs(1400));
        assert_eq!(clock.monotonic_at(1410), Duration::from_secs(60));
        let behind = ServerClock::new(NOW, -400);
        assert_eq!(behind.monotonic_at(610), Duration::from_secs(60));
    }

    #[test]
    fn a_jump_of_the_own_clock_moves_nothing() {
        let clock = ServerClock::new(NOW, 0);
        let later = Now { monotonic: Duration::from_secs(60), unix: Duration::from_secs(999_999) };
        assert_eq!(clock.unix(later), Duration::from_secs(1010));
    }

    // rule: PF-13
    #[test]
    fn a_day_long_key_is_renewed_between_60_and_70_minutes_ahead() {
        let clock = ServerClock::new(NOW, 0);
        for (drawn, lead) in [(0x00, 3600), (0xff, 4200)] {
            let policy = RotationPolicy::default();
            let plan = RotationPlan::new(policy, clock, 1000 + 86_400, NOW, &mut Constant(drawn)).unwrap();
            assert_eq!(plan.ends_at - plan.renew_at, Duration::from_secs(lead));
        }
    }

    // rule: PF-13
    #[test]
    fn a_short_lived_key_is_renewed_in_the_second_half_of_its_life() {
        let clock = ServerClock::new(NOW, 0);
        let plan =
            RotationPlan::new(RotationPolicy::default(), clock, 1008, NOW, &mut Constant(0xff)).unwrap();
        assert_eq!(plan.ends_at, Duration::from_secs(58));
        assert_eq!(plan.renew_at, Duration::from_secs(54));
    }

    #[test]
    fn delays_double_up_to_their_limit() {
        let delay = |failures| {
            growing_delay(Duration::from_secs(1), Duration::from_secs(60), failures, &mut Constant(0xff))
                .unwrap()
        };
        assert_eq!(delay(0), Duration::from_secs(1));
        assert_eq!(delay(3), Duration::from_secs(8));
        assert_eq!(delay(60), Duration::from_secs(60));
    }

    // rule: PF-14
    #[test]
    fn delays_are_not_the_same_for_all_clients() {
        let delay = |drawn| {
            let most = Duration::from_secs(60);
            growing_delay(Duration::from_secs(1), most, 2, &mut Constant(drawn)).unwrap()
        };
        assert_eq!(delay(0), Duration::from_secs(3));
        assert!(delay(0) < delay(0x80) && delay(0x80) < delay(0xff), "jitter of a quarter");
    }
}
