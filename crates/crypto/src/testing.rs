//! What the tests of this crate share.

use crate::{RandomError, SecureRandom, digest};

/// A deterministic source: SHA256 of a seed and a counter. Public and secret draws share one stream.
pub(crate) struct Seeded {
    seed: u64,
    counter: u64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }
}

impl SecureRandom for Seeded {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.counter += 1;
            let block = digest::sha256(&[&self.seed.to_le_bytes(), &self.counter.to_le_bytes()]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source that gives the same byte for ever.
pub(crate) struct Stuck(pub(crate) u8);

impl SecureRandom for Stuck {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(self.0);
        Ok(())
    }
}

/// A source that always fails.
pub(crate) struct Failing;

impl SecureRandom for Failing {
    fn fill_public(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }

    fn fill_secret(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}
