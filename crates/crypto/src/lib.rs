//! AES-IGE/CTR, key derivations, RSA_PAD, pq, DH groups and self-wiping secrets of MTProto.
//!
//! Pure functions and small values: no I/O, no clock, and randomness only through [`SecureRandom`]. Each check of the
//! protocol has an id ([`rules`]) and an error of its own. Secrets are types that wipe themselves, and a function that
//! touched one overwrites the stack it used. What this crate does not do: messages, states, sessions.
//!
//! ```
//! use dayfly_crypto::pq;
//! let factors = pq::factorize(0x17ED_4894_1A08_F981)?;
//! assert_eq!((factors.p(), factors.q()), (0x494C_553B, 0x5391_1073));
//! # Ok::<(), pq::PqError>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod ctr;
pub mod dh;
pub mod digest;
mod error;
pub mod ige;
pub mod kdf;
pub mod pq;
mod random;
pub mod rsa_key;
pub mod rsa_old;
pub mod rsa_pad;
pub mod rules;
pub mod secret;
#[cfg(test)]
mod testing;

pub use dayfly_modexp as modexp;
pub use dayfly_modexp::{DEEP, SHALLOW, scrubbed};
pub use error::Error;
pub use random::{RandomError, SecureRandom};
pub use secret::{AesKeyIv, AuthKey, AuthKeyId, Exponent, NewNonce};
