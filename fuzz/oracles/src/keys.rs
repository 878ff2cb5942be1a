//! The RSA key of the scripted servers: a key of the tests of crates/crypto.

use std::sync::{Arc, OnceLock};

use dayfly_core::handshake::server::{KeyRing, ServerKey};
use dayfly_crypto::rsa_key::PrivateKey;

pub(crate) fn ring(old_rsa: bool) -> Arc<KeyRing> {
    let key = ServerKey { key: private_key(), old_rsa };
    Arc::new(KeyRing::new(vec![key]).expect("one key"))
}

pub(crate) fn private_key() -> Arc<PrivateKey> {
    static KEY: OnceLock<Arc<PrivateKey>> = OnceLock::new();
    let pem = include_str!("../../../crates/crypto/tests/data/pkcs1.pem");
    Arc::clone(KEY.get_or_init(|| Arc::new(PrivateKey::from_pem(pem).expect("a key of the tests"))))
}
