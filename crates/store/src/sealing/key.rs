//! The key-encryption key.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{AeadInOut, Tag},
};
use dayfly_crypto::{RandomError, SecureRandom};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a nonce of XChaCha20-Poly1305: long enough that random ones do not repeat.
pub(crate) const NONCE_LEN: usize = 24;
/// Bytes of its authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of a check value: nonce and tag over nothing.
pub(crate) const CHECK_LEN: usize = NONCE_LEN + TAG_LEN;

/// The 32 bytes under which every permanent key on the disk is sealed (XChaCha20-Poly1305).
///
/// Whoever has it and the data directory has every permanent key; either alone opens nothing.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SealingKey(Box<[u8; Self::LEN]>);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl SealingKey {
    /// Its length in bytes.
    pub const LEN: usize = 32;

    /// Draws a fresh one.
    ///
    /// # Errors
    /// [`RandomError`] if the source failed.
    pub fn draw(random: &mut dyn SecureRandom) -> Result<Self, RandomError> {
        let mut key = Self(Box::new([0; Self::LEN]));
        random.fill_secret(&mut *key.0)?;
        Ok(key)
    }

    /// Takes over the bytes; the source is wiped.
    #[must_use]
    pub fn take(source: &mut [u8; Self::LEN]) -> Self {
        let mut key = Self(Box::new([0; Self::LEN]));
        key.0.copy_from_slice(source);
        source.zeroize();
        key
    }

    /// The only door to the raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Encrypts `data` in place; `context` is authenticated with it.
    pub(crate) fn seal(
        &self,
        context: &[u8],
        data: &mut [u8],
        random: &mut dyn SecureRandom,
    ) -> Result<([u8; NONCE_LEN], [u8; TAG_LEN]), RandomError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill_public(&mut nonce)?;
        Ok((nonce, self.seal_with(nonce, context, data)?))
    }

    /// The same with a nonce that the caller uses only once.
    pub(crate) fn seal_with(
        &self,
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_LEN], RandomError> {
        let sealed = self.cipher().encrypt_inout_detached(&XNonce::from(nonce), context, data.into());
        // The one failure of the cipher is a text of more than 256 GiB.
        Ok(sealed.map_err(|_| RandomError)?.into())
    }

    /// Decrypts `data` in place. `false` if it is not what was sealed, by this key, in this context; `data` is
    /// unchanged then.
    #[must_use]
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        data: &mut [u8],
        tag: [u8; TAG_LEN],
    ) -> bool {
        let tag = Tag::<XChaCha20Poly1305>::from(tag);
        self.cipher().decrypt_inout_detached(&XNonce::from(nonce), context, data.into(), &tag).is_ok()
    }

    /// A value by which this key is known again later; tells nothing of it.
    pub(crate) fn check_value(
        &self,
        store: &[u8],
        random: &mut dyn SecureRandom,
    ) -> Result<[u8; CHECK_LEN], RandomError> {
        let (nonce, tag) = self.seal(&check_context(store), &mut [], random)?;
        let mut value = [0; CHECK_LEN];
        let (front, back) = value.split_at_mut(NONCE_LEN);
        front.copy_from_slice(&nonce);
        back.copy_from_slice(&tag);
        Ok(value)
    }

    /// Whether `value` is a check value that this key made for this store.
    pub(crate) fn made(&self, store: &[u8], value: &[u8; CHECK_LEN]) -> bool {
        let Some((nonce, rest)) = value.split_first_chunk() else { return false };
        let Some(tag) = rest.first_chunk() else { return false };
        self.open(*nonce, &check_context(store), &mut [], *tag)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.expose().into())
    }
}

fn check_context(store: &[u8]) -> Vec<u8> {
    [b"dayfly sealing key of store ".as_slice(), store].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandom;

    #[test]
    fn a_check_value_knows_its_key_and_its_store_only() {
        let (a, b) = (SealingKey::draw(&mut OsRandom).unwrap(), SealingKey::draw(&mut OsRandom).unwrap());
        let value = a.check_value(b"one", &mut OsRandom).unwrap();
        assert!(a.made(b"one", &value));
        assert!(!b.made(b"one", &value));
        assert!(!a.made(b"two", &value));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let key = SealingKey::draw(&mut OsRandom).unwrap();
        let mut sealed = *b"what is sealed";
        let (nonce, tag) = key.seal(b"context", &mut sealed, &mut OsRandom).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut data = sealed;
            data[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.open(nonce, b"context", &mut data, tag));
        }
        assert!(key.open(nonce, b"context", &mut sealed, tag));
        assert_eq!(&sealed, b"what is sealed");
    }

    #[test]
    fn debug_tells_nothing() {
        let key = SealingKey::take(&mut [0x5A; 32]);
        assert_eq!(format!("{key:?}"), "SealingKey(..)");
    }
}
