//! AES-256-CTR as the obfuscated transport uses it: one endless stream, taken in pieces of any length.

use core::fmt;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The position in one direction's key stream.
///
/// Only key and position are kept, 56 bytes: the expanded key schedule is made anew for each piece, which costs some 15 ns
/// and saves each idle connection half a kilobyte.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Stream {
    key: [u8; 32],
    /// Of the block that the next byte comes from.
    counter: u128,
    /// Bytes of that block that are used up, 0 to 15.
    used: u8,
}

impl Stream {
    /// The stream at its first byte. `iv` is the big-endian counter of the first block.
    #[must_use]
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self { key: *key, counter: u128::from_be_bytes(*iv), used: 0 }
    }

    /// Encrypts or decrypts the next `data.len()` bytes in place.
    pub fn apply(&mut self, data: &mut [u8]) {
        let mut cipher = Ctr128BE::<Aes256>::new((&self.key).into(), (&self.counter.to_be_bytes()).into());
        cipher.seek(u32::from(self.used));
        cipher.apply_keystream(data);
        self.advance(data.len());
    }

    fn advance(&mut self, len: usize) {
        let position = u128::from(self.used).wrapping_add(len as u128);
        self.counter = self.counter.wrapping_add(position >> 4);
        self.used = (position & 0x0F) as u8;
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}
