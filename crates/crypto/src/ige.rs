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
