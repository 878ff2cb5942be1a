//! What a client sent as `encrypted_data`, checked as far as it can be without the private key.

use super::PublicKey;
use crate::enforce;
use crate::error::Refused;

/// 256 bytes that are, as a big-endian number, below a key's modulus.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ciphertext(Box<[u8; 256]>);

impl Ciphertext {
    /// Checks length and range (rule HS-12).
    ///
    /// # Errors
    /// [`Refused::Length`], [`Refused::NotBelowModulus`].
    pub fn parse(bytes: &[u8], key: &PublicKey) -> Result<Self, Refused> {
        enforce!("HS-12.length", bytes.len() == 256, Refused::Length);
        let block = <&[u8; 256]>::try_from(bytes).map_err(|_| Refused::Internal)?;
        enforce!("HS-12.modulus", block.as_slice() < key.n(), Refused::NotBelowModulus);
        Ok(Self(Box::new(*block)))
    }

    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 256] {
        &self.0
    }
}
