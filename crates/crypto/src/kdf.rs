//! The derivations of keys, message keys and hashes from `auth_key` and `new_nonce`.

use dayfly_modexp::{SHALLOW, scrubbed};

use crate::digest::{sha1, sha256};
use crate::{AesKeyIv, AuthKey, NewNonce, mutant};

/// Who sent a message: the derivations for the two directions start at different offsets of `auth_key`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// x = 0.
    Client,
    /// x = 8.
    Server,
}

impl Side {
    fn x(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 8,
        }
    }
}

/// SHA256 over a slice of `auth_key` and the padded plaintext, of which `msg_key` is the middle.
#[derive(Clone, Copy)]
pub struct MsgKeyLarge(pub [u8; 32]);

impl MsgKeyLarge {
    /// `msg_key`: the middle 128 bits.
    #[must_use]
    pub fn msg_key(&self) -> [u8; 16] {
        array(substr(&self.0, 8, 16))
    }

    /// The quick-acknowledgement token: the first 32 bits read little-endian, the top one set (rule TR-04).
    #[must_use]
    pub fn quick_ack(&self) -> u32 {
        u32::from_le_bytes(array(substr(&self.0, 0, 4))) | 0x8000_0000
    }
}

/// `msg_key_large` of MTProto 2.0, over the plaintext with its padding.
///
/// Source: Mobile Protocol: Detailed Description, "Defining AES Key and Initialization Vector" (rule MS-05).
#[must_use]
pub fn v2_msg_key(auth_key: &AuthKey, plaintext_with_padding: &[u8], side: Side) -> MsgKeyLarge {
    scrubbed::<SHALLOW, _>(|| {
        let part = substr(auth_key.expose(), side.x().wrapping_add(88), 32);
        MsgKeyLarge(sha256(&[part, plaintext_with_padding]))
    })
}

/// `aes_key` and `aes_iv` of MTProto 2.0.
///
/// Source: as [`v2_msg_key`].
#[must_use]
pub fn v2_aes(auth_key: &AuthKey, msg_key: &[u8; 16], side: Side) -> AesKeyIv {
    scrubbed::<SHALLOW, _>(|| {
        let (key, x) = (auth_key.expose(), side.x());
        let a = sha256(&[msg_key, substr(key, x, 36)]);
        let b = sha256(&[substr(key, x.wrapping_add(40), 36), msg_key]);
        AesKeyIv {
            key: joined(&[substr(&a, 0, 8), substr(&b, 8, 16), substr(&a, 24, 8)]),
            iv: joined(&[substr(&b, 0, 8), substr(&a, 8, 16), substr(&b, 24, 8)]),
        }
    })
}

/// `msg_key` of MTProto 1.0: the lower 128 bits of the SHA1 of the plaintext without its padding.
///
/// Source: Mobile Protocol: Detailed Description (v.1.0) (rule PF-07).
#[must_use]
pub fn v1_msg_key(plaintext: &[u8]) -> [u8; 16] {
    array(substr(&sha1(&[plaintext]), 4, 16))
}

/// `aes_key` and `aes_iv` of MTProto 1.0.
///
/// Source: as [`v1_msg_key`].
#[must_use]
pub fn v1_aes(auth_key: &AuthKey, msg_key: &[u8; 16], side: Side) -> AesKeyIv {
    scrubbed::<SHALLOW, _>(|| {
        let part = |at: usize, len| substr(auth_key.expose(), side.x().wrapping_add(at), len);
        let a = sha1(&[msg_key, part(0, 32)]);
        let b = sha1(&[part(32, 16), msg_key, part(48, 16)]);
        let c = sha1(&[part(64, 32), msg_key]);
        let d = sha1(&[msg_key, part(96, 32)]);
        AesKeyIv {
            key: joined(&[substr(&a, 0, 8), substr(&b, 8, 12), substr(&c, 4, 12)]),
            iv: joined(&[substr(&a, 8, 12), substr(&b, 0, 8), substr(&c, 16, 4), substr(&d, 0, 8)]),
        }
    })
}

