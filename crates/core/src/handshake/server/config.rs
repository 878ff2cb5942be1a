//! What an operator decides of the key exchange.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use dayfly_crypto::dh::SafePrimeGroup;

use super::KeyRing;

/// What an operator decides of the key exchange.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The RSA keys, in the order in which `resPQ` lists them.
    pub keys: Arc<KeyRing>,
    /// dh_prime and g, checked when they were configured (rule HS-39).
    pub group: Arc<SafePrimeGroup>,
    /// The length of a in bits: 2048, or a shorter one that the operator chose, at least 256 (rule HS-21).
    pub exponent_bits: usize,
    /// Which values of `dc` are taken (rule HS-14).
    pub dc_policy: DcPolicy,
    /// The longest life of a temporary key in seconds; longer ones are cut to it (rule PF-25).
    pub longest_expires_in: u32,
    /// After how many refused keys a run ends with dh_gen_fail (rule HS-26).
    pub max_retries: u32,
    /// Bounds on what peers may take up.
    pub limits: ServerLimits,
}

impl ServerConfig {
    /// The defaults, with these RSA keys and this group.
    #[must_use]
    pub fn new(keys: Arc<KeyRing>, group: Arc<SafePrimeGroup>) -> Self {
        Self {
            keys,
            group,
            exponent_bits: 2048,
            dc_policy: DcPolicy::Any,
            longest_expires_in: 172_800,
            max_retries: 5,
            limits: ServerLimits::default(),
        }
    }

    /// The length of a in bytes, never below 256 bits.
    pub(super) fn exponent_bits(&self) -> usize {
        self.exponent_bits.clamp(256, 2048)
    }
}

/// Which values of `dc` are taken.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum DcPolicy {
    /// Every one.
    #[default]
    Any,
    /// `id` and `-id` of these DCs alone, 10000 added on a test server; another one gets -444 (rule HS-14).
    Strict {
        /// The ids served, 1 to 9999.
        served: BTreeSet<i32>,
        /// Whether this is a test server.
        test: bool,
    },
}

impl DcPolicy {
    /// Whether a key for `dc` may be made; `None` where the inner data had no dc.
    #[must_use]
    pub fn takes(&self, dc: Option<i32>) -> bool {
        match (self, dc) {
            (Self::Any, _) | (_, None) => true,
            (Self::Strict { served, test }, Some(dc)) => {
                let id = dc.unsigned_abs();
                let shift = if *test { 10_000 } else { 0 };
                served.iter().any(|served| served.unsigned_abs().checked_add(shift) == Some(id))
            }
        }
    }
}

/// Bounds on what peers may take up (rule HS-35).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerLimits {
    /// Runs that have not shown their factors; the oldest one gives way to a new one.
    pub unproven_runs: usize,
    /// The same for one address.
    pub unproven_runs_per_address: usize,
    /// Runs between the factors and the key; beyond it `req_DH_params` gets -429.
    pub proven_runs: usize,
    /// The same for one address.
    pub proven_runs_per_address: usize,
    /// Jobs that may wait or be under way when a run shows its factors; beyond it `req_DH_params` gets -429. Those of runs past
    /// the factors are never refused.
    pub waiting_jobs: usize,
    /// Private-key operations that one address may have begun in a minute, at least 1; `None` for no bound.
    pub private_operations_per_minute: Option<u32>,
    /// How long after its `req_pq_multi` a run and its answers are remembered (rule HS-31).
    pub run_lifetime: Duration,
    /// How long a query waits for the store before it gets -429 (rule HS-26).
    pub store_patience: Duration,
    /// How many connections may wait for the same answer.
    pub waiters: usize,
    /// How much the memory of finished runs may take, in bytes.
    pub answer_memory: usize,
}

impl ServerLimits {
    /// How many jobs may wait for each thread that does them, unless the operator says otherwise: half a second of work if a job
    /// takes 2 ms. An answer takes two jobs one after the other, so who is admitted has it within the second of rule HS-40.
    pub const WAITING_JOBS_PER_THREAD: usize = 250;
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            unproven_runs: 20_000,
            unproven_runs_per_address: 2_000,
            proven_runs: 20_000,
            proven_runs_per_address: 2_000,
            waiting_jobs: 4_096,
            private_operations_per_minute: Some(600),
            run_lifetime: Duration::from_secs(600),
            store_patience: Duration::from_secs(4),
            waiters: 4,
            answer_memory: 64 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rule: HS-14
    #[test]
    fn the_strict_policy_takes_the_id_and_its_media_form_alone() {
        let production = DcPolicy::Strict { served: BTreeSet::from([2, 4]), test: false };
        let test = DcPolicy::Strict { served: BTreeSet::from([2]), test: true };
        for dc in [2, -2, 4, -4] {
            assert!(production.takes(Some(dc)), "{dc}");
        }
        for dc in [1, 10_002, -10_002, 0, i32::MIN] {
            assert!(!production.takes(Some(dc)), "{dc}");
            assert!(DcPolicy::Any.takes(Some(dc)), "{dc}");
        }
        assert!(test.takes(Some(10_002)) && test.takes(Some(-10_002)) && !test.takes(Some(2)));
        assert!(production.takes(None), "the older forms have none");
    }
}
