//! RSA_PAD: how inner data is sealed to the server's key.
//!
//! Source: Creating an Authorization Key, 4.1 (rules HS-11, HS-12).

use dayfly_modexp::{SHALLOW, scrubbed};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use crate::error::Refused;
use crate::rsa_key::PublicKey;
use crate::{Error, RandomError, SecureRandom, digest, enforce, holds, ige};

/// The most data that fits, in bytes.
pub const MAX_DATA: usize = 144;

/// Bytes of `data_with_padding`.
pub const PADDED: usize = 192;

/// Bytes of `data_with_hash`.
const WITH_HASH: usize = 224;

/// Bytes of `temp_key`.
const TEMP_KEY: usize = 32;

/// How often a block that is not below the modulus is tried again. A modulus of 2048 bits is at least half of the largest
/// block, so a source that needs more tries than this repeats itself.
const TRIES: usize = 128;

/// Pads `data` (at most 144 bytes) and encrypts it to `key`.
///
/// # Errors
/// [`Error::DataTooLong`]; [`Error::Random`] if the source failed or repeats itself; [`Error::Arithmetic`].
pub fn wrap(data: &[u8], key: &PublicKey, random: &mut dyn SecureRandom) -> Result<[u8; 256], Error> {
    let too_long = Error::DataTooLong { len: data.len(), max: MAX_DATA };
    enforce!("HS-11.size", data.len() <= MAX_DATA, too_long);
    let mut padded = Zeroizing::new(vec![0; PADDED]);
    let (body, padding) = padded.split_at_mut_checked(data.len()).ok_or(too_long)?;
    body.copy_from_slice(data);
    random.fill_secret(padding)?;
    for _ in 0..TRIES {
        let block = key_aes_encrypted(&padded, random)?;
        if holds!("HS-11.retry", block.as_slice() < key.n()) {
            return Ok(key.raw(&block)?);
        }
    }
    Err(RandomError.into())
}

/// One try: everything between the padding and the comparison with the modulus.
fn key_aes_encrypted(padded: &[u8], random: &mut dyn SecureRandom) -> Result<[u8; 256], Error> {
    let mut temp_key = Zeroizing::new([0; TEMP_KEY]);
    random.fill_secret(temp_key.as_mut_slice())?;
    scrubbed::<SHALLOW, _>(|| {
        let mut block = [0; 256];
        let (key_part, data_part) = split(&mut block);
        let (reversed, hash) = split_data(data_part);
        reversed.iter_mut().zip(padded.iter().rev()).for_each(|(to, from)| *to = *from);
        *hash = digest::sha256(&[temp_key.as_slice(), padded]);
        ige::encrypt(data_part, &temp_key, &ZERO_IV)?;
        *key_part = digest::sha256(&[data_part]);
        xor(key_part, &temp_key);
        Ok(block)
    })
}

/// Undoes the padding of a block that RSA has already decrypted: `data_with_padding`, 192 bytes, of which the first 144
/// may hold data.
///
/// Which byte of the hash differs does not show in the time.
///
/// # Errors
/// [`Refused::Hash`] if the hash is wrong.
pub fn unwrap(raw: &[u8; 256]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    scrubbed::<SHALLOW, _>(|| {
        let mut block = Zeroizing::new(*raw);
        let (temp_key, data_part) = split(&mut block);
        xor(temp_key, &digest::sha256(&[data_part]));
        ige::decrypt(data_part, temp_key, &ZERO_IV).map_err(|_| Refused::Internal)?;
        let (reversed, hash) = split_data(data_part);
        let mut padded = Zeroizing::new(Vec::with_capacity(PADDED));
        padded.extend(reversed.iter().rev());
        let right = digest::sha256(&[temp_key, &padded]);
        enforce!("HS-12.hash", bool::from(right.ct_eq(hash)), Refused::Hash);
        Ok(padded)
    })
}

const ZERO_IV: [u8; 32] = [0; 32];

/// `temp_key_xor` and `aes_encrypted`.
#[expect(clippy::expect_used, reason = "32 and 224 make 256")]
fn split(block: &mut [u8; 256]) -> (&mut [u8; TEMP_KEY], &mut [u8; WITH_HASH]) {
    let (key, data) = block.split_first_chunk_mut().expect("256 bytes begin with 32");
    (key, data.try_into().expect("224 bytes are left"))
}

/// `data_pad_reversed` and its hash.
#[expect(clippy::expect_used, reason = "192 and 32 make 224")]
fn split_data(data: &mut [u8; WITH_HASH]) -> (&mut [u8; PADDED], &mut [u8; 32]) {
    let (reversed, hash) = data.split_first_chunk_mut().expect("224 bytes begin with 192");
    (reversed, hash.try_into().expect("32 bytes are left"))
}

