//! Private keys: what a server holds.

use core::fmt;

use dayfly_modexp::{Results, RsaPrivateKey};
use zeroize::Zeroizing;

use super::pem::{self, Block, Kind};
use super::{BITS, Ciphertext, Fingerprint, KeyError, PublicKey};

/// A server's private key, 2048 bits. Share it by `Arc`.
pub struct PrivateKey {
    key: RsaPrivateKey,
    public: PublicKey,
}

impl PrivateKey {
    /// A fresh key with the public exponent 65537. Takes about a tenth of a second.
    ///
    /// # Errors
    /// [`KeyError::Internal`] if the library failed.
    pub fn generate() -> Result<Self, KeyError> {
        Self::of(RsaPrivateKey::generate(BITS)?)
    }

    /// From the first PEM block of a text: `RSA PRIVATE KEY` (PKCS#1) or `PRIVATE KEY` (PKCS#8), without pass phrase.
    /// The numbers are checked against each other and by one operation there and back.
    ///
    /// # Errors
    /// [`KeyError`], saying what is there and what is needed.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = Block::first(text, pem::RSA_PRIVATE)?;
        let (key, label) = match block.kind {
            Kind::RsaPrivate => (RsaPrivateKey::from_pkcs1_der(&block.der), pem::RSA_PRIVATE),
            Kind::Private => (RsaPrivateKey::from_pkcs8_der(&block.der), pem::PRIVATE),
            Kind::RsaPublic | Kind::Public => return Err(KeyError::PublicKey),
            Kind::Encrypted => return Err(KeyError::Encrypted),
            Kind::Other => return Err(KeyError::OtherLabel { line: block.line, expected: pem::RSA_PRIVATE }),
        };
        Self::of(key.map_err(|_| KeyError::Contents { label })?)
    }

    fn of(key: RsaPrivateKey) -> Result<Self, KeyError> {
        let public = PublicKey::of(key.public().clone())?;
        Ok(Self { key, public })
    }

    /// As PEM `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    /// [`KeyError::Internal`] if the library failed.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der = self.key.to_pkcs1_der()?;
        pem::encode(pem::RSA_PRIVATE, &der).map(Zeroizing::new)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// How the key is named on the wire.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.public.fingerprint()
    }

    /// The bare operation on one to eight blocks: `block ^ d mod n`, each result 256 bytes.
    ///
    /// Constant time, blinded, each result checked with the public exponent before it is given out.
    ///
    /// # Errors
    /// [`dayfly_modexp::Error::NotReduced`] for a block that was checked against another key;
    /// [`dayfly_modexp::Error::BatchSize`]; the library's own.
    pub fn raw(&self, blocks: &[&Ciphertext]) -> Result<Results, dayfly_modexp::Error> {
        let blocks: Vec<_> = blocks.iter().map(|block| block.bytes()).collect();
        self.key.raw(&blocks)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, ..)", self.fingerprint())
    }
}
