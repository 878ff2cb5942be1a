//! The server's RSA keys: 2048 bits, PEM in and out, fingerprints.

mod block;
mod error;
mod fingerprint;
mod pem;
mod private;
mod public;

pub use block::Ciphertext;
pub use error::KeyError;
pub use fingerprint::Fingerprint;
pub use private::PrivateKey;
pub use public::PublicKey;

/// The only length of modulus that the protocol has room for, in bits (rule HS-05).
pub const BITS: usize = 2048;

#[cfg(test)]
mod tests;
