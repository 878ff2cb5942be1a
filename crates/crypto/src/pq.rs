//! `pq`: the proof of work that a client does before the server does its own.
//!
//! Source: Creating an Authorization Key, steps 2 and 3 (rules HS-03, HS-07).

mod montgomery;
mod rho;

use core::fmt;

use montgomery::Montgomery;
use zeroize::Zeroizing;

use crate::{RandomError, SecureRandom, enforce, mutant};

/// The largest `pq`: 2^63 - 1.
pub const MAX: u64 = i64::MAX as u64;

/// Which condition on `pq` failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PqError {
    /// Above 2^63 - 1, or longer than 8 bytes.
    #[error("pq is larger than 2^63 - 1")]
    TooLarge,
    /// 0 or 1.
    #[error("pq is smaller than the smallest product of two odd primes")]
    TooSmall,
    /// Even.
    #[error("pq is even")]
    Even,
    /// A prime, which has no two factors.
    #[error("pq is a prime")]
    Prime,
    /// A square, whose factors are equal.
    #[error("pq is a square")]
    Square,
    /// A product of more than two primes.
    #[error("pq has more than two prime factors")]
    MoreThanTwoFactors,
    /// No factor was found within the bound on the work. Does not happen to a product of two primes.
    #[error("no factor of pq was found")]
    NotFound,
}

/// Two different odd primes with p < q and pq at most 2^63 - 1. Only the checks of this module make one.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PqFactors {
    p: u64,
    q: u64,
}

impl PqFactors {
    /// The smaller prime.
    #[must_use]
    pub fn p(&self) -> u64 {
        self.p
    }

    /// The larger prime.
    #[must_use]
    pub fn q(&self) -> u64 {
        self.q
    }

    /// Their product.
    #[must_use]
    pub fn product(&self) -> u64 {
        self.p.wrapping_mul(self.q) // at most 2^63 - 1, by construction
    }

    /// Whether the two byte strings, read as big-endian numbers with or without leading zeros, are p and q in that order.
    #[must_use]
    pub fn are(&self, p: &[u8], q: &[u8]) -> bool {
        number(p) == Some(self.p) && number(q) == Some(self.q)
    }
}

impl fmt::Debug for PqFactors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PqFactors({:#x} * {:#x})", self.p, self.q)
    }
}

/// Big-endian bytes, with or without leading zeros, as a number; `None` beyond 64 bits (rule HS-01).
#[must_use]
pub fn number(be: &[u8]) -> Option<u64> {
    be.iter().try_fold(0_u64, |number, byte| Some(number.checked_mul(256)? | u64::from(*byte)))
}

/// The number as minimal big-endian bytes (rule HS-08); none for 0.
#[must_use]
pub fn minimal_be(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// Splits `pq` into its two different odd primes. Takes some 260 µs for two primes of 31 bits.
///
/// # Errors
/// [`PqError`], naming the condition that failed (rule HS-07).
pub fn factorize(pq: u64) -> Result<PqFactors, PqError> {
    enforce!("HS-07.large", pq <= MAX, PqError::TooLarge);
    enforce!("HS-07.small", pq > 1, PqError::TooSmall);
    enforce!("HS-07.even", pq % 2 == 1, PqError::Even);
    enforce!("HS-07.square", pq.isqrt().checked_pow(2) != Some(pq), PqError::Square);
    enforce!("HS-07.prime", !is_prime(pq), PqError::Prime);
    let factor = rho::split(pq).ok_or(PqError::NotFound)?;
    let other = pq.checked_div(factor).ok_or(PqError::NotFound)?;
    enforce!("HS-07.two", is_prime(factor) && is_prime(other), PqError::MoreThanTwoFactors);
    Ok(PqFactors { p: factor.min(other), q: factor.max(other) })
}

/// Two fresh, different, random primes of exactly 31 bits, so that their product has exactly 8 bytes (rule HS-03).
///
/// # Errors
/// [`RandomError`] if the source failed or repeats itself.
pub fn random(random: &mut dyn SecureRandom) -> Result<PqFactors, RandomError> {
    let first = random_prime(random)?;
    for _ in 0..TRIES {
        let second = random_prime(random)?;
        if mutant!("HS-03.different", first != second, true) {
            return Ok(PqFactors { p: first.min(second), q: first.max(second) });
        }
    }
    Err(RandomError)
}

/// Draws of 16 candidates in which a prime of 31 bits must turn up: about one odd candidate in eleven is one.
const TRIES: usize = 1000;

fn random_prime(random: &mut dyn SecureRandom) -> Result<u64, RandomError> {
    for _ in 0..TRIES {
        let mut draw = Zeroizing::new([0; 64]);
        random.fill_secret(draw.as_mut_slice())?;
        let (candidates, _) = draw.as_chunks::<4>();
        let odd = candidates.iter().map(|bytes| u64::from((u32::from_le_bytes(*bytes) >> 1) | (1 << 30) | 1));
        if let Some(prime) = odd.into_iter().find(|candidate| is_prime(*candidate)) {
            return Ok(prime);
        }
    }
    Err(RandomError)
}

/// Bases of Miller-Rabin that leave no composite below 2^64. Source: Sorenson and Webster, "Strong pseudoprimes to twelve
/// prime bases" (2017).
const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/// Bases that leave no composite below 4,759,123,141. Source: Jaeschke, "On strong pseudoprimes to several bases" (1993).
const BASES_32: [u64; 3] = [2, 7, 61];

/// Whether `n` is a prime; for certain, not probably.
#[must_use]
pub fn is_prime(n: u64) -> bool {
    if n < 2 {
        return false;
    }
    for small in SMALL_PRIMES {
        if n.is_multiple_of(small) {
            return n == small;
        }
    }
    let bases = if n < 1 << 32 { BASES_32.as_slice() } else { BASES.as_slice() };
    Montgomery::new(n).is_some_and(|field| bases.iter().all(|base| field.is_strong_probable_prime(*base)))
}

const SMALL_PRIMES: [u64; 18] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61];

#[cfg(test)]
mod tests;
