//! Exponentiation against an independent, slow implementation, and every refusal.

use dayfly_modexp::{BATCH, Error, Modulus, Pair, is_prime, is_safe_prime};
use proptest::prelude::*;

/// By squaring over 128-bit integers.
fn slow(base: u64, exponent: u64, modulus: u64) -> u64 {
    let times = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64;
    (0..64).rev().fold(1 % modulus, |power, bit| {
        let square = times(power, power);
        if exponent >> bit & 1 == 1 { times(square, base) } else { square }
    })
}

fn number(be: &[u8]) -> u64 {
    be.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// 2^2048 - 1557, the largest prime of 2048 bits.
fn modulus_2048() -> Vec<u8> {
    let mut be = vec![0xFF; 256];
    be[254..].copy_from_slice(&[0xF9, 0xEB]);
    be
}

proptest! {
    #[test]
    fn small_powers_agree_with_a_slow_implementation(
        modulus in (1_u64..1 << 62).prop_map(|half| half * 2 + 1),
        pairs in proptest::collection::vec(any::<(u64, u64)>(), 1..=BATCH),
    ) {
        let operands: Vec<_> =
            pairs.iter().map(|(base, exponent)| ((base % modulus).to_be_bytes(), exponent.to_be_bytes())).collect();
        let batch: Vec<_> = operands.iter().map(|(base, exponent)| Pair { base, exponent }).collect();
        let prepared = Modulus::new(&modulus.to_be_bytes()).unwrap();
        let results = prepared.power(&batch).unwrap();
        prop_assert_eq!(results.len(), pairs.len());
        for ((base, exponent), result) in pairs.iter().zip(results.iter()) {
            prop_assert_eq!(result.len(), prepared.len());
            prop_assert_eq!(number(result), slow(base % modulus, *exponent, modulus));
        }
    }

    #[test]
    fn any_bytes_make_a_modulus_or_an_error(be in proptest::collection::vec(any::<u8>(), 0..40)) {
        let value = be.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
        let usable = value.last().is_some_and(|last| last % 2 == 1) && value != [1];
        prop_assert_eq!(Modulus::new(&be).is_ok(), usable);
    }
}

#[test]
fn two_at_once_and_one_at_a_time_agree_at_full_size() {
    let modulus = Modulus::new(&modulus_2048()).unwrap();
    let (base, long, short) = ([0x5A; 256], [0xC3; 256], [0xC3; 32]);
    // Lengths mixed, so that the interleaved and the plain code meet.
    let exponents = [long.as_slice(), &long, &short, &short, &long, &short, &short];
    let pairs: Vec<_> = exponents.iter().map(|exponent| Pair { base: &base, exponent }).collect();
    let batch = modulus.power(&pairs).unwrap();
    for (pair, together) in pairs.iter().zip(batch.iter()) {
        let alone = modulus.power(&[*pair]).unwrap();
        assert_eq!(&alone[0], together);
    }
}

#[test]
fn exponents_add_up() {
    let modulus = Modulus::new(&modulus_2048()).unwrap();
    let two_pow = |exponent: u16| {
        let exponent = exponent.to_be_bytes();
        modulus.power(&[Pair { base: &[2], exponent: &exponent }]).unwrap()[0].to_vec()
    };
    let mut expected = vec![0; 256];
    expected[255 - 125] = 1; // 2^1000
    assert_eq!(two_pow(1000), expected);
    let exponent = 48_u16.to_be_bytes();
    let again = modulus.power(&[Pair { base: &two_pow(1000), exponent: &exponent }]).unwrap();
    assert_eq!(&again[0], two_pow(48_000));
}

#[test]
fn results_keep_leading_zeros_and_operands_may_have_them() {
    let modulus = Modulus::new(&[0, 0, 0x01, 0x01]).unwrap();
    assert_eq!(modulus.len(), 2);
    let results = modulus.power(&[Pair { base: &[0, 0, 0, 3], exponent: &[0, 1] }]).unwrap();
    assert_eq!(results.get(0), Some([0, 3].as_slice()));
    assert_eq!(results.get(1), None);
    let zero =
        modulus.power(&[Pair { base: &[], exponent: &[0] }, Pair { base: &[], exponent: &[5] }]).unwrap();
    assert_eq!((&zero[0], &zero[1]), ([0, 1].as_slice(), [0, 0].as_slice()));
}

#[test]
fn operands_out_of_range_are_refused() {
    let modulus = Modulus::new(&[0x01, 0x01]).unwrap();
    let power = |base: &[u8], exponent: &[u8]| modulus.power(&[Pair { base, exponent }]).err();
    assert_eq!(power(&[0x01, 0x01], &[1]), Some(Error::NotReduced));
    assert_eq!(power(&[0xFF, 0xFF], &[1]), Some(Error::NotReduced));
    assert_eq!(power(&[1, 0, 0], &[1]), Some(Error::NotReduced));
    assert_eq!(power(&[2], &[]), Some(Error::EmptyExponent));
    assert_eq!(power(&[0x01, 0x00], &[1]), None);
}

#[test]
fn batches_of_a_wrong_size_are_refused() {
    let modulus = Modulus::new(&[0x01, 0x01]).unwrap();
    let pair = Pair { base: &[2], exponent: &[3] };
    assert_eq!(modulus.power(&[]).err(), Some(Error::BatchSize));
    assert_eq!(modulus.power(&[pair; BATCH + 1]).err(), Some(Error::BatchSize));
    assert_eq!(modulus.power(&[pair; BATCH]).map(|results| results.len()), Ok(BATCH));
}

#[test]
fn moduli_that_are_none_are_refused() {
    let too_long = [&[1], [0xFF; 1024].as_slice()].concat();
    for be in [[].as_slice(), &[0], &[1], &[2], &[0, 0], &[0xFF, 0], &too_long] {
        assert_eq!(Modulus::new(be).err(), Some(Error::Modulus));
    }
}

#[test]
fn primes_are_told_from_composites() {
    let small: Vec<_> = (0_u8..50).filter(|n| is_prime(&[0, *n], 20).unwrap()).collect();
    assert_eq!(small, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
    assert_eq!(is_prime(&561_u16.to_be_bytes(), 20), Ok(false));
    assert_eq!(is_prime(&modulus_2048(), 20), Ok(true));
    assert_eq!(is_prime(&[0xFF; 1025], 20), Err(Error::Modulus));
    assert_eq!([is_prime(&[7], 0), is_prime(&[7], 1001)], [Err(Error::BatchSize); 2]);
}

#[test]
fn safe_primes_are_told_from_other_primes() {
    let safe: Vec<_> = (0_u16..1000).filter(|n| is_safe_prime(&n.to_be_bytes()).unwrap()).collect();
    assert_eq!(
        safe,
        [
            23, 47, 59, 83, 107, 167, 179, 227, 263, 347, 359, 383, 467, 479, 503, 563, 587, 719, 839, 863,
            887, 983
        ]
    );
    assert_eq!(is_safe_prime(&modulus_2048()), Ok(false));
    assert_eq!(is_safe_prime(&[0xFF; 1025]), Err(Error::Modulus));
}
