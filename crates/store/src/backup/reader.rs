//! Reading an export.

use std::io::Read;

use zeroize::Zeroizing;

use super::format::{HEAD_LEN, KEY_LEN, PIECE_LEN, Passphrase, Pieces, TAG_LEN, read_full, read_key};
use super::{BackupError, KeptKey};

const SEALED_LEN: usize = PIECE_LEN + TAG_LEN;

/// Reads an export, key by key; after an error it ends. At most 256 keys are in memory at once.
pub struct BackupReader<R> {
    input: R,
    pieces: Pieces,
    /// The piece that is being given out; as sealed, its tag behind it, until it was opened.
    piece: Zeroizing<Vec<u8>>,
    /// What of it was given out.
    given: usize,
    /// The first byte after the piece: whether it is the last one is known by that there is none.
    ahead: Option<u8>,
    count: u64,
    ended: bool,
}

impl<R: Read> BackupReader<R> {
    /// Reads the head and tries the passphrase; deriving the key takes as long as the export says, within reason.
    ///
    /// # Errors
    /// [`BackupError`]: no export, one of a newer format, another passphrase.
    pub fn open(mut input: R, passphrase: &Passphrase) -> Result<Self, BackupError> {
        let mut head = [0; HEAD_LEN];
        if read_full(&mut input, &mut head)? < HEAD_LEN {
            return Err(BackupError::NotABackup);
        }
        let mut pieces = Pieces::resume(head, passphrase)?;
        let mut tag = [0; TAG_LEN];
        read_full(&mut input, &mut tag)?;
        if !pieces.open(&mut [], tag, false) {
            return Err(BackupError::Passphrase);
        }
        let piece = Zeroizing::new(Vec::with_capacity(SEALED_LEN));
        let mut reader = Self { input, pieces, piece, given: 0, ahead: None, count: 0, ended: false };
        reader.ahead = reader.byte()?;
        Ok(reader)
    }

    fn byte(&mut self) -> Result<Option<u8>, BackupError> {
        let mut byte = [0];
        Ok((read_full(&mut self.input, &mut byte)? == 1).then_some(byte[0]))
    }

    fn step(&mut self) -> Result<Option<KeptKey>, BackupError> {
        if self.given >= self.piece.len() {
            if self.ahead.is_none() && self.count > 0 {
                return Ok(None);
            }
            self.next_piece()?;
            if self.piece.is_empty() {
                return Ok(None);
            }
        }
        let bytes = self.piece.get(self.given..).unwrap_or_default();
        let kept = read_key(bytes).ok_or(BackupError::Altered { after: self.count })?;
        self.given = self.given.saturating_add(KEY_LEN);
        self.count = self.count.saturating_add(1);
        Ok(Some(kept))
    }

    fn next_piece(&mut self) -> Result<(), BackupError> {
        let altered = BackupError::Altered { after: self.count };
        let Some(first) = self.ahead else { return Err(altered) };
        self.piece.resize(SEALED_LEN, 0);
        let (front, rest) = self.piece.split_at_mut(1);
        front.copy_from_slice(&[first]);
        let len = read_full(&mut self.input, rest)?.saturating_add(1);
        self.ahead = self.byte()?;
        let Some((tag_at, tag)) = len
            .checked_sub(TAG_LEN)
            .and_then(|at| Some((at, *self.piece.get(at..len)?.first_chunk::<TAG_LEN>()?)))
        else {
            return Err(altered);
        };
        self.piece.truncate(tag_at);
        let last = self.ahead.is_none();
        // A writer never leaves the last piece empty unless there is no key at all.
        let whole = tag_at % KEY_LEN == 0 && (tag_at > 0 || self.count == 0);
        if !whole || !self.pieces.open(&mut self.piece, tag, last) {
            return Err(altered);
        }
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Iterator for BackupReader<R> {
    type Item = Result<KeptKey, BackupError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}
