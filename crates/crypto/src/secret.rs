//! Secrets: a type each, boxed so that moving them leaves no copy, wiped on drop, silent in `Debug`.

use core::fmt;

use dayfly_modexp::{SHALLOW, scrubbed};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{digest, mutant};

macro_rules! silent {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

/// The lower 64 bits of the SHA1 of an authorization key: its last 8 bytes, read little-endian as they stand on the wire.
///
/// Source: Creating an Authorization Key, step 8 (rule HS-24).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AuthKeyId(pub u64);

impl AuthKeyId {
    /// The 8 bytes as they stand on the wire.
    #[must_use]
    pub fn to_wire(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// From the 8 bytes as they stand on the wire.
    #[must_use]
    pub fn from_wire(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// As the `long` of a TL field.
    #[must_use]
    pub fn to_long(self) -> i64 {
        self.0.cast_signed()
    }

    /// From the `long` of a TL field.
    #[must_use]
    pub fn from_long(long: i64) -> Self {
        Self(long.cast_unsigned())
    }
}

impl fmt::Display for AuthKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for AuthKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthKeyId({self})")
    }
}

/// A 2048-bit authorization key: g^ab as exactly 256 big-endian bytes, leading zeros kept (rule HS-24).
#[derive(Zeroize)]
pub struct AuthKey(Box<[u8; 256]>);

silent!(AuthKey);

impl Drop for AuthKey {
    fn drop(&mut self) {
        mutant!("PF-15.wipe", self.zeroize(), ());
    }
}

impl ZeroizeOnDrop for AuthKey {}

impl AuthKey {
    /// Takes over the bytes; the source is wiped.
    #[must_use]
    pub fn take(source: &mut [u8; 256]) -> Self {
        let mut key = Box::new([0; 256]);
        key.copy_from_slice(source);
        source.zeroize();
        Self(key)
    }

    /// Copies the bytes out of a buffer that wipes itself.
    #[must_use]
    pub fn copy_of(source: &[u8; 256]) -> Self {
        let mut key = Box::new([0; 256]);
        key.copy_from_slice(source);
        Self(key)
    }

    /// The only door to the raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 256] {
        &self.0
    }

    /// `auth_key_id`: the last 8 bytes of the SHA1.
    #[must_use]
    pub fn id(&self) -> AuthKeyId {
        let [.., a, b, c, d, e, f, g, h] = self.sha1();
        AuthKeyId::from_wire([a, b, c, d, e, f, g, h])
    }

    /// `auth_key_aux_hash`: the first 8 bytes of the SHA1, as they stand in the hash.
    #[must_use]
    pub fn aux_hash(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.sha1();
        [a, b, c, d, e, f, g, h]
    }

    fn sha1(&self) -> [u8; 20] {
        scrubbed::<SHALLOW, _>(|| digest::sha1(&[self.expose()]))
    }
}

/// `new_nonce`: the 32 bytes from which the keys of one run are derived; known to client and server alone.
#[derive(Zeroize)]
pub struct NewNonce(Box<[u8; 32]>);

silent!(NewNonce);

impl Drop for NewNonce {
    fn drop(&mut self) {
        mutant!("HS-29.wipe_new_nonce", self.zeroize(), ());
    }
}

impl ZeroizeOnDrop for NewNonce {}

impl NewNonce {
    /// Takes over the bytes; the source is wiped.
    #[must_use]
    pub fn take(source: &mut [u8; 32]) -> Self {
        let mut nonce = Box::new([0; 32]);
        nonce.copy_from_slice(source);
        source.zeroize();
        Self(nonce)
    }

    /// Copies the bytes out of a buffer that wipes itself.
    #[must_use]
    pub fn copy_of(source: &[u8; 32]) -> Self {
        let mut nonce = Box::new([0; 32]);
        nonce.copy_from_slice(source);
        Self(nonce)
    }

    /// The only door to the raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A secret Diffie-Hellman exponent, big-endian, a or b of the specification.
#[derive(Zeroize)]
pub struct Exponent(Box<[u8]>);

silent!(Exponent);

impl Drop for Exponent {
    fn drop(&mut self) {
        mutant!("HS-29.wipe_exponent", self.zeroize(), ());
    }
}

impl ZeroizeOnDrop for Exponent {}

impl Exponent {
    /// Draws `bits` random bits (rounded up to whole bytes); the top one is not forced (rule HS-21).
    ///
    /// # Errors
    /// [`crate::RandomError`] if the source failed.
    pub fn draw(bits: usize, random: &mut dyn crate::SecureRandom) -> Result<Self, crate::RandomError> {
        let mut exponent = Self(vec![0; bits.div_ceil(8)].into_boxed_slice());
        mutant!("HS-21.draw", random.fill_secret(&mut exponent.0)?, ());
        Ok(exponent)
    }

    /// The only door to the raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// An AES-256 key and IGE initialization vector, derived together and used together.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct AesKeyIv {
    /// `aes_key`, 32 bytes.
    pub key: [u8; 32],
    /// `aes_iv`, 32 bytes: the two previous blocks of IGE.
    pub iv: [u8; 32],
}

silent!(AesKeyIv);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Failing, Seeded, Stuck};
    use crate::{RandomError, SecureRandom};

    // rule: HS-24
    #[test]
    fn id_is_the_end_and_aux_hash_the_front_of_the_sha1() {
        let key = AuthKey::take(&mut [7; 256]);
        let sha1 = digest::sha1(&[&[7; 256]]);
        assert_eq!(key.id().to_wire(), sha1[12..]);
        assert_eq!(key.aux_hash(), sha1[..8]);
        assert_eq!(AuthKeyId::from_long(key.id().to_long()), key.id());
    }

    #[test]
    fn taking_wipes_the_source() {
        let (mut key, mut nonce) = ([7; 256], [8; 32]);
        drop(AuthKey::take(&mut key));
        drop(NewNonce::take(&mut nonce));
        assert_eq!((key, nonce), ([0; 256], [0; 32]));
    }

    #[test]
    fn an_id_is_shown_as_sixteen_digits_of_the_number() {
        let id = AuthKeyId::from_wire([0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01]);
        assert_eq!(id.to_string(), "0123456789abcdef");
        assert_eq!(format!("{:?}", AuthKeyId(5)), "AuthKeyId(0000000000000005)");
    }

    #[test]
    fn secrets_show_no_bytes() {
        let aes = AesKeyIv { key: [1; 32], iv: [2; 32] };
        let exponent = Exponent::draw(2048, &mut Stuck(9)).unwrap();
        let shown = format!(
            "{:?}{:?}{aes:?}{exponent:?}",
            AuthKey::take(&mut [7; 256]),
            NewNonce::take(&mut [8; 32])
        );
        assert_eq!(shown, "AuthKey(..)NewNonce(..)AesKeyIv(..)Exponent(..)");
    }

    // rule: HS-21
    #[test]
    fn an_exponent_is_what_the_source_gave_with_no_bit_forced() {
        let mut expected = [0; 256];
        Seeded::new(5).fill_secret(&mut expected).unwrap();
        assert_eq!(Exponent::draw(2048, &mut Seeded::new(5)).unwrap().expose(), expected);
        assert_eq!(Exponent::draw(2048, &mut Stuck(0)).unwrap().expose(), [0; 256]);
        assert_eq!(Exponent::draw(255, &mut Stuck(1)).unwrap().expose(), [1; 32]);
    }

    #[test]
    fn a_failing_source_makes_no_exponent() {
        assert_eq!(Exponent::draw(2048, &mut Failing).err(), Some(RandomError));
    }
}
