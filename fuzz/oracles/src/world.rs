//! Time, randomness and an observer, all scripted.

use core::time::Duration;
use std::collections::BTreeMap;

use dayfly_core::env::{Now, RandomError, SecureRandom};
use dayfly_core::{Env, Observer};
use dayfly_tl::mtproto::PQInnerData;
use dayfly_tl::read_exact;

/// The Unix second at which every script begins.
pub const START: u64 = 1_700_000_000;

/// What the outside contributes to a machine under test.
pub struct World {
    /// The time, moved on by the script.
    pub now: Now,
    /// Random bytes.
    pub chance: Chance,
    /// What the machine said of itself.
    pub watcher: Watcher,
}

impl World {
    /// A world at [`START`] whose random bytes follow from `seed`.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self {
            now: Now { monotonic: Duration::from_secs(1_000), unix: Duration::from_secs(START) },
            chance: Chance::new(seed),
            watcher: Watcher::default(),
        }
    }

    /// For one call.
    pub fn env(&mut self) -> Env<'_, Watcher> {
        Env::new(self.now, &mut self.chance, &mut self.watcher)
    }

    /// Lets so many seconds pass; with 0, all the time until `due`, if anything is.
    pub fn wait_or_until(&mut self, seconds: u16, due: Option<Duration>) {
        match due {
            Some(due) if seconds == 0 => self.wait(due.saturating_sub(self.now.monotonic)),
            _ => self.wait(Duration::from_secs(u64::from(seconds))),
        }
    }

    /// Whether something that is due at `at` should be done by now.
    #[must_use]
    pub fn is_due(&self, at: Option<Duration>) -> bool {
        at.is_some_and(|at| at <= self.now.monotonic)
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.now.monotonic = self.now.monotonic.saturating_add(time);
        self.now.unix = self.now.unix.saturating_add(time);
    }
}

/// Random bytes that follow from a seed (SplitMix64), or none at all.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
    /// Whether the source fails from now on.
    pub fails: bool,
}

impl Chance {
    /// The bytes of this seed.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self { state: u64::from(seed), fails: false }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl SecureRandom for Chance {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        if self.fails {
            return Err(RandomError);
        }
        for piece in out.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

/// Keeps the last of each value that a machine derived: how a scripted peer comes to know `new_nonce`.
#[derive(Debug, Default)]
pub struct Watcher {
    last: BTreeMap<&'static str, Vec<u8>>,
    new_nonces: BTreeMap<[u8; 16], [u8; 32]>,
}

impl Watcher {
    /// The last value of this name, as long as it must be; `None` if there was none.
    #[must_use]
    pub fn last<const N: usize>(&self, name: &str) -> Option<[u8; N]> {
        let bytes = self.last.get(name)?;
        Some(bytes.as_slice().try_into().unwrap_or_else(|_| panic!("{name} has {} bytes", bytes.len())))
    }

    /// Forgets the last value of this name.
    pub fn forget(&mut self, name: &str) {
        self.last.remove(name);
    }

    /// The `new_nonce` of the client's run with this `nonce`; of several runs at a time each has its own.
    #[must_use]
    pub fn new_nonce(&self, nonce: &[u8; 16]) -> Option<[u8; 32]> {
        self.new_nonces.get(nonce).copied()
    }
}

impl Observer for Watcher {
    fn value(&mut self, name: &'static str, bytes: &[u8]) {
        self.last.insert(name, bytes.to_vec());
        let (nonce, new_nonce) = match read_exact(bytes) {
            Ok(PQInnerData::PQInnerDataDc(m)) if name == "p_q_inner_data" => (m.nonce, *m.new_nonce),
            Ok(PQInnerData::PQInnerDataTempDc(m)) if name == "p_q_inner_data" => (m.nonce, *m.new_nonce),
            _ => return,
        };
        self.new_nonces.insert(nonce, new_nonce);
    }
}
