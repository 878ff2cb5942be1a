//! How an export lies in its file.
//!
//! | bytes | what | |
//! | --- | --- | --- |
//! | 12 | `dayfly-keys` and a newline | clear, authenticated |
//! | 4 | format, 1 | clear, authenticated |
//! | 12 | cost of Argon2id: memory in KiB, passes, lanes | clear, authenticated |
//! | 16 | salt of Argon2id | clear, authenticated |
//! | 19 | the beginning of every nonce | clear, authenticated |
//! | 16 | tag over nothing: tells a wrong passphrase from damage further on | |
//! | 256 keys of 284 bytes, then a tag of 16; the last piece may be shorter | | sealed |
//!
//! Numbers are little-endian. Every piece is sealed with XChaCha20-Poly1305 under the 32 bytes that Argon2id makes of the
//! passphrase, with all that is clear as context. Its nonce ends in its number (4 bytes, big-endian; the tag over nothing has
//! 0) and a byte that is 1 for the last: pieces cannot change places, go missing or be left out at the end.
//!
//! A key is 256 bytes of secret, `dc` (4), Unix second of creation (8), first server_salt (8), Unix second of its last use (8,
//! 0 for never).

use std::io::Read;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use dayfly_core::keys::requests::{KeyRecord, Lifetime};
use dayfly_crypto::{AuthKey, SecureRandom};
use zeroize::Zeroizing;

use super::{BackupError, KeptKey};
use crate::sealing::SealingKey;

const MAGIC: &[u8; 12] = b"dayfly-keys\n";
const FORMAT: u32 = 1;
const SALT_LEN: usize = 16;
const NONCE_START: usize = 19;
pub(super) const HEAD_LEN: usize = 12 + 4 + 12 + SALT_LEN + NONCE_START;
pub(super) const TAG_LEN: usize = 16;
pub(super) const KEY_LEN: usize = 256 + 4 + 8 + 8 + 8;
/// The bytes of keys in each piece but the last.
pub(super) const PIECE_LEN: usize = 256 * KEY_LEN;

/// What a passphrase is; wiped when it is dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes over the text.
    ///
    /// # Errors
    /// [`BackupError::EmptyPassphrase`].
    pub fn take(text: Zeroizing<String>) -> Result<Self, BackupError> {
        if text.is_empty() { Err(BackupError::EmptyPassphrase) } else { Ok(Self(text)) }
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// How costly each guess of a passphrase is made (Argon2id).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// Memory in KiB, at least eight for each lane.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The second recommendation of RFC 9106: 64 MiB, three passes, four lanes.
impl Default for Cost {
    fn default() -> Self {
        Self { memory: 64 << 10, passes: 3, lanes: 4 }
    }
}

impl Cost {
    /// What a file may ask of whoever reads it: a gibibyte, and some seconds.
    fn is_reasonable(self) -> bool {
        let Self { memory, passes, lanes } = self;
        memory <= 1 << 20 && (1..=16).contains(&passes) && (1..=16).contains(&lanes) && memory / 8 >= lanes
    }

    fn derive(self, passphrase: &Passphrase, salt: &[u8; SALT_LEN]) -> Result<SealingKey, BackupError> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(SealingKey::LEN));
        let params = params.map_err(|_| BackupError::Cost)?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(params.block_count()).map_err(|_| BackupError::Memory)?;
        blocks.resize(params.block_count(), Block::default());
        let mut blocks = Zeroizing::new(blocks);
        let mut key = Zeroizing::new([0; SealingKey::LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.0.as_bytes(), salt, &mut *key, blocks.as_mut_slice())
            .map_err(|_| BackupError::Cost)?;
        Ok(SealingKey::take(&mut key))
    }
}

/// What seals and opens the pieces of one file.
pub(super) struct Pieces {
    key: SealingKey,
    head: [u8; HEAD_LEN],
    /// The number of the next piece.
    next: u32,
}

