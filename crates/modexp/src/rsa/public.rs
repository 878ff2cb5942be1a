//! Public keys.

use core::fmt;
use std::sync::Arc;

use super::BLOCK;
use super::handle::Handle;
use crate::bignum::done;
use crate::scrub::{DEEP, scrubbed};
use crate::{Error, der};

/// An RSA public key. Cloning shares the prepared key.
#[derive(Clone)]
pub struct RsaPublicKey {
    key: Arc<Handle>,
    n: Arc<[u8]>,
    e: Arc<[u8]>,
}

impl RsaPublicKey {
    /// From big-endian numbers.
    ///
    /// # Errors
    /// [`Error::Key`] for numbers that are no RSA public key: an even or tiny modulus or exponent, an exponent longer
    /// than 33 bits, a modulus beyond the library's bound.
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        Handle::from_public_numbers(n, e).map(Self::of).map_err(|_| Error::Key)
    }

    /// From a PKCS#1 `RSAPublicKey`.
    ///
    /// # Errors
    /// [`Error::Key`] for other bytes.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, Error> {
        Handle::from_public_der(der).map(Self::of)
    }

    /// From a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`Error::Key`] for other bytes and for keys that are not RSA.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        Handle::from_spki_der(der).map(Self::of)
    }

    pub(super) fn of(key: Handle) -> Self {
        let (n, e) = key.public_numbers();
        Self { key: Arc::new(key), n: n.into(), e: e.into() }
    }

    pub(super) fn shared(key: Arc<Handle>) -> Self {
        let (n, e) = key.public_numbers();
        Self { key, n: n.into(), e: e.into() }
    }

    /// As a PKCS#1 `RSAPublicKey`.
    #[must_use]
    pub fn to_pkcs1_der(&self) -> Vec<u8> {
        der::rsa_public_key(&self.n, &self.e)
    }

    /// As a `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        der::public_key_info(&self.to_pkcs1_der())
    }

    /// The modulus, big-endian without leading zeros.
    #[must_use]
    pub fn n(&self) -> &[u8] {
        &self.n
    }

    /// The public exponent, big-endian without leading zeros.
    #[must_use]
    pub fn e(&self) -> &[u8] {
        &self.e
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        let leading = self.n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        self.n.len() * 8 - leading
    }

    /// `block ^ e mod n`, big-endian, leading zeros kept.
    ///
    /// # Errors
    /// [`Error::KeySize`] unless the modulus has 2048 bits, [`Error::NotReduced`] if the block is not below it.
    pub fn raw(&self, block: &[u8; BLOCK]) -> Result<[u8; BLOCK], Error> {
        if self.bits() != BLOCK * 8 {
            return Err(Error::KeySize);
        }
        if block.as_slice() >= self.n() {
            return Err(Error::NotReduced);
        }
        scrubbed::<DEEP, _>(|| self.encrypt(block))
    }

    fn encrypt(&self, block: &[u8; BLOCK]) -> Result<[u8; BLOCK], Error> {
        let (mut out, mut len) = ([0; BLOCK], 0);
        // SAFETY: both buffers have `BLOCK` bytes, as long as the modulus; the key is valid and locked inside.
        done(unsafe {
            aws_lc_sys::RSA_encrypt(
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

impl PartialEq for RsaPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.n == other.n && self.e == other.e
    }
}

impl Eq for RsaPublicKey {}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaPublicKey").field("bits", &self.bits()).finish_non_exhaustive()
    }
}
