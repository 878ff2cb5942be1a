//! Writing an export.

use std::io::Write;

use dayfly_crypto::SecureRandom;
use zeroize::Zeroizing;

use super::format::{PIECE_LEN, Passphrase, Pieces, write_key};
use super::{BackupError, Cost, KeptKey};

/// Writes an export of permanent keys, sealed under a passphrase. At most 256 keys are in memory at once.
pub struct BackupWriter<W> {
    out: W,
    pieces: Pieces,
    /// The keys of the next piece. As large from the start as it will ever be: growing would leave a copy behind.
    piece: Zeroizing<Vec<u8>>,
    count: u64,
}

impl<W: Write> BackupWriter<W> {
    /// Begins an export; deriving the key from the passphrase takes as long as `cost` says.
    ///
    /// # Errors
    /// Those of `out` and of the random source, and an unusable cost.
    pub fn begin(
        mut out: W,
        passphrase: &Passphrase,
        cost: Cost,
        random: &mut dyn SecureRandom,
    ) -> Result<Self, BackupError> {
        let mut pieces = Pieces::begin(passphrase, cost, random)?;
        out.write_all(pieces.head())?;
        let tag = pieces.seal(&mut [], false).ok_or(BackupError::Cost)?;
        out.write_all(&tag)?;
        Ok(Self { out, pieces, piece: Zeroizing::new(Vec::with_capacity(PIECE_LEN)), count: 0 })
    }

    /// Adds a key.
    ///
    /// # Errors
    /// Those of the output.
    pub fn add(&mut self, kept: &KeptKey) -> Result<(), BackupError> {
        if self.piece.len() >= PIECE_LEN {
            self.write_piece(false)?;
        }
        write_key(kept, &mut self.piece);
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Writes what is left and gives back the output, which the caller has to sync, and how many keys there were.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> Result<(W, u64), BackupError> {
        self.write_piece(true)?;
        self.out.flush()?;
        Ok((self.out, self.count))
    }

    fn write_piece(&mut self, last: bool) -> Result<(), BackupError> {
        let tag = self.pieces.seal(&mut self.piece, last);
        let tag = tag.ok_or_else(|| std::io::Error::other("there are too many keys for one file"))?;
        self.out.write_all(&self.piece)?;
        self.out.write_all(&tag)?;
        self.piece.clear();
        Ok(())
    }
}
