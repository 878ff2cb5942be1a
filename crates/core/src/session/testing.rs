//! What the tests of this module share.

use dayfly_crypto::{RandomError, SecureRandom};

/// Bytes that differ from draw to draw, and are the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counting(u64);

impl SecureRandom for Counting {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

/// A source that failed.
#[derive(Debug)]
pub(crate) struct Broken;

impl SecureRandom for Broken {
    fn fill_public(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }

    fn fill_secret(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}
