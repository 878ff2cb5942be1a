//! What the tests of the workspace share: recorded handshakes, scripted time and randomness, a lossy link, a client and a
//! server joined in memory, a watcher for secrets in logs.
//!
//! For tests only: it panics where a test should fail, its random bytes are foreseeable, and it keeps secrets. Nothing
//! that ships depends on it, and it depends on nothing but the protocol's own crates.
#![forbid(unsafe_code)]

pub mod clients;
pub mod clock;
pub mod link;
pub mod pair;
pub mod random;
pub mod runs;
pub mod store;
pub mod vectors;
pub mod watch;

pub use clock::TestClock;
pub use pair::{Pair, PairConfig};
pub use random::{ScriptedRandom, SeededRandom};

use std::sync::Arc;

use dayfly_crypto::rsa_key::PrivateKey;

/// The published test key, `vectors/keys/test_rsa.pem`.
///
/// # Panics
/// If the file is damaged.
#[must_use]
pub fn test_key() -> Arc<PrivateKey> {
    let pem = include_str!("../../../vectors/keys/test_rsa.pem");
    Arc::new(PrivateKey::from_pem(pem).unwrap_or_else(|error| panic!("vectors/keys/test_rsa.pem: {error}")))
}