/// `tmp_aes_key` and `tmp_aes_iv` of the handshake.
///
/// Source: Creating an Authorization Key, step 6 (rule HS-16).
#[must_use]
pub fn tmp_aes(new_nonce: &NewNonce, server_nonce: &[u8; 16]) -> AesKeyIv {
    scrubbed::<SHALLOW, _>(|| {
        let new_nonce = new_nonce.expose();
        let new_server = sha1(&[new_nonce, server_nonce]);
        let server_new = sha1(&[server_nonce, new_nonce]);
        let new_new = sha1(&[new_nonce, new_nonce]);
        let (first, second) =
            mutant!("HS-16.tmp_aes", (&new_server, &server_new), (&server_new, &new_server));
        AesKeyIv {
            key: joined(&[first, substr(second, 0, 12)]),
            iv: joined(&[substr(second, 12, 8), &new_new, substr(new_nonce, 0, 4)]),
        }
    })
}

/// `new_nonce_hash1`, `2` or `3`, as `number` says: 1 in `dh_gen_ok`, 2 in `dh_gen_retry`, 3 in `dh_gen_fail`.
///
/// Source: Creating an Authorization Key, step 9 (rule HS-27).
#[must_use]
pub fn new_nonce_hash(new_nonce: &NewNonce, number: u8, aux_hash: &[u8; 8]) -> [u8; 16] {
    scrubbed::<SHALLOW, _>(|| array(substr(&sha1(&[new_nonce.expose(), &[number], aux_hash]), 4, 16)))
}

/// `new_nonce_hash` of the older `server_DH_params_fail`: the lower 128 bits of SHA1(new_nonce) (rule HS-38).
#[must_use]
pub fn new_nonce_fail_hash(new_nonce: &NewNonce) -> [u8; 16] {
    scrubbed::<SHALLOW, _>(|| array(substr(&sha1(&[new_nonce.expose()]), 4, 16)))
}

/// The first `server_salt`: the first 8 bytes of both nonces, xored, read little-endian as a `long` of TL.
///
/// Source: Creating an Authorization Key, step 9 (rule HS-28).
#[must_use]
pub fn server_salt(new_nonce: &NewNonce, server_nonce: &[u8; 16]) -> i64 {
    let new: [u8; 8] = array(substr(new_nonce.expose(), 0, 8));
    let server = mutant!("HS-28.salt", array(substr(server_nonce, 0, 8)), [0; 8]);
    i64::from_le_bytes(new) ^ i64::from_le_bytes(server)
}

/// `substr` of the specification.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "all offsets are constants of this file"
)]
fn substr(bytes: &[u8], at: usize, len: usize) -> &[u8] {
    &bytes[at..at + len]
}

