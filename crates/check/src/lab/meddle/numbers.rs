//! Numbers that a client has to refuse, and those at the very edge that it has to take.

use dayfly_crypto::dh::SafePrimeGroup;

/// Bytes of dh_prime and g_a.
pub(super) const BYTES: usize = 256;

/// Where the eighth byte from the front stands: 2^1984 has a one there.
const EDGE: usize = 7;

/// pq that is 2^61 - 1, a prime.
pub(super) const PRIME: u64 = (1 << 61) - 1;
/// The square of the prime 2^31 - 1.
pub(super) const SQUARE: u64 = ((1 << 31) - 1) * ((1 << 31) - 1);
/// The product of three primes.
pub(super) const THREE_PRIMES: u64 = 1_000_003 * 1_000_033 * 1_000_037;
/// The product of two primes, above 2^63.
pub(super) const TOO_LARGE: u64 = 4_294_967_291 * 4_294_967_279;
/// Twice a prime.
pub(super) const EVEN: u64 = 2 * PRIME;

/// A safe prime of 2047 bits.
const SHORT: [&str; 8] = [
    "7B225769ED263C46CC40795FC7069A06BDFAC82200EAB5BA456C2643F02FA704",
    "8AECB04312BA6CAE8DA631601D7CB6520A0A73DF99AC30900C415FF2E425ADE7",
    "314F2B4DB9D709906E813B075A2980FC84FAA47B924E3154947FCB112D5DDD6A",
    "5992134EC5CE12E70CEBC2144483AA45EB03250C67448F133001CB55ADE48F5A",
    "48104AA3DCFC6B25F531D489708D211C887F803E17177F200300AAE3EE0B86F2",
    "77993D1638A22871D0E35C94CB669CEE3118F642CE4CB43DF9685DA706361A12",
    "C164A8D0019D4F55BA58644AF2B3597D232D425018B8FCD17D879F1B82CF9D05",
    "FA3C4491EB4EB8BC4A4967A1FA9C653ECAD692083508686A2576BC85CB41736F",
];

/// What is added to the published prime for a prime whose half is not. A multiple of 840, so that every g that fits the one
/// fits the other.
const NOT_SAFE: u32 = 840 * 289;
/// The same for a composite number whose half is prime.
const HALF: u32 = 840 * 258;
/// The same for a composite number whose half is composite.
const COMPOSITE: u32 = 840;

/// The published dh_prime.
pub(super) fn prime() -> [u8; BYTES] {
    *SafePrimeGroup::published().prime()
}

/// A prime that is not safe.
pub(super) fn not_safe() -> [u8; BYTES] {
    raised(NOT_SAFE)
}

/// No prime, though its half is one.
pub(super) fn half() -> [u8; BYTES] {
    raised(HALF)
}

/// No prime, nor is its half.
pub(super) fn composite() -> [u8; BYTES] {
    raised(COMPOSITE)
}

/// A safe prime of 2047 bits.
pub(super) fn short() -> [u8; BYTES] {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = SHORT.iter().flat_map(|line| line.bytes()).filter_map(digit).collect();
    let mut out = [0; BYTES];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |number, digit| number << 4 | digit);
    }
    out
}

/// The published prime and a little more; its last four bytes have room for it.
fn raised(by: u32) -> [u8; BYTES] {
    let mut out = prime();
    if let Some(last) = out.last_chunk_mut::<4>() {
        *last = u32::from_be_bytes(*last).wrapping_add(by).to_be_bytes();
    }
    out
}

/// dh_prime minus one.
pub(super) fn p_minus_one() -> [u8; BYTES] {
    let mut out = prime();
    out[BYTES - 1] -= 1; // the prime is odd
    out
}

/// dh_prime and two more.
pub(super) fn above_p() -> [u8; BYTES] {
    raised(2)
}

/// 2^1984, the lowest g_a.
pub(super) fn lowest() -> [u8; BYTES] {
    let mut out = [0; BYTES];
    out[EDGE] = 1;
    out
}

/// One below it.
pub(super) fn too_low() -> [u8; BYTES] {
    let mut out = [0xff; BYTES];
    out[..=EDGE].fill(0);
    out
}

/// dh_prime - 2^1984, the highest g_a.
pub(super) fn highest() -> [u8; BYTES] {
    let mut out = prime();
    if let Some(top) = out.first_chunk_mut::<8>() {
        *top = u64::from_be_bytes(*top).wrapping_sub(1).to_be_bytes();
    }
    out
}

/// One above it.
pub(super) fn too_high() -> [u8; BYTES] {
    let mut out = highest();
    out[BYTES - 1] += 1; // it is odd: no carry
    out
}

#[cfg(test)]
mod tests {
    use dayfly_crypto::dh::{DhError, GroupCache, PublicValue};
    use dayfly_crypto::pq;

    use super::*;

    /// Why the crypto crate refuses a prime, with a generator that fits every prime.
    fn refused(prime: &[u8]) -> Option<DhError> {
        SafePrimeGroup::check(prime, 4, &GroupCache::new()).err()
    }

    #[test]
    fn no_client_takes_these_primes() {
        assert_eq!(refused(&prime()), None);
        for bad in [composite(), half(), not_safe()] {
            assert!(matches!(refused(&bad), Some(DhError::NotSafePrime)), "{:?}", refused(&bad));
        }
        assert!(matches!(refused(&short()), Some(DhError::PrimeSize)), "{:?}", refused(&short()));
    }

    #[test]
    fn the_edges_of_g_a_are_where_the_crypto_crate_has_them() {
        let group = SafePrimeGroup::published();
        for good in [lowest(), highest()] {
            assert!(PublicValue::parse(&good, &group).is_ok());
        }
        for bad in [too_low(), too_high(), p_minus_one(), prime(), above_p()] {
            assert!(PublicValue::parse(&bad, &group).is_err());
        }
    }

    #[test]
    fn no_pq_here_has_two_different_prime_factors() {
        for number in [PRIME, SQUARE, THREE_PRIMES, EVEN, TOO_LARGE] {
            assert!(pq::factorize(number).is_err(), "{number}");
        }
    }
}
