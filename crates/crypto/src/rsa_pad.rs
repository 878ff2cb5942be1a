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
