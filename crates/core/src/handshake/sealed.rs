//! Inner data under the temporary keys of a run: SHA1(data) + data + 0-15 random bytes, AES-256-IGE.
//!
//! Source: Creating an Authorization Key, steps 6 and 7 (rules HS-16, HS-22).

use dayfly_crypto::{AesKeyIv, RandomError, SecureRandom, digest, ige};
use dayfly_tl::{Read, Write, read_prefix};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::mutant;

const BLOCK: usize = 16;
const HASH: usize = 20;

/// Encrypts `data`, in the one buffer that it is written to.
pub(super) fn seal(
    data: &impl Write,
    keys: &AesKeyIv,
    random: &mut dyn SecureRandom,
) -> Result<Vec<u8>, RandomError> {
    let end = HASH.saturating_add(data.encoded_len());
    let mut buffer = Zeroizing::new(Vec::with_capacity(end.next_multiple_of(BLOCK)));
    buffer.resize(HASH, 0);
    data.write(&mut buffer);
    let hash = digest::sha1(&[buffer.get(HASH..).unwrap_or_default()]);
    if let Some(front) = buffer.first_chunk_mut() {
        *front = hash;
    }
    buffer.resize(end.next_multiple_of(BLOCK), 0);
    random.fill_public(buffer.get_mut(end..).unwrap_or_default())?;
    let whole = ige::encrypt(&mut buffer, &keys.key, &keys.iv).is_ok();
    debug_assert!(whole, "the buffer is a multiple of the block");
    Ok(core::mem::take(&mut *buffer))
}

/// Whether encrypted inner data can have this length: a positive multiple of 16.
pub(super) fn is_whole(len: usize) -> bool {
    len > 0 && len.is_multiple_of(BLOCK)
}

/// Decrypts; `None` if the length is no multiple of 16.
pub(super) fn open(encrypted: &[u8], keys: &AesKeyIv) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(encrypted.to_vec());
    ige::decrypt(&mut buffer, &keys.key, &keys.iv).ok()?;
    Some(buffer)
}

/// What decrypted inner data turned out to hold. Of use only once both checks were made.
pub(super) struct Inner<T> {
    /// The object.
    pub(super) value: T,
    /// Whether the SHA1 in front is that of exactly the object; compared in constant time.
    pub(super) hash_matches: bool,
    /// How many bytes follow the object.
    pub(super) padding: usize,
}

/// Reads the object behind the hash; `None` if there is none.
pub(super) fn read<'a, T: Read<'a>>(plain: &'a [u8]) -> Option<Inner<T>> {
    let (hash, rest) = plain.split_first_chunk::<HASH>()?;
    let (value, len) = read_prefix(rest).ok()?;
    let (object, padding) = rest.split_at_checked(len)?;
    let hashed = mutant!("HS-17.exactly", object, rest);
    let hash_matches = digest::sha1(&[hashed]).ct_eq(hash).into();
    Some(Inner { value, hash_matches, padding: padding.len() })
}

/// The most bytes that may follow the object.
pub(super) const MOST_PADDING: usize = BLOCK - 1;
