//! The scheme before RSA_PAD: SHA1(data) + data + random bytes, 255 in all, and raw RSA.
//!
//! Today's documentation no longer has it. It is the scheme of the 2021 attack on the handshake; it is here for servers
//! whose operator turns it on for old clients, and for recorded handshakes (rule HS-13).

use dayfly_modexp::{SHALLOW, scrubbed};
use subtle::ConstantTimeEq;

use crate::rsa_key::PublicKey;
use crate::{Error, SecureRandom, digest, holds};

/// The most data that fits, in bytes.
pub const MAX_DATA: usize = 235;

/// Bytes of the block before the data: the leading zero and the SHA1.
const BEFORE_DATA: usize = 21;

/// Pads `data` (at most 235 bytes) and encrypts it to `key`.
///
/// # Errors
/// [`Error::DataTooLong`]; [`Error::Random`]; [`Error::Arithmetic`].
pub fn wrap(data: &[u8], key: &PublicKey, random: &mut dyn SecureRandom) -> Result<[u8; 256], Error> {
    let too_long = Error::DataTooLong { len: data.len(), max: MAX_DATA };
    let mut block = zeroize::Zeroizing::new([0; 256]);
    let (head, room) = block.split_at_mut_checked(BEFORE_DATA).ok_or(too_long)?;
    let (body, padding) = room.split_at_mut_checked(data.len()).ok_or(too_long)?;
    let hash = scrubbed::<SHALLOW, _>(|| digest::sha1(&[data]));
    head.iter_mut().skip(1).zip(hash).for_each(|(to, from)| *to = from);
    body.copy_from_slice(data);
    random.fill_secret(padding)?;
    Ok(key.raw(&block)?)
}

/// Where the data of a decrypted block begins; how much of it is data, parsing tells.
#[must_use]
pub fn contents(raw: &[u8; 256]) -> &[u8] {
    raw.get(BEFORE_DATA..).unwrap_or_default()
}

/// Whether the decrypted block is one of this scheme with exactly `data_len` bytes of data.
///
/// Neither which byte of the hash differs nor whether it was the leading zero shows in the time.
#[must_use]
pub fn hash_matches(raw: &[u8; 256], data_len: usize) -> bool {
    let [lead, rest @ ..] = raw;
    let hash = rest.get(..20).unwrap_or_default();
    let Some(data) = contents(raw).get(..data_len) else {
        return false;
    };
    let right = scrubbed::<SHALLOW, _>(|| digest::sha1(&[data]));
    let hash_holds = bool::from(right.as_slice().ct_eq(hash));
    let lead_holds = bool::from(lead.ct_eq(&0));
    // `&` and not `&&`: both are looked at in every case.
    holds!("HS-13.hash", hash_holds) & holds!("HS-13.lead", lead_holds)
}
