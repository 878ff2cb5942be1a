//! AES-256 in Infinite Garble Extension mode, in place.
//!
//! Each block is xored with the ciphertext block before it on its way in and with the plaintext block before it on its
//! way out. The initialization vector stands for the two blocks before the first: ciphertext, then plaintext.
//!
//! The whole loop runs inside the block cipher's backend, so that the processor's features are looked up once a message
//! and not once a block.

use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::{
    BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
    BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
};
use dayfly_modexp::{SHALLOW, scrubbed};

use crate::Error;

/// Encrypts `data` in place.
///
/// # Errors
/// [`Error::NotBlocks`] unless the length is a multiple of 16; nothing is changed then.
pub fn encrypt(data: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) -> Result<(), Error> {
    let blocks = whole_blocks(data)?;
    let (cipher_before, plain_before) = halves(iv);
    scrubbed::<SHALLOW, _>(|| {
        Aes256::new(key.into()).encrypt_with_backend(Encrypt { blocks, cipher_before, plain_before });
    });
    Ok(())
}

/// Decrypts `data` in place.
///
/// # Errors
/// [`Error::NotBlocks`] unless the length is a multiple of 16; nothing is changed then.
pub fn decrypt(data: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) -> Result<(), Error> {
    let blocks = whole_blocks(data)?;
    let (cipher_before, plain_before) = halves(iv);
    scrubbed::<SHALLOW, _>(|| {
        Aes256::new(key.into()).decrypt_with_backend(Decrypt { blocks, cipher_before, plain_before });
    });
    Ok(())
}

fn whole_blocks(data: &mut [u8]) -> Result<&mut [[u8; 16]], Error> {
    let len = data.len();
    match data.as_chunks_mut() {
        (blocks, []) => Ok(blocks),
        _ => Err(Error::NotBlocks(len)),
    }
}

/// As numbers, for the xors alone; the byte order is the machine's and cancels out.
fn halves(iv: &[u8; 32]) -> (u128, u128) {
    let [cipher, plain] =
        [iv.first_chunk(), iv.last_chunk()].map(|half| half.copied().map_or(0, u128::from_ne_bytes));
    (cipher, plain)
}

struct Encrypt<'a> {
    blocks: &'a mut [[u8; 16]],
    cipher_before: u128,
    plain_before: u128,
}

impl BlockSizeUser for Encrypt<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Encrypt<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let (mut cipher_before, mut plain_before) = (self.cipher_before, self.plain_before);
        for block in self.blocks {
            let plain = u128::from_ne_bytes(*block);
            let mut state = Array((plain ^ cipher_before).to_ne_bytes());
            backend.encrypt_block_inplace(&mut state);
            cipher_before = u128::from_ne_bytes(state.0) ^ plain_before;
            plain_before = plain;
            *block = cipher_before.to_ne_bytes();
        }
    }
}

struct Decrypt<'a> {
    blocks: &'a mut [[u8; 16]],
    cipher_before: u128,
    plain_before: u128,
}

impl BlockSizeUser for Decrypt<'_> {
    type BlockSize = U16;
}

impl BlockCipherDecClosure for Decrypt<'_> {
    #[inline(always)]
    fn call<B: BlockCipherDecBackend<BlockSize = U16>>(self, backend: &B) {
        let (mut cipher_before, mut plain_before) = (self.cipher_before, self.plain_before);
        for block in self.blocks {
            let cipher = u128::from_ne_bytes(*block);
            let mut state = Array((cipher ^ plain_before).to_ne_bytes());
            backend.decrypt_block_inplace(&mut state);
            plain_before = u128::from_ne_bytes(state.0) ^ cipher_before;
            cipher_before = cipher;
            *block = plain_before.to_ne_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use hex::FromHex;
    use proptest::prelude::*;

    use super::*;

    /// The key and the initialization vector of the known answers: 0, 1, 2 ...
    fn counting<const N: usize>(from: u8) -> [u8; N] {
        core::array::from_fn(|at| from + at as u8)
    }

    // rule: HS-11, HS-16, MS-05
    #[test]
    fn known_answer_of_four_blocks() {
        // Computed with OpenSSL's AES_ige_encrypt.
        let expected = <[u8; 64]>::from_hex(
            "b6b23cb46d2f43de2c67fc9a3a9e35104fad6ed15177969c1cebc616bcfa482c\
             b220e4d159bedfd570df191a805e9d9d13b6d62f0ea1e40541bd31ebe72f51c6",
        );
        let mut data = counting::<64>(64);
        encrypt(&mut data, &counting(0), &counting(32)).unwrap();
        assert_eq!(data, expected.unwrap());
    }

    #[test]
    fn one_block_under_zeros_is_plain_aes() {
        // The known answer of AES-256 for an all-zero key and block (NIST, AESAVS).
        let mut data = [0; 16];
        encrypt(&mut data, &[0; 32], &[0; 32]).unwrap();
        assert_eq!(hex::encode(data), "dc95c078a2408989ad48a21492842087");
    }

    #[test]
    fn a_flipped_bit_garbles_everything_after_it() {
        let mut data = [0x5A; 96];
        encrypt(&mut data, &counting(0), &counting(32)).unwrap();
        data[20] ^= 1;
        decrypt(&mut data, &counting(0), &counting(32)).unwrap();
        assert_eq!(data[..16], [0x5A; 16]);
        for block in data[16..].chunks(16) {
            assert_ne!(block, [0x5A; 16]);
        }
    }

    #[test]
    fn lengths_that_are_no_whole_blocks_are_refused_and_left_alone() {
        for len in [1, 15, 17, 31] {
            let mut data = vec![7; len];
            assert_eq!(encrypt(&mut data, &[0; 32], &[0; 32]), Err(Error::NotBlocks(len)));
            assert_eq!(decrypt(&mut data, &[0; 32], &[0; 32]), Err(Error::NotBlocks(len)));
            assert_eq!(data, vec![7; len]);
        }
        assert_eq!(encrypt(&mut [], &[0; 32], &[0; 32]), Ok(()));
    }

    proptest! {
        #[test]
        fn decryption_undoes_encryption(
            mut data in proptest::collection::vec(any::<[u8; 16]>(), 0..40).prop_map(|blocks| blocks.concat()),
            key in any::<[u8; 32]>(),
            iv in any::<[u8; 32]>(),
        ) {
            let original = data.clone();
            encrypt(&mut data, &key, &iv).unwrap();
            prop_assert!(data.is_empty() || data != original);
            decrypt(&mut data, &key, &iv).unwrap();
            prop_assert_eq!(data, original);
        }
    }
}
