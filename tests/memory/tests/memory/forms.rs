//! The forms in which code may hold a secret number.

use zeroize::Zeroizing;

/// Limbs of 64 bits, little-endian, are the number reversed; those of 52 bits are what AVX-512 IFMA computes with.
pub(crate) const NAMES: [&str; 3] = ["wire order", "reversed", "limbs of 52 bits"];

/// The secret in each form, in the order of [`NAMES`]. Each buffer is made at its final size: the processes under test
/// call this too.
pub(crate) fn forms(secret: &[u8]) -> [Zeroizing<Vec<u8>>; 3] {
    let mut wire = Zeroizing::new(vec![0; secret.len()]);
    wire.copy_from_slice(secret);
    let mut reversed = Zeroizing::new(vec![0; secret.len()]);
    reversed.iter_mut().zip(secret.iter().rev()).for_each(|(to, from)| *to = *from);
    let limbs = limbs_52(&reversed);
    [wire, reversed, limbs]
}

/// The number, given little-endian, cut into 52 bits a 64-bit word; an unfinished last limb is left out.
fn limbs_52(little_endian: &[u8]) -> Zeroizing<Vec<u8>> {
    let bit = |at: usize| u64::from(little_endian[at / 8] >> (at % 8) & 1);
    let mut limbs = Zeroizing::new(vec![0; little_endian.len() * 8 / 52 * 8]);
    for (index, limb) in limbs.chunks_exact_mut(8).enumerate() {
        let word = (0..52).fold(0, |word, at| word | bit(index * 52 + at) << at);
        limb.copy_from_slice(&u64::to_le_bytes(word));
    }
    limbs
}

#[test]
fn limbs_hold_52_bits_each() {
    let number = (1_u128 << 103) | 0x000f_0000_0000_0001;
    let limbs = limbs_52(&number.to_le_bytes()[..13]);
    let expected = [0x000f_0000_0000_0001_u64, 1 << 51];
    assert_eq!(*limbs, expected.map(u64::to_le_bytes).concat());
}
