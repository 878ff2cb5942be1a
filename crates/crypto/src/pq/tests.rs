use proptest::prelude::*;

use super::*;
use crate::testing::{Failing, Seeded, Stuck};

/// By trial division: slow and beyond doubt.
fn prime_by_division(n: u64) -> bool {
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

fn expected(n: u64) -> Result<(u64, u64), PqError> {
    match n {
        0 | 1 => return Err(PqError::TooSmall),
        n if n % 2 == 0 => return Err(PqError::Even),
        n if n.isqrt().pow(2) == n => return Err(PqError::Square),
        n if prime_by_division(n) => return Err(PqError::Prime),
        _ => {}
    }
    let p = (3..).find(|d| n.is_multiple_of(*d)).unwrap();
    if prime_by_division(n / p) { Ok((p, n / p)) } else { Err(PqError::MoreThanTwoFactors) }
}

// rule: HS-07
#[test]
fn every_small_number_is_judged_as_trial_division_judges_it() {
    for n in 0..30_000 {
        let found = factorize(n).map(|factors| (factors.p(), factors.q()));
        assert_eq!(found, expected(n), "{n}");
    }
}

// rule: HS-07
#[test]
fn a_prime_is_refused() {
    for prime in [3, 65_537, 0x7FFF_FFFF, 9_223_372_036_854_775_783] {
        assert_eq!(factorize(prime), Err(PqError::Prime), "{prime}");
    }
}

// rule: HS-07
#[test]
fn a_square_of_a_prime_is_refused() {
    assert_eq!(factorize(0x7FFF_FFFF * 0x7FFF_FFFF), Err(PqError::Square));
}

// rule: HS-07
#[test]
fn an_even_number_is_refused() {
    assert_eq!(factorize(2 * 0x7FFF_FFFF), Err(PqError::Even));
}

// rule: HS-07
#[test]
fn zero_and_one_are_refused() {
    assert_eq!([factorize(0), factorize(1)], [Err(PqError::TooSmall); 2]);
}

// rule: HS-07
#[test]
fn a_product_of_two_primes_above_the_bound_is_refused() {
    assert_eq!(factorize(4_294_967_291 * 4_294_967_279), Err(PqError::TooLarge));
    assert_eq!(factorize(u64::MAX), Err(PqError::TooLarge));
}

// rule: HS-07
#[test]
fn the_largest_products_below_the_bound_are_taken() {
    // The largest product of two primes below 2^63 whose smaller factor is the largest prime below 2^31.
    let pq = 2_147_483_647 * 4_294_967_291;
    assert!(pq <= MAX);
    assert_eq!(factorize(pq).map(|factors| (factors.p(), factors.q())), Ok((2_147_483_647, 4_294_967_291)));
}

// rule: HS-07
#[test]
fn a_product_of_three_primes_is_refused() {
    for n in [1_048_573 * 1_048_571 * 1_048_559, 3 * 5 * 7, 0x7FFF_FFFF * 3 * 5, 2_097_143 * 2_097_143 * 3] {
        assert_eq!(factorize(n), Err(PqError::MoreThanTwoFactors), "{n}");
    }
}

#[test]
fn primality_agrees_with_trial_division_and_sees_through_pseudoprimes() {
    assert!((0..20_000).all(|n| is_prime(n) == prime_by_division(n)));
    // Strong pseudoprimes to the first bases, a Carmichael number, and neighbours of 2^32 and 2^64.
    let composites =
        [2_047, 3_215_031_751, 4_759_123_141, 3_474_749_660_383, 341_550_071_728_321, 561, u64::MAX];
    assert!(composites.iter().all(|n| !is_prime(*n)));
    assert!([4_294_967_291, 4_294_967_311, 18_446_744_073_709_551_557].iter().all(|n| is_prime(*n)));
}

// rule: HS-03
#[test]
fn random_factors_are_two_different_primes_of_31_bits() {
    let mut random = Seeded::new(1);
    for _ in 0..300 {
        let factors = super::random(&mut random).unwrap();
        assert!(factors.p() < factors.q());
        for prime in [factors.p(), factors.q()] {
            assert_eq!(u64::BITS - prime.leading_zeros(), 31);
            assert!(is_prime(prime));
        }
        assert_eq!(minimal_be(factors.product()).len(), 8);
    }
}

// rule: HS-03
#[test]
fn a_second_prime_equal_to_the_first_is_drawn_again() {
    /// Gives the same bytes twice, then others.
    struct Echo(u32, Seeded);
    impl SecureRandom for Echo {
        fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.fill_secret(out)
        }
        fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.0 += 1;
            if self.0 > 2 {
                return self.1.fill_secret(out);
            }
            let prime = (0x4000_0003_u32 << 1).to_le_bytes();
            out.chunks_mut(4).for_each(|chunk| chunk.copy_from_slice(&prime));
            Ok(())
        }
    }
    assert!(is_prime(0x4000_0003));
    let factors = super::random(&mut Echo(0, Seeded::new(3))).unwrap();
    assert_ne!(factors.p(), factors.q());
}

// rule: HS-03
#[test]
fn each_draw_gives_another_product() {
    let mut random = Seeded::new(2);
    let mut products: Vec<_> = (0..100).map(|_| super::random(&mut random).unwrap().product()).collect();
    products.sort_unstable();
    products.dedup();
    assert_eq!(products.len(), 100);
}

#[test]
fn a_source_that_fails_or_repeats_itself_is_an_error_and_no_endless_loop() {
    assert_eq!(super::random(&mut Failing), Err(RandomError));
    assert_eq!(super::random(&mut Stuck(0x00)), Err(RandomError));
    assert_eq!(super::random(&mut Stuck(0xFF)), Err(RandomError));
}

// rule: HS-01, HS-10
#[test]
fn factors_are_compared_as_numbers_in_order() {
    let factors = factorize(0x17ED_4894_1A08_F981).unwrap();
    let (p, q) = ([0x49, 0x4C, 0x55, 0x3B], [0x53, 0x91, 0x10, 0x73]);
    assert!(factors.are(&p, &q));
    assert!(factors.are(&[&[0; 9], p.as_slice()].concat(), &q));
    assert!(!factors.are(&q, &p));
    assert!(!factors.are(&[1], &0x17ED_4894_1A08_F981_u64.to_be_bytes()));
    assert!(!factors.are(&[&[1; 9], p.as_slice()].concat(), &q));
    assert!(!factors.are(&[], &[]));
}

// rule: HS-08
#[test]
fn numbers_are_written_without_leading_zeros() {
    assert_eq!(minimal_be(0x0102), [1, 2]);
    assert!(minimal_be(0).is_empty());
    assert_eq!(minimal_be(u64::MAX), [0xFF; 8]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn factoring_finds_what_was_drawn(seed in any::<u64>()) {
        let factors = super::random(&mut Seeded::new(seed)).unwrap();
        prop_assert_eq!(factorize(factors.product()), Ok(factors));
    }

    #[test]
    fn numbers_go_there_and_back(n in any::<u64>(), zeros in 0_usize..20) {
        prop_assert_eq!(number(&[vec![0; zeros], minimal_be(n)].concat()), Some(n));
    }
}