/// The parts one after another; together they have `N` bytes.
fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    let bytes = parts.iter().flat_map(|part| part.iter());
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    joined(&[bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth_key() -> AuthKey {
        AuthKey::take(&mut core::array::from_fn(|at| (at * 7 + at / 32) as u8))
    }

    /// The formulas once more, over plain vectors and with the offsets as the specification writes them.
    mod written_out {
        use crate::digest::{sha1, sha256};

        pub(super) fn sub(bytes: &[u8], at: usize, len: usize) -> Vec<u8> {
            bytes.iter().copied().skip(at).take(len).collect()
        }

        pub(super) fn v2(key: &[u8], msg_key: &[u8], x: usize) -> (Vec<u8>, Vec<u8>) {
            let a = sha256(&[&[msg_key, &sub(key, x, 36)].concat()]);
            let b = sha256(&[&[sub(key, 40 + x, 36), msg_key.to_vec()].concat()]);
            let aes_key = [sub(&a, 0, 8), sub(&b, 8, 16), sub(&a, 24, 8)].concat();
            (aes_key, [sub(&b, 0, 8), sub(&a, 8, 16), sub(&b, 24, 8)].concat())
        }

        pub(super) fn v1(key: &[u8], msg_key: &[u8], x: usize) -> (Vec<u8>, Vec<u8>) {
            let a = sha1(&[&[msg_key, &sub(key, x, 32)].concat()]);
            let b = sha1(&[&[&sub(key, 32 + x, 16), msg_key, &sub(key, 48 + x, 16)].concat()]);
            let c = sha1(&[&[&sub(key, 64 + x, 32), msg_key].concat()]);
            let d = sha1(&[&[msg_key, &sub(key, 96 + x, 32)].concat()]);
            let aes_key = [sub(&a, 0, 8), sub(&b, 8, 12), sub(&c, 4, 12)].concat();
            (aes_key, [sub(&a, 8, 12), sub(&b, 0, 8), sub(&c, 16, 4), sub(&d, 0, 8)].concat())
        }
    }

    // rule: MS-05
    #[test]
    fn second_version_follows_the_formula_in_both_directions() {
        let (key, msg_key) = (auth_key(), [0xC3; 16]);
        for (side, x) in [(Side::Client, 0), (Side::Server, 8)] {
            let derived = v2_aes(&key, &msg_key, side);
            let (aes_key, aes_iv) = written_out::v2(key.expose(), &msg_key, x);
            assert_eq!((derived.key.to_vec(), derived.iv.to_vec()), (aes_key, aes_iv));
        }
    }

    // rule: MS-05, TR-04
    #[test]
    fn message_key_is_the_middle_and_the_token_the_front_of_one_hash() {
        let (key, text) = (auth_key(), b"sixteen bytes of".as_slice());
        for (side, x) in [(Side::Client, 0), (Side::Server, 8)] {
            let large = sha256(&[&[written_out::sub(key.expose(), 88 + x, 32), text.to_vec()].concat()]);
            let derived = v2_msg_key(&key, text, side);
            assert_eq!(derived.msg_key(), large[8..24]);
            let token = derived.quick_ack().to_le_bytes();
            assert_eq!((token[..3].to_vec(), token[3]), (large[..3].to_vec(), large[3] | 0x80));
        }
    }

    // rule: PF-07
    #[test]
    fn first_version_follows_the_formula_in_both_directions() {
        let (key, msg_key) = (auth_key(), v1_msg_key(b"a message"));
        assert_eq!(msg_key, sha1(&[b"a message"])[4..20]);
        for (side, x) in [(Side::Client, 0), (Side::Server, 8)] {
            let derived = v1_aes(&key, &msg_key, side);
            let (aes_key, aes_iv) = written_out::v1(key.expose(), &msg_key, x);
            assert_eq!((derived.key.to_vec(), derived.iv.to_vec()), (aes_key, aes_iv));
        }
    }

    // rule: HS-27
    #[test]
    fn the_three_hashes_of_new_nonce_differ() {
        let nonce = NewNonce::take(&mut [9; 32]);
        let [one, two, three] = [1, 2, 3].map(|number| new_nonce_hash(&nonce, number, &[4; 8]));
        assert!(one != two && two != three && one != three);
        assert_eq!(two, sha1(&[&[[9; 32].as_slice(), &[2], &[4; 8]].concat()])[4..20]);
        assert_ne!(one, new_nonce_hash(&nonce, 1, &[5; 8]));
    }

    // rule: HS-38
    #[test]
    fn the_older_failure_hash_is_the_lower_half_of_the_sha1() {
        assert_eq!(new_nonce_fail_hash(&NewNonce::take(&mut [9; 32])), sha1(&[&[9; 32]])[4..20]);
    }

    // rule: HS-28
    #[test]
    fn the_first_salt_mixes_both_nonces() {
        let mut new_nonce = [0; 32];
        new_nonce[..8].copy_from_slice(&[0xFF, 2, 3, 4, 5, 6, 7, 8]);
        let server_nonce = core::array::from_fn(|at| 0x10 + at as u8);
        let salt = server_salt(&NewNonce::take(&mut new_nonce), &server_nonce);
        assert_eq!(salt.to_le_bytes(), [0xEF, 0x13, 0x11, 0x17, 0x11, 0x13, 0x11, 0x1F]);
    }
}
