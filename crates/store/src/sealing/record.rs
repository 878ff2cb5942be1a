//! How a permanent key lies on the disk.
//!
//! | bytes | what | |
//! | --- | --- | --- |
//! | 1 | version of the record, 1 | clear, authenticated |
//! | 4 | `dc`, little-endian | clear, authenticated |
//! | 8 | Unix second of creation, little-endian | clear, authenticated |
//! | 24 | nonce | clear |
//! | 256 | the key, as it went on the wire | sealed |
//! | 8 | the first server_salt, little-endian | sealed |
//! | 16 | tag | |
//!
//! Authenticated with it, and not repeated in it, is the key's id (8 bytes as on the wire): a record moved to another id
//! does not open. What is clear is what listing and sweeping need, so that neither opens a secret.

use std::sync::Arc;

use dayfly_core::keys::requests::{KeyRecord, Lifetime};
use dayfly_crypto::{AuthKey, AuthKeyId, RandomError, SecureRandom};
use zeroize::Zeroizing;

use super::key::{NONCE_LEN, SealingKey, TAG_LEN};

const VERSION: u8 = 1;
const HEADER_LEN: usize = 13;
const KEY_LEN: usize = 256;
const SECRET_LEN: usize = KEY_LEN + 8;
const RECORD_LEN: usize = HEADER_LEN + NONCE_LEN + SECRET_LEN + TAG_LEN;

/// The clear part of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) dc: i32,
    pub(crate) created_at: u64,
}

impl Header {
    /// Reads it from the front of a record; `None` if this is no record of a known version.
    pub(crate) fn read(record: &[u8]) -> Option<Self> {
        let (version, rest) = record.split_first()?;
        let (dc, rest) = rest.split_first_chunk()?;
        let created_at = rest.first_chunk()?;
        (*version == VERSION && record.len() == RECORD_LEN)
            .then(|| Self { dc: i32::from_le_bytes(*dc), created_at: u64::from_le_bytes(*created_at) })
    }

    fn write(self) -> [u8; HEADER_LEN] {
        let mut bytes = [VERSION; HEADER_LEN];
        let (_, rest) = bytes.split_at_mut(1);
        let (dc, created_at) = rest.split_at_mut(4);
        dc.copy_from_slice(&self.dc.to_le_bytes());
        created_at.copy_from_slice(&self.created_at.to_le_bytes());
        bytes
    }
}

/// The record of a permanent key.
pub(crate) fn seal_record(
    key: &SealingKey,
    record: &KeyRecord,
    random: &mut dyn SecureRandom,
) -> Result<Vec<u8>, RandomError> {
    let header = Header { dc: record.dc, created_at: record.created_at }.write();
    let mut secret = Zeroizing::new([0; SECRET_LEN]);
    let (key_bytes, salt) = secret.split_at_mut(KEY_LEN);
    key_bytes.copy_from_slice(record.key.expose());
    salt.copy_from_slice(&record.first_salt.to_le_bytes());
    let (nonce, tag) = key.seal(&context(record.id, &header), &mut *secret, random)?;
    Ok([header.as_slice(), &nonce, secret.as_slice(), &tag].concat())
}

/// The permanent key of a record; `None` if the record is not what was sealed for this id.
pub(crate) fn open_record(key: &SealingKey, id: AuthKeyId, record: &[u8]) -> Option<KeyRecord> {
    let header = Header::read(record)?;
    let (header_bytes, rest) = record.split_first_chunk::<HEADER_LEN>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
    let (sealed, rest) = rest.split_first_chunk::<SECRET_LEN>()?;
    let tag = rest.first_chunk::<TAG_LEN>()?;
    let mut secret = Zeroizing::new(*sealed);
    if !key.open(*nonce, &context(id, header_bytes), &mut *secret, *tag) {
        return None;
    }
    let (key_bytes, salt) = secret.split_first_chunk::<KEY_LEN>()?;
    Some(KeyRecord {
        key: Arc::new(AuthKey::copy_of(key_bytes)),
        id,
        lifetime: Lifetime::Permanent,
        dc: header.dc,
        created_at: header.created_at,
        first_salt: i64::from_le_bytes(*salt.first_chunk()?),
        bound_to: None,
    })
}

fn context(id: AuthKeyId, header: &[u8; HEADER_LEN]) -> Vec<u8> {
    [id.to_wire().as_slice(), header].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandom;

    fn record() -> KeyRecord {
        let key = AuthKey::take(&mut [7; 256]);
        KeyRecord {
            id: key.id(),
            key: Arc::new(key),
            lifetime: Lifetime::Permanent,
            dc: -2,
            created_at: 1_700_000_000,
            first_salt: -3,
            bound_to: None,
        }
    }

    #[test]
    fn opens_to_what_was_sealed() {
        let key = SealingKey::draw(&mut OsRandom).unwrap();
        let record = record();
        let sealed = seal_record(&key, &record, &mut OsRandom).unwrap();
        assert_eq!(sealed.len(), RECORD_LEN);
        assert_eq!(Header::read(&sealed), Some(Header { dc: -2, created_at: 1_700_000_000 }));
        let opened = open_record(&key, record.id, &sealed).unwrap();
        assert_eq!(opened.key.expose(), record.key.expose());
        assert_eq!((opened.dc, opened.created_at, opened.first_salt), (-2, 1_700_000_000, -3));
    }

    #[test]
    fn the_disk_holds_no_piece_of_the_key() {
        let mut bytes = [0; 256];
        OsRandom.fill_secret(&mut bytes).unwrap();
        let record = KeyRecord { key: Arc::new(AuthKey::copy_of(&bytes)), ..record() };
        let sealed = seal_record(&SealingKey::draw(&mut OsRandom).unwrap(), &record, &mut OsRandom).unwrap();
        assert!(bytes.windows(8).all(|piece| !sealed.windows(8).any(|window| window == piece)));
    }

    #[test]
    fn any_change_and_any_other_id_is_noticed() {
        let key = SealingKey::draw(&mut OsRandom).unwrap();
        let record = record();
        let sealed = seal_record(&key, &record, &mut OsRandom).unwrap();
        assert!(open_record(&key, AuthKeyId(record.id.0 ^ 1), &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x10;
            assert!(open_record(&key, record.id, &changed).is_none(), "byte {at}");
            assert!(open_record(&key, record.id, &sealed[..at]).is_none(), "cut at {at}");
        }
    }
}
