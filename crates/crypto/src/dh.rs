//! The Diffie-Hellman group and the public values in it.
//!
//! A value that was checked has a type that only the check makes: [`SafePrimeGroup`] and [`PublicValue`]. Raising
//! something to a secret exponent takes both.
//!
//! Source: Creating an Authorization Key, steps 6 to 9 (rules HS-18, HS-19, HS-20, HS-24, HS-39).

mod cache;
mod group;
mod known;
mod residue;
mod value;

pub use cache::GroupCache;
pub use group::{Candidate, SafePrimeGroup, Unproven};
pub use residue::is_residue;
pub use value::PublicValue;

use crate::mutant;

/// Bytes of `dh_prime`, of a public value and of an authorization key.
pub const BYTES: usize = 256;

/// Which check of the group or of a public value failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DhError {
    /// Rule HS-18: 2^2047 < dh_prime < 2^2048.
    #[error("dh_prime has not 2048 bits")]
    PrimeSize,
    /// Rule HS-18: dh_prime and (dh_prime - 1) / 2 are prime.
    #[error("dh_prime is no safe prime")]
    NotSafePrime,
    /// Rule HS-19: g is 2 to 7.
    #[error("g is not 2, 3, 4, 5, 6 or 7")]
    GeneratorRange,
    /// Rule HS-19: g generates the subgroup of order (dh_prime - 1) / 2.
    #[error("g is no quadratic residue modulo dh_prime")]
    GeneratorNotResidue,
    /// Rule HS-20: at least 2^(2048-64).
    #[error("a public value is too low")]
    PublicValueTooLow,
    /// Rule HS-20: at most dh_prime - 2^(2048-64).
    #[error("a public value is too high")]
    PublicValueTooHigh,
    /// Our own machine's fault: the big-number library refused.
    #[error("dh_prime could not be examined")]
    Internal(#[from] dayfly_modexp::Error),
}

/// Left-pads a big-endian number to 256 bytes; `None` if it is longer (rule HS-01).
fn padded(be: &[u8]) -> Option<[u8; BYTES]> {
    let zeros = mutant!("HS-01.leading_zeros", be.iter().take_while(|byte| **byte == 0).count(), 0);
    let minimal = be.get(zeros..)?;
    let mut out = [0; BYTES];
    let start = BYTES.checked_sub(minimal.len())?;
    out.get_mut(start..)?.copy_from_slice(minimal);
    Some(out)
}

#[cfg(test)]
mod tests;
