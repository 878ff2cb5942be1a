//! Public keys: what clients are given to trust.

use core::fmt;

use dayfly_modexp::RsaPublicKey;

use super::pem::{self, Block, Kind};
use super::{BITS, Fingerprint, KeyError};
use crate::enforce;

/// A server's public key, 2048 bits. Cloning shares the prepared key.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey {
    key: RsaPublicKey,
    fingerprint: Fingerprint,
}

impl PublicKey {
    /// From big-endian numbers.
    ///
    /// # Errors
    /// [`KeyError::Numbers`], [`KeyError::Bits`].
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        Self::of(RsaPublicKey::new(n, e).map_err(|_| KeyError::Numbers)?)
    }

    /// From the first PEM block of a text: `RSA PUBLIC KEY` (PKCS#1) or `PUBLIC KEY`.
    ///
    /// # Errors
    /// [`KeyError`], saying what is there and what is needed.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = Block::first(text, pem::RSA_PUBLIC)?;
        let (key, label) = match block.kind {
            Kind::RsaPublic => (RsaPublicKey::from_pkcs1_der(&block.der), pem::RSA_PUBLIC),
            Kind::Public => (RsaPublicKey::from_spki_der(&block.der), pem::PUBLIC),
            Kind::RsaPrivate | Kind::Private | Kind::Encrypted => return Err(KeyError::PrivateKey),
            Kind::Other => return Err(KeyError::OtherLabel { line: block.line, expected: pem::RSA_PUBLIC }),
        };
        Self::of(key.map_err(|_| KeyError::Contents { label })?)
    }

    pub(super) fn of(key: RsaPublicKey) -> Result<Self, KeyError> {
        let bits = key.bits();
        enforce!("HS-05.bits", bits == BITS, KeyError::Bits { bits });
        let fingerprint = Fingerprint::of(key.n(), key.e());
        Ok(Self { key, fingerprint })
    }

    /// As PEM `RSA PUBLIC KEY` (PKCS#1), the form that clients carry.
    ///
    /// # Errors
    /// [`KeyError`] if there is no memory for it.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        pem::encode(pem::RSA_PUBLIC, &self.key.to_pkcs1_der())
    }

    /// As PEM `PUBLIC KEY` (`SubjectPublicKeyInfo`), the form of most tools.
    ///
    /// # Errors
    /// As [`PublicKey::to_pem`].
    pub fn to_spki_pem(&self) -> Result<String, KeyError> {
        pem::encode(pem::PUBLIC, &self.key.to_spki_der())
    }

    /// How the key is named on the wire.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The modulus, 256 bytes, big-endian.
    #[must_use]
    pub fn n(&self) -> &[u8] {
        self.key.n()
    }

    /// The public exponent, minimal big-endian.
    #[must_use]
    pub fn e(&self) -> &[u8] {
        self.key.e()
    }

    /// The bare operation: `block ^ e mod n`.
    ///
    /// # Errors
    /// [`dayfly_modexp::Error::NotReduced`] if the block is not below the modulus; the library's own.
    pub fn raw(&self, block: &[u8; 256]) -> Result<[u8; 256], dayfly_modexp::Error> {
        self.key.raw(block)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint)
    }
}
