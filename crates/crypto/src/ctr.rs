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

#[cfg(test)]
mod tests {
    use hex::FromHex;
    use proptest::prelude::*;

    use super::*;

    // rule: TR-06
    #[test]
    fn known_answer_of_sp_800_38a() {
        // NIST SP 800-38A, F.5.5: CTR-AES256.Encrypt.
        let key =
            <[u8; 32]>::from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").unwrap();
        let iv = <[u8; 16]>::from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").unwrap();
        let mut data =
            Vec::from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").unwrap();
        Stream::new(&key, &iv).apply(&mut data);
        assert_eq!(hex::encode(data), "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5");
    }

    #[test]
    fn the_counter_wraps_around() {
        let (mut whole, mut parts) = ([0; 48], [0; 48]);
        Stream::new(&[3; 32], &[0xFF; 16]).apply(&mut whole);
        let mut stream = Stream::new(&[3; 32], &[0xFF; 16]);
        parts.chunks_mut(16).for_each(|part| stream.apply(part));
        assert_eq!(whole, parts);
        let mut after = [0; 16];
        Stream::new(&[3; 32], &[0; 16]).apply(&mut after);
        assert_eq!(whole[16..32], after);
    }

    proptest! {
        #[test]
        fn pieces_give_the_same_stream_as_the_whole(
            key in any::<[u8; 32]>(),
            iv in any::<[u8; 16]>(),
            pieces in proptest::collection::vec(0_usize..70, 0..20),
        ) {
            let mut whole = vec![0x33; pieces.iter().sum()];
            let mut split = whole.clone();
            Stream::new(&key, &iv).apply(&mut whole);
            let (mut stream, mut rest) = (Stream::new(&key, &iv), split.as_mut_slice());
            for piece in pieces {
                let (now, later) = rest.split_at_mut(piece);
                stream.apply(now);
                rest = later;
            }
            prop_assert_eq!(whole, split);
        }
    }
}