impl Pieces {
    /// Of a new file.
    pub(super) fn begin(
        passphrase: &Passphrase,
        cost: Cost,
        random: &mut dyn SecureRandom,
    ) -> Result<Self, BackupError> {
        let mut salt = [0; SALT_LEN];
        let mut nonce_start = [0; NONCE_START];
        random.fill_public(&mut salt)?;
        random.fill_public(&mut nonce_start)?;
        let numbers = [FORMAT, cost.memory, cost.passes, cost.lanes].map(u32::to_le_bytes).concat();
        let mut head = [0; HEAD_LEN];
        let parts = [MAGIC.as_slice(), &numbers, &salt, &nonce_start].concat();
        head.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        Ok(Self { key: cost.derive(passphrase, &salt)?, head, next: 0 })
    }

    /// Of the file whose head was read.
    pub(super) fn resume(head: [u8; HEAD_LEN], passphrase: &Passphrase) -> Result<Self, BackupError> {
        let mut rest = head.as_slice();
        if take::<12>(&mut rest) != Some(*MAGIC) {
            return Err(BackupError::NotABackup);
        }
        let mut number = || take::<4>(&mut rest).map(u32::from_le_bytes).ok_or(BackupError::NotABackup);
        let found = number()?;
        if found != FORMAT {
            return Err(BackupError::NewerFormat { found, known: FORMAT });
        }
        let cost = Cost { memory: number()?, passes: number()?, lanes: number()? };
        let salt = take(&mut rest).ok_or(BackupError::NotABackup)?;
        if !cost.is_reasonable() {
            return Err(BackupError::Cost);
        }
        Ok(Self { key: cost.derive(passphrase, &salt)?, head, next: 0 })
    }

    pub(super) fn head(&self) -> &[u8; HEAD_LEN] {
        &self.head
    }

    /// Seals the next piece in place and gives its tag; `None` when there were four thousand million of them.
    pub(super) fn seal(&mut self, piece: &mut [u8], last: bool) -> Option<[u8; TAG_LEN]> {
        let nonce = self.nonce(last)?;
        self.key.seal_with(nonce, &self.head, piece).ok()
    }

    /// Opens the next piece in place. `false` if it is not what was sealed in this place.
    pub(super) fn open(&mut self, piece: &mut [u8], tag: [u8; TAG_LEN], last: bool) -> bool {
        let Some(nonce) = self.nonce(last) else { return false };
        self.key.open(nonce, &self.head, piece, tag)
    }

    fn nonce(&mut self, last: bool) -> Option<[u8; 24]> {
        let number = self.next;
        self.next = number.checked_add(1)?;
        let start = self.head.last_chunk::<NONCE_START>()?;
        let parts = [start.as_slice(), &number.to_be_bytes(), &[u8::from(last)]].concat();
        parts.try_into().ok()
    }
}

/// The bytes of a key, appended to a piece.
pub(super) fn write_key(kept: &KeptKey, piece: &mut Vec<u8>) {
    let KeyRecord { key, dc, created_at, first_salt, .. } = &kept.record;
    piece.extend_from_slice(key.expose());
    piece.extend_from_slice(&dc.to_le_bytes());
    piece.extend_from_slice(&created_at.to_le_bytes());
    piece.extend_from_slice(&first_salt.to_le_bytes());
    piece.extend_from_slice(&kept.used_at.unwrap_or_default().to_le_bytes());
}

/// The key in these bytes; `None` if there are too few.
pub(super) fn read_key(mut bytes: &[u8]) -> Option<KeptKey> {
    let (secret, rest) = bytes.split_first_chunk()?;
    bytes = rest;
    let key = AuthKey::copy_of(secret);
    let record = KeyRecord {
        id: key.id(),
        key: Arc::new(key),
        lifetime: Lifetime::Permanent,
        dc: i32::from_le_bytes(take(&mut bytes)?),
        created_at: u64::from_le_bytes(take(&mut bytes)?),
        first_salt: i64::from_le_bytes(take(&mut bytes)?),
        bound_to: None,
    };
    let used_at = u64::from_le_bytes(take(&mut bytes)?);
    Some(KeptKey { record, used_at: (used_at != 0).then_some(used_at) })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// Reads until `buffer` is full or the input is at its end; gives how much there was.
pub(super) fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(more) => filled = filled.saturating_add(more),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
