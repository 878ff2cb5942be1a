//! What a client handshake is told before it starts.

use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::dh::GroupCache;
use dayfly_crypto::rsa_key::PublicKey;

use crate::keys::kind::KeyKind;

/// What to make, with whom, and how patiently. `K` is [`PublicKey`] outside of tests; see [`Wrap`](super::Wrap).
#[derive(Clone, Debug)]
pub struct ClientConfig<K = PublicKey> {
    /// The RSA keys that are trusted. One is enough.
    pub keys: Arc<[K]>,
    /// The kind of key to make.
    pub kind: KeyKind,
    /// The DC that is spoken to: 10000 added on test servers, negative for a media DC.
    pub dc: i32,
    /// The length of b in bits. 2048; tests may take less (rule HS-21).
    pub exponent_bits: usize,
    /// Primes that were proven once; share one among all handshakes of a process. The published one is known anyway.
    pub groups: GroupCache,
    /// How long to wait, and how often.
    pub patience: Patience,
}

/// How long to wait, and how often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// How long to wait for an answer before the query is sent again; doubles with each time (rule HS-30).
    pub resend_after: Duration,
    /// How often one query is sent again before a new run is begun.
    pub max_resends: u32,
    /// The first delay before a new run, or after -429; doubles with each time, and up to half of it is added at random.
    pub restart_after: Duration,
    /// The longest of all these delays.
    pub longest_delay: Duration,
    /// How many new runs may follow the first (rule HS-38).
    pub max_restarts: u32,
    /// How many times -429 is waited out in a run.
    pub max_floods: u32,
    /// How many dh_gen_retry are followed in a run (rule HS-27).
    pub max_retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            resend_after: Duration::from_secs(4),
            max_resends: 6,
            restart_after: Duration::from_millis(500),
            longest_delay: Duration::from_secs(30),
            max_restarts: 5,
            max_floods: 8,
            max_retries: 5,
        }
    }
}

impl<K> ClientConfig<K> {
    /// The defaults, for a key of `kind` with the server that has one of `keys`.
    #[must_use]
    pub fn new(keys: Arc<[K]>, kind: KeyKind, dc: i32) -> Self {
        Self { keys, kind, dc, exponent_bits: 2048, groups: GroupCache::new(), patience: Patience::default() }
    }
}
