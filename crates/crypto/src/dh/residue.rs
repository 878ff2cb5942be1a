//! Whether g generates the subgroup of prime order, told from the prime's remainders.

/// Whether g (2 to 7) is a quadratic residue modulo the safe prime, given as big-endian bytes. By quadratic reciprocity.
///
/// Source: Creating an Authorization Key, step 6 (rule HS-19). Other g are not judged here, and pass.
#[must_use]
pub fn is_residue(g: u8, prime: &[u8]) -> bool {
    match g {
        2 => remainder(prime, 8) == 7,
        3 => remainder(prime, 3) == 2,
        5 => matches!(remainder(prime, 5), 1 | 4),
        6 => matches!(remainder(prime, 24), 19 | 23),
        7 => matches!(remainder(prime, 7), 3 | 5 | 6),
        _ => true,
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "the divisor is a constant below 25, so the sum stays below 2^13"
)]
fn remainder(be: &[u8], divisor: u32) -> u32 {
    be.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % divisor)
}
