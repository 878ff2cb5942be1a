//! The RSA keys of a server.

use core::fmt;
use std::sync::Arc;

use dayfly_crypto::rsa_key::PrivateKey;

/// An RSA key of the server, and what is accepted under it.
#[derive(Clone)]
pub struct ServerKey {
    /// The key.
    pub key: Arc<PrivateKey>,
    /// Whether the scheme before RSA_PAD is accepted under it too (rule HS-13). It is the scheme of the attack of 2021:
    /// only for old clients, and only under a key that no others use.
    pub old_rsa: bool,
}

/// By its fingerprint.
impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint = format_args!("{}", self.key.fingerprint());
        f.debug_struct("ServerKey")
            .field("fingerprint", &fingerprint)
            .field("old_rsa", &self.old_rsa)
            .finish()
    }
}

/// For RSA_PAD alone.
impl From<Arc<PrivateKey>> for ServerKey {
    fn from(key: Arc<PrivateKey>) -> Self {
        Self { key, old_rsa: false }
    }
}

/// All RSA keys of a server, at least one, in the order in which `resPQ` lists them.
#[derive(Clone, Debug)]
pub struct KeyRing {
    keys: Vec<ServerKey>,
    fingerprints: Vec<i64>,
}

/// Why keys make no ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// There are none.
    #[error("a server needs at least one RSA key")]
    Empty,
    /// There are more than `resPQ` should list.
    #[error("{0} RSA keys are too many, at most 64 are taken")]
    TooMany(usize),
    /// Two have one fingerprint.
    #[error("two RSA keys have the fingerprint {0:016x}")]
    Twice(i64),
}

const MOST: usize = 64;

impl KeyRing {
    /// A ring of these keys.
    ///
    /// # Errors
    /// If there are none, too many, or two with one fingerprint.
    pub fn new(keys: Vec<ServerKey>) -> Result<Self, KeyRingError> {
        let fingerprints: Vec<i64> = keys.iter().map(|key| key.key.fingerprint().0).collect();
        match fingerprints.len() {
            0 => return Err(KeyRingError::Empty),
            count if count > MOST => return Err(KeyRingError::TooMany(count)),
            _ => {}
        }
        let mut sorted = fingerprints.clone();
        sorted.sort_unstable();
        let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
        match pairs.find(|(one, next)| one == next) {
            Some((twice, _)) => Err(KeyRingError::Twice(*twice)),
            None => Ok(Self { keys, fingerprints }),
        }
    }

    /// Their fingerprints, for `resPQ` (rule HS-05).
    #[must_use]
    pub fn fingerprints(&self) -> &[i64] {
        &self.fingerprints
    }

    /// The key with this fingerprint.
    pub(super) fn find(&self, fingerprint: i64) -> Option<&ServerKey> {
        self.keys.iter().zip(&self.fingerprints).find(|(_, own)| **own == fingerprint).map(|(key, _)| key)
    }

    /// The keys themselves, in the same order.
    #[must_use]
    pub fn keys(&self) -> &[ServerKey] {
        &self.keys
    }
}
