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
