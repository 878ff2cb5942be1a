//! Time and randomness as a test wants them, and keys without an exchange.

use core::time::Duration;
use std::sync::Arc;

use dayfly_core::env::{Env, Now, RandomError, SecureRandom};
use dayfly_core::keys::kind::{PermKey, TrafficKey, UnboundTempKey};
use dayfly_core::observer::NoObserver;
use dayfly_crypto::digest::sha256;
use dayfly_crypto::rsa_key::{PrivateKey, PublicKey};
use dayfly_crypto::{AuthKey, AuthKeyId};

/// The Unix second at which every test begins.
pub(crate) const START: u64 = 1_790_000_000;

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The published test key.
pub(crate) fn private_key() -> Arc<PrivateKey> {
    let pem = include_str!("../../../vectors/keys/test_rsa.pem");
    Arc::new(PrivateKey::from_pem(pem).unwrap())
}

pub(crate) fn public_key() -> PublicKey {
    PublicKey::from_pem(&private_key().public().to_pem().unwrap()).unwrap()
}

/// A query of no API: only a back end could tell what it means.
pub(crate) fn call(number: u32) -> Vec<u8> {
    [0x0bad_cafe_u32.to_le_bytes(), number.to_le_bytes()].concat()
}

/// SHA256 of a seed and a counter.
struct Seeded(u64, u64);

impl SecureRandom for Seeded {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.1 += 1;
            let block = sha256(&[&self.0.to_le_bytes(), &self.1.to_le_bytes()]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

pub(crate) struct World {
    pub(crate) now: Now,
    random: Seeded,
    observer: NoObserver,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Now { monotonic: seconds(1000), unix: seconds(START) };
        Self { now, random: Seeded(seed, 0), observer: NoObserver }
    }

    pub(crate) fn env(&mut self) -> Env<'_> {
        Env::new(self.now, &mut self.random, &mut self.observer)
    }

    /// Lets time pass by both clocks.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.unix += time;
    }
}

/// A key that was never exchanged.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) secret: Arc<AuthKey>,
    pub(crate) id: AuthKeyId,
    /// Unix second; `None` for a permanent key.
    pub(crate) expires_at: Option<u64>,
}

impl Key {
    fn new(number: u8, expires_at: Option<u64>) -> Self {
        let bytes = core::array::from_fn(|at| (at as u8).wrapping_mul(7) ^ number);
        let secret = Arc::new(AuthKey::copy_of(&bytes));
        Self { id: secret.id(), secret, expires_at }
    }

    pub(crate) fn perm(number: u8) -> Self {
        Self::new(number, None)
    }

    /// A temporary key that ends so many seconds after the start.
    pub(crate) fn temp(number: u8, ends_after: u64) -> Self {
        Self::new(number, Some(START + ends_after))
    }

    pub(crate) fn as_perm(&self) -> PermKey {
        PermKey::new(Arc::clone(&self.secret))
    }

    /// The key as one that traffic is sealed with.
    pub(crate) fn traffic(&self) -> TrafficKey {
        TrafficKey::from(&UnboundTempKey::new(Arc::clone(&self.secret), u64::MAX))
    }
}
