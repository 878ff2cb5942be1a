//! Randomness from a seed: a run with the same seed sends the same bytes.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use dayfly_core::SecureRandom;
use dayfly_core::env::RandomError;

/// A source of the suite's own. Its seed is printed, so nothing that it draws is a secret.
pub(crate) struct Dice(ChaCha20Rng);

impl Dice {
    /// The source of this seed, for this use: `stream` keeps uses apart.
    #[must_use]
    pub(crate) fn new(seed: u64, stream: &str) -> Self {
        let digest = dayfly_crypto::digest::sha256(&[&seed.to_le_bytes(), stream.as_bytes()]);
        Self(ChaCha20Rng::from_seed(digest))
    }

    /// So many bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill_bytes(&mut out);
        out
    }

    /// A number.
    pub(crate) fn long(&mut self) -> i64 {
        i64::from_le_bytes(self.bytes())
    }
}

impl SecureRandom for Dice {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill_bytes(out);
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}
