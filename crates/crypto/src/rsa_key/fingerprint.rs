//! Fingerprints: how `resPQ` and `req_DH_params` name a key.

use core::fmt;

use crate::digest;

/// The lower 64 bits of the SHA1 of the bare `rsa_public_key n:string e:string` of TL, as the `long` on the wire.
///
/// Shown as 16 hex digits of the number, the way clients write it; the bytes on the wire are in the other order.
///
/// Source: Creating an Authorization Key, step 2 (rule HS-05).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(pub i64);

impl Fingerprint {
    /// Of the key with these numbers, both minimal big-endian.
    pub(super) fn of(n: &[u8], e: &[u8]) -> Self {
        let [.., a, b, c, d, e, f, g, h] = digest::sha1(&[&tl_string(n), &tl_string(e)]);
        Self(i64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// A `string` of TL: its length, the bytes, zeros up to a multiple of 4.
fn tl_string(bytes: &[u8]) -> Vec<u8> {
    let [a, b, c, ..] = bytes.len().to_le_bytes();
    let mut out = if bytes.len() < 254 { vec![a] } else { vec![254, a, b, c] };
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
