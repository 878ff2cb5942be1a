//! How many private-key operations an address may have begun (rule HS-35).

use core::time::Duration;
use std::collections::BTreeMap;

use super::PeerAddr;
use crate::holds;

/// A leaky bucket for each address, kept as the moment at which it will be empty again.
///
/// It counts work begun, whatever came of it; a probe that shows no factors costs nothing.
#[derive(Debug)]
pub(super) struct Limiter {
    /// How long one operation stays in the bucket.
    interval: Duration,
    /// What the bucket holds.
    burst: Duration,
    empty_at: BTreeMap<PeerAddr, Duration>,
    /// The size at which buckets that are empty again are thrown out.
    sweep_at: usize,
}

const SWEEP_AT_LEAST: usize = 1024;
const MINUTE: Duration = Duration::from_secs(60);

impl Limiter {
    /// `per_minute` operations at once, and as many each minute.
    pub(super) fn new(per_minute: Option<u32>) -> Self {
        let interval = interval(per_minute);
        Self { interval, burst: MINUTE, empty_at: BTreeMap::new(), sweep_at: SWEEP_AT_LEAST }
    }

    /// Another rate from now on; what an address has spent stays spent.
    pub(super) fn set_rate(&mut self, per_minute: Option<u32>) {
        self.interval = interval(per_minute);
    }

    /// Counts an operation, if there is room for it.
    pub(super) fn admit(&mut self, peer: PeerAddr, now: Duration) -> bool {
        if self.interval.is_zero() {
            return true;
        }
        self.sweep(now);
        let empty_at = self.empty_at.entry(peer).or_insert(now);
        let filled_until = (*empty_at).max(now).saturating_add(self.interval);
        if !holds!("HS-35.rate", filled_until <= now.saturating_add(self.burst)) {
            return false;
        }
        *empty_at = filled_until;
        true
    }

    fn sweep(&mut self, now: Duration) {
        if self.empty_at.len() >= self.sweep_at {
            self.empty_at.retain(|_, empty_at| *empty_at > now);
            self.sweep_at = self.empty_at.len().saturating_mul(2).max(SWEEP_AT_LEAST);
        }
    }
}

/// How long one of so many operations a minute stays in the bucket.
fn interval(per_minute: Option<u32>) -> Duration {
    per_minute.map_or(Duration::ZERO, |count| MINUTE.checked_div(count).unwrap_or(MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerAddr = PeerAddr::V4(1);

    // rule: HS-35
    #[test]
    fn an_address_that_has_spent_its_operations_waits_and_others_do_not() {
        let mut limiter = Limiter::new(Some(60));
        let now = Duration::from_secs(100);
        assert!((0..60).all(|_| limiter.admit(PEER, now)));
        assert!(!limiter.admit(PEER, now));
        assert!(limiter.admit(PeerAddr::V4(2), now));
        assert!(!limiter.admit(PEER, now + Duration::from_millis(900)));
        assert!(limiter.admit(PEER, now + Duration::from_secs(1)));
        assert!(!limiter.admit(PEER, now + Duration::from_secs(1)));
    }

    #[test]
    fn another_rate_counts_at_once_and_forgives_nothing() {
        let mut limiter = Limiter::new(Some(60));
        assert!((0..60).all(|_| limiter.admit(PEER, Duration::ZERO)));
        limiter.set_rate(Some(6));
        assert!(!limiter.admit(PEER, Duration::from_secs(9)));
        assert!(limiter.admit(PEER, Duration::from_secs(10)));
        limiter.set_rate(None);
        assert!((0..100).all(|_| limiter.admit(PEER, Duration::from_secs(10))));
    }

    #[test]
    fn empty_buckets_are_thrown_out() {
        let mut limiter = Limiter::new(Some(600));
        for peer in 0..5_000 {
            assert!(limiter.admit(PeerAddr::V4(peer), Duration::from_secs(u64::from(peer))));
        }
        assert!(limiter.empty_at.len() <= SWEEP_AT_LEAST, "{}", limiter.empty_at.len());
    }

    #[test]
    fn without_a_bound_everybody_is_admitted() {
        let mut limiter = Limiter::new(None);
        assert!((0..10_000).all(|_| limiter.admit(PEER, Duration::ZERO)));
        assert!(limiter.empty_at.is_empty());
    }
}
