//! Modular exponentiation and raw RSA behind a batch interface.
//!
//! A modulus or an RSA key is prepared once; then one to eight operations go in together and as many results come out,
//! each wiped when it is dropped. Underneath works AWS-LC's big-number code. This is the only crate of the workspace with
//! `unsafe`; all of it sits in calls of that library, and the surface is safe.
//!
//! What it does not do: padding of any kind, protocol rules, randomness for anybody but AWS-LC's own key generation,
//! blinding and primality rounds.
//!
//! ```
//! use dayfly_modexp::{Modulus, Pair};
//! let modulus = Modulus::new(&[0x01, 0x01])?; // 257
//! let results = modulus.power(&[Pair { base: &[3], exponent: &[5] }])?;
//! assert_eq!(&results[0], &[0x00, 243]);
//! # Ok::<(), dayfly_modexp::Error>(())
//! ```
#![allow(unsafe_code)] // calls of the big-number library; each block says why it is sound
#![deny(clippy::undocumented_unsafe_blocks)]

mod bignum;
mod der;
mod error;
mod modulus;
mod prime;
mod rsa;
mod scrub;

pub use error::Error;
pub use modulus::{BATCH, Modulus, Pair, Results};
pub use prime::{is_prime, is_safe_prime};
pub use rsa::{RsaPrivateKey, RsaPublicKey};
pub use scrub::{DEEP, SHALLOW, scrubbed};
