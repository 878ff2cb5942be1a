//! SHA1 and SHA256 over several parts in turn; the hashers wipe their state.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// SHA1 of the parts, one after another: 20 bytes.
#[must_use]
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hasher = Sha1::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// SHA256 of the parts, one after another: 32 bytes.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}
