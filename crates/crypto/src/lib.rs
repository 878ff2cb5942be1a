//! AES-IGE/CTR, key derivations, RSA_PAD, pq, DH groups and self-wiping secrets of MTProto.
#![forbid(unsafe_code)]

pub mod digest;
mod random;
pub mod rules;
pub mod secret;

pub use random::{RandomError, SecureRandom};
pub use secret::{AesKeyIv, AuthKey, AuthKeyId, Exponent, NewNonce};
