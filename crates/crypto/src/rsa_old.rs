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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa_key::{Ciphertext, PrivateKey};
    use crate::testing::Seeded;

    fn block(data: &[u8]) -> [u8; 256] {
        let mut block = [0xEE; 256];
        block[0] = 0;
        block[1..21].copy_from_slice(&digest::sha1(&[data]));
        block[21..21 + data.len()].copy_from_slice(data);
        block
    }

    // rule: HS-13
    #[test]
    fn what_was_wrapped_is_recognized_at_its_length_alone() {
        let key = PrivateKey::from_pem(include_str!("../tests/data/pkcs1.pem")).unwrap();
        let wrapped = wrap(b"inner data", key.public(), &mut Seeded::new(1)).unwrap();
        let block = Ciphertext::parse(&wrapped, key.public()).unwrap();
        let raw: [u8; 256] = key.raw(&[&block]).unwrap()[0].try_into().unwrap();
        assert!(contents(&raw).starts_with(b"inner data"));
        let right: Vec<_> = (0..300).filter(|len| hash_matches(&raw, *len)).collect();
        assert_eq!(right, [10]);
    }

    // rule: HS-13
    #[test]
    fn a_wrong_hash_is_refused() {
        let mut raw = block(b"data");
        assert!(hash_matches(&raw, 4));
        raw[20] ^= 0x80;
        assert!(!hash_matches(&raw, 4));
    }

    // rule: HS-13
    #[test]
    fn a_block_that_does_not_begin_with_zero_is_refused() {
        let mut raw = block(b"data");
        raw[0] = 1;
        assert!(!hash_matches(&raw, 4));
    }

    // rule: HS-13
    #[test]
    fn data_is_bounded() {
        let key = PrivateKey::from_pem(include_str!("../tests/data/pkcs1.pem")).unwrap();
        assert!(wrap(&[1; MAX_DATA], key.public(), &mut Seeded::new(1)).is_ok());
        for len in [236, 400] {
            let outcome = wrap(&vec![1; len], key.public(), &mut Seeded::new(1));
            assert_eq!(outcome, Err(Error::DataTooLong { len, max: MAX_DATA }));
        }
    }
}
