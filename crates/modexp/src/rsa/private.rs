//! Private keys.

use core::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::handle::Handle;
use super::{BLOCK, RsaPublicKey};
use crate::Error;
use crate::bignum::done;
use crate::modulus::{BATCH, Results};
use crate::scrub::{DEEP, scrubbed};

/// An RSA private key with its factors. The library wipes its numbers when the last clone is dropped.
pub struct RsaPrivateKey {
    key: Arc<Handle>,
    public: RsaPublicKey,
}

impl RsaPrivateKey {
    /// A fresh key with the public exponent 65537, drawn from the library's own generator.
    ///
    /// # Errors
    /// [`Error::KeySize`] unless `bits` is between 1024 and 8192; [`Error::Library`] if generation failed.
    pub fn generate(bits: usize) -> Result<Self, Error> {
        let bits =
            i32::try_from(bits).ok().filter(|bits| (1024..=8192).contains(bits)).ok_or(Error::KeySize)?;
        scrubbed::<DEEP, _>(|| Handle::generate(bits)).map(Self::of)
    }

    /// From a PKCS#1 `RSAPrivateKey` with two primes. The numbers are checked against each other.
    ///
    /// # Errors
    /// [`Error::Key`] for other bytes and for numbers that contradict each other.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, Error> {
        scrubbed::<DEEP, _>(|| Handle::from_private_der(der)).map(Self::of)?.checked()
    }

    /// From a PKCS#8 `PrivateKeyInfo` that is not encrypted. The numbers are checked against each other.
    ///
    /// # Errors
    /// [`Error::Key`] for other bytes, for keys that are not RSA, and for numbers that contradict each other.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        scrubbed::<DEEP, _>(|| Handle::from_pkcs8_der(der)).map(Self::of)?.checked()
    }

    fn of(key: Handle) -> Self {
        let key = Arc::new(key);
        Self { public: RsaPublicKey::shared(Arc::clone(&key)), key }
    }

    /// Proves a loaded key by its own checks and, where it is one that computes, by one operation there and back.
    fn checked(self) -> Result<Self, Error> {
        // SAFETY: the key is valid; the function only reads it.
        done(unsafe { aws_lc_sys::RSA_check_key(self.key.as_mut_ptr()) }).map_err(|_| Error::Key)?;
        if self.public.bits() == BLOCK * 8 {
            let mut probe = [0x5A; BLOCK];
            probe[0] = 0;
            let back = self.raw(&[&probe]).map_err(|_| Error::Key)?;
            let there = <&[u8; BLOCK]>::try_from(&back[0]).map_err(|_| Error::Key)?;
            if self.public.raw(there) != Ok(probe) {
                return Err(Error::Key);
            }
        }
        Ok(self)
    }

    /// As a PKCS#1 `RSAPrivateKey`.
    ///
    /// # Errors
    /// [`Error::Library`] without memory.
    pub fn to_pkcs1_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        scrubbed::<DEEP, _>(|| self.key.to_private_der())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// `block ^ d mod n` for one to eight blocks, each result 256 bytes, big-endian, leading zeros kept.
    ///
    /// By the Chinese remainder theorem, blinded, in constant time, and each result is checked with the public exponent
    /// before it is given out, so that a fault of the machine cannot give the key away.
    ///
    /// # Errors
    /// [`Error::KeySize`] unless the modulus has 2048 bits, [`Error::BatchSize`], [`Error::NotReduced`] if a block is not
    /// below the modulus, [`Error::Library`] if the check failed.
    pub fn raw(&self, blocks: &[&[u8; BLOCK]]) -> Result<Results, Error> {
        if self.public.bits() != BLOCK * 8 {
            return Err(Error::KeySize);
        }
        if blocks.is_empty() || blocks.len() > BATCH {
            return Err(Error::BatchSize);
        }
        if blocks.iter().any(|block| block.as_slice() >= self.public.n()) {
            return Err(Error::NotReduced);
        }
        scrubbed::<DEEP, _>(|| blocks.iter().map(|block| self.decrypt(block)).collect::<Result<_, _>>())
            .map(Results)
    }

    /// Whether the block is 0, 1 or n-1. Each is its own power under any odd exponent, and the library refuses them; a
    /// stranger who sends one must not make a batch fail that holds other people's blocks.
    fn is_fixed_point(&self, block: &[u8; BLOCK]) -> bool {
        let [head @ .., last] = block;
        let zero_or_one = head.iter().all(|byte| *byte == 0) && *last <= 1;
        let [n_head @ .., n_last] = self.public.n() else {
            return false;
        };
        zero_or_one || (head.as_slice() == n_head && *last == n_last & !1)
    }

    fn decrypt(&self, block: &[u8; BLOCK]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.is_fixed_point(block) {
            return Ok(Zeroizing::new(block.to_vec()));
        }
        let (mut out, mut len) = (Zeroizing::new(vec![0; BLOCK]), 0);
        // SAFETY: both buffers have `BLOCK` bytes, as long as the modulus; the key is valid and locked inside.
        done(unsafe {
            aws_lc_sys::RSA_decrypt(
                self.key.as_mut_ptr(),
                &mut len,
                out.as_mut_ptr(),
                BLOCK,
                block.as_ptr(),
                BLOCK,
                aws_lc_sys::RSA_NO_PADDING,
            )
        })?;
        Ok(out)
    }
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaPrivateKey(..)")
    }
}