fn xor(left: &mut [u8; TEMP_KEY], right: &[u8; TEMP_KEY]) {
    left.iter_mut().zip(right).for_each(|(to, with)| *to ^= with);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsa_key::{Ciphertext, PrivateKey};
    use crate::testing::{Failing, Seeded, Stuck};

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_str!("../tests/data/pkcs1.pem")).unwrap()
    }

    /// What RSA gives back of a block that `wrap` made.
    fn decrypted(wrapped: &[u8; 256], key: &PrivateKey) -> [u8; 256] {
        let block = Ciphertext::parse(wrapped, key.public()).unwrap();
        key.raw(&[&block]).unwrap()[0].try_into().unwrap()
    }

    /// The padding by the letter of the specification, over plain vectors.
    fn by_the_letter(data_with_padding: &[u8], temp_key: &[u8; 32]) -> Vec<u8> {
        let mut data_with_hash: Vec<u8> = data_with_padding.iter().rev().copied().collect();
        data_with_hash.extend(digest::sha256(&[temp_key, data_with_padding]));
        ige::encrypt(&mut data_with_hash, temp_key, &[0; 32]).unwrap();
        let mask = digest::sha256(&[&data_with_hash]);
        let temp_key_xor = temp_key.iter().zip(mask).map(|(a, b)| a ^ b);
        temp_key_xor.chain(data_with_hash.iter().copied()).collect()
    }

    // rule: HS-11
    #[test]
    fn wrapping_follows_the_specification_step_by_step() {
        let key = key();
        let mut script = Seeded::new(11);
        let (mut padding, mut temp_key) = ([0; 92], [0; 32]);
        script.fill_secret(&mut padding).unwrap();
        let data_with_padding = [[0xDA; 100].as_slice(), &padding].concat();
        let expected = loop {
            script.fill_secret(&mut temp_key).unwrap();
            let block = by_the_letter(&data_with_padding, &temp_key);
            if block.as_slice() < key.public().n() {
                break block;
            }
        };
        let wrapped = wrap(&[0xDA; 100], key.public(), &mut Seeded::new(11)).unwrap();
        assert_eq!(decrypted(&wrapped, &key).to_vec(), expected);
    }

    // rule: HS-11
    #[test]
    fn a_block_that_is_not_below_the_modulus_is_made_anew() {
        let key = key();
        let mut retried = 0;
        for seed in 0..40 {
            let mut counted = Counted(Seeded::new(seed), 0);
            wrap(b"data", key.public(), &mut counted).unwrap();
            retried += counted.1 - 2; // one draw for the padding, one for the first temp_key
        }
        assert!(retried > 0, "no seed needed a second temp_key; the test shows nothing");
    }

    struct Counted(Seeded, u32);

    impl SecureRandom for Counted {
        fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.0.fill_public(out)
        }

        fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.1 += 1;
            self.0.fill_secret(out)
        }
    }

    // rule: HS-11
    #[test]
    fn more_data_than_fits_is_refused() {
        let key = key();
        for len in [145, 192, 193, 1000] {
            let outcome = wrap(&vec![0; len], key.public(), &mut Seeded::new(0));
            assert_eq!(outcome, Err(Error::DataTooLong { len, max: MAX_DATA }));
        }
        assert!(wrap(&[0; 144], key.public(), &mut Seeded::new(0)).is_ok());
    }

    // rule: HS-12
    #[test]
    fn any_flipped_bit_of_the_block_is_refused() {
        let block: [u8; 256] = by_the_letter(&[0x77; PADDED], &[5; 32]).try_into().unwrap();
        assert_eq!(unwrap(&block).unwrap().as_slice(), [0x77; PADDED]);
        for at in 0..256 {
            let mut broken = block;
            broken[at] ^= 1 << (at % 8);
            assert_eq!(unwrap(&broken), Err(Refused::Hash), "byte {at}");
        }
    }

    #[test]
    fn a_source_that_fails_or_repeats_itself_ends_in_an_error() {
        let key = key();
        assert_eq!(wrap(b"data", key.public(), &mut Failing), Err(Error::Random(RandomError)));
        // Some constant gives a block above the modulus, and then does so for ever.
        let outcomes: Vec<_> = (0..=255).map(|byte| wrap(b"data", key.public(), &mut Stuck(byte))).collect();
        assert!(outcomes.contains(&Err(Error::Random(RandomError))));
        assert!(outcomes.iter().any(Result::is_ok));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn unwrapping_undoes_wrapping(data in proptest::collection::vec(any::<u8>(), 0..=MAX_DATA), seed: u64) {
            let key = key();
            let wrapped = wrap(&data, key.public(), &mut Seeded::new(seed)).unwrap();
            let padded = unwrap(&decrypted(&wrapped, &key)).unwrap();
            prop_assert_eq!(padded.len(), PADDED);
            prop_assert_eq!(&padded[..data.len()], data.as_slice());
        }
    }
}
