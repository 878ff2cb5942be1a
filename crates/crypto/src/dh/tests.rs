use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::Stuck;
use crate::{Exponent, RandomError, SecureRandom};

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../../vectors/dh_groups.json")).unwrap()
}

fn prime_named(name: &str) -> Vec<u8> {
    let case = cases().into_iter().find(|case| case["name"] == name).unwrap();
    hex::decode(case["prime"].as_str().unwrap()).unwrap()
}

const GROUP_14: &str = "group 14 of RFC 3526, 2048 bits";

// rule: HS-18, HS-19, HS-39
#[test]
fn group_vectors_pass_or_fail_by_the_check_they_name() {
    let cache = GroupCache::new();
    for case in cases() {
        let prime = hex::decode(case["prime"].as_str().unwrap()).unwrap();
        let g = i32::try_from(case["g"].as_i64().unwrap()).unwrap();
        let failed = SafePrimeGroup::check(&prime, g, &cache).err().map(|error| format!("{error:?}"));
        assert_eq!(failed.as_deref(), case["fails"].as_str(), "{}", case["name"]);
    }
}

// rule: HS-18
#[test]
fn a_prime_of_another_size_is_refused() {
    for name in ["group 5 of RFC 3526, 1536 bits", "group 15 of RFC 3526, 3072 bits"] {
        let outcome = Candidate::new(&prime_named(name), 2, &GroupCache::new());
        assert_eq!(outcome.err(), Some(DhError::PrimeSize), "{name}");
    }
}

// rule: HS-18
#[test]
fn a_known_prime_needs_no_proof_and_an_unknown_one_only_once() {
    let cache = GroupCache::new();
    assert!(matches!(Candidate::new(&known::PUBLISHED, 3, &cache), Ok(Candidate::Proven(_))));
    let prime = prime_named(GROUP_14);
    let Ok(Candidate::NeedsProof(unproven)) = Candidate::new(&prime, 2, &cache) else {
        panic!("the prime is not in the table");
    };
    assert!(cache.is_empty());
    unproven.prove(&cache).unwrap();
    let shared = cache.clone();
    assert!(matches!(Candidate::new(&prime, 2, &shared), Ok(Candidate::Proven(_))));
    // Of a cached prime, g is looked at all the same.
    assert_eq!(Candidate::new(&prime, 8, &shared).err(), Some(DhError::GeneratorRange));
}

// rule: HS-18
#[test]
fn a_refused_prime_is_not_remembered() {
    let cache = GroupCache::new();
    let prime = prime_named("a prime p of 2048 bits whose (p-1)/2 is composite");
    assert_eq!(SafePrimeGroup::check(&prime, 2, &cache).err(), Some(DhError::NotSafePrime));
    assert!(cache.is_empty());
}

#[test]
fn the_cache_forgets_the_oldest_prime_and_keeps_no_copies() {
    let cache = GroupCache::new();
    let primes: Vec<_> = (0..=GroupCache::CAPACITY)
        .map(|index| {
            let mut be = known::PUBLISHED;
            be[1] = index as u8;
            Arc::new(group::Prime { be, modulus: dayfly_modexp::Modulus::new(&be).unwrap() })
        })
        .collect();
    for prime in primes.iter().chain(primes.last()) {
        cache.remember(Arc::clone(prime));
    }
    assert_eq!(cache.len(), GroupCache::CAPACITY);
    assert!(cache.find(&primes[0].be).is_none());
    assert!(primes[1..].iter().all(|prime| cache.find(&prime.be).is_some()));
}

// rule: HS-19
#[test]
fn the_residue_rules_agree_with_eulers_criterion_on_small_safe_primes() {
    let safe = |p: u64| crate::pq::is_prime(p) && crate::pq::is_prime((p - 1) / 2);
    let power = |g: u64, p: u64| (0..(p - 1) / 2).fold(1, |power, _| power * g % p);
    let primes: Vec<_> = (11..6_000).filter(|p| safe(*p)).collect();
    assert!(primes.len() > 50);
    for p in primes {
        for g in 2..=7 {
            assert_eq!(is_residue(g, &p.to_be_bytes()), power(u64::from(g), p) == 1, "g = {g}, p = {p}");
        }
    }
}

/// 2^(2048-64) and dh_prime - 2^(2048-64), the ends of the range.
fn ends() -> ([u8; BYTES], [u8; BYTES]) {
    let (mut low, mut high) = ([0; BYTES], known::PUBLISHED);
    low[7] = 1;
    high[7] -= 1;
    (low, high)
}

/// Adds a small number to the last bytes, or takes it away.
fn moved(mut value: [u8; BYTES], by: i8) -> [u8; BYTES] {
    let mut rest = i32::from(by);
    for byte in value.iter_mut().rev() {
        let sum = i32::from(*byte) + rest;
        *byte = sum.rem_euclid(256) as u8;
        rest = sum.div_euclid(256);
    }
    value
}

// rule: HS-20
#[test]
fn a_value_below_the_range_is_refused() {
    let group = SafePrimeGroup::published();
    let (low, _) = ends();
    for value in [&[] as &[u8], &[0], &[1], &[3], &moved(low, -1)] {
        assert_eq!(PublicValue::parse(value, &group), Err(DhError::PublicValueTooLow));
    }
}

// rule: HS-20
#[test]
fn a_value_above_the_range_is_refused() {
    let group = SafePrimeGroup::published();
    let (_, high) = ends();
    let prime = known::PUBLISHED;
    for value in [moved(high, 1), moved(prime, -1), prime, moved(prime, 1), [0xFF; BYTES]] {
        assert_eq!(PublicValue::parse(&value, &group), Err(DhError::PublicValueTooHigh));
    }
    assert_eq!(PublicValue::parse(&[1; 257], &group), Err(DhError::PublicValueTooHigh));
}

// rule: HS-20
#[test]
fn the_ends_of_the_range_belong_to_it() {
    let group = SafePrimeGroup::published();
    let (low, high) = ends();
    for value in [low, moved(low, 1), moved(high, -1), high] {
        assert_eq!(PublicValue::parse(&value, &group).unwrap().bytes(), &value);
    }
}

// rule: HS-01
#[test]
fn numbers_are_taken_with_and_without_leading_zeros() {
    let group = SafePrimeGroup::published();
    let (low, _) = ends();
    let expected = PublicValue::parse(&low, &group).unwrap();
    assert_eq!(PublicValue::parse(&low[7..], &group).unwrap(), expected);
    assert_eq!(PublicValue::parse(&[&[0; 40], low.as_slice()].concat(), &group).unwrap(), expected);
}

/// Gives big-endian exponents of a single small digit.
struct Digit(u8);

impl SecureRandom for Digit {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_secret(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0);
        if let Some(last) = out.last_mut() {
            *last = self.0;
        }
        Ok(())
    }
}

// rule: HS-24
#[test]
fn a_key_keeps_its_leading_zeros() {
    let group = SafePrimeGroup::published();
    let (low, _) = ends();
    let value = PublicValue::parse(&low, &group).unwrap();
    let one = Exponent::draw(256, &mut Digit(1)).unwrap();
    let keys = group.shared_keys(&[(&value, &one)]).unwrap();
    assert_eq!(keys[0].expose(), &low);
}

// rule: HS-20
#[test]
fn our_own_value_out_of_range_is_told() {
    let group = SafePrimeGroup::published();
    let [one, long] = [Digit(1), Digit(2)].map(|mut digit| Exponent::draw(2048, &mut digit).unwrap());
    let fine = Exponent::draw(2048, &mut Stuck(0x5A)).unwrap();
    let values = group.raise_generator(&[&one, &fine, &long]).unwrap();
    let low = Err(DhError::PublicValueTooLow);
    assert_eq!((&values[0], &values[2]), (&low, &low));
    assert!(values[1].is_ok());
}

// rule: HS-24
#[test]
fn both_sides_arrive_at_one_key_whatever_the_batch() {
    let group = SafePrimeGroup::published();
    let secrets: Vec<_> = (1..=8).map(|seed| Exponent::draw(2048, &mut Stuck(seed * 29)).unwrap()).collect();
    let values: Vec<_> = group.raise_generator(&secrets.iter().collect::<Vec<_>>()).unwrap();
    let values: Vec<_> = values.into_iter().map(Result::unwrap).collect();
    let there: Vec<_> = values.iter().zip(secrets.iter().rev()).collect();
    let back: Vec<_> = values.iter().rev().zip(&secrets).collect();
    let (ours, theirs) = (group.shared_keys(&there).unwrap(), group.shared_keys(&back).unwrap());
    for (our, their) in ours.iter().zip(&theirs) {
        assert_eq!(our.expose(), their.expose());
    }
    assert_eq!(group.shared_keys(&there[..1]).unwrap()[0].expose(), ours[0].expose());
}

proptest! {
    #[test]
    fn exactly_the_values_of_the_range_are_taken(
        top in any::<[u8; 8]>(),
        near in any::<bool>(),
        rest in any::<u8>(),
    ) {
        let mut value = known::PUBLISHED;
        value[..8].copy_from_slice(&top);
        if near {
            // Beside the ends, where the top eight bytes alone decide.
            value[..7].copy_from_slice(if rest % 2 == 0 { &[0; 7] } else { &known::PUBLISHED[..7] });
            value[8] = rest;
        }
        let (low, high) = ends();
        let inside = value >= low && value <= high;
        prop_assert_eq!(PublicValue::parse(&value, &SafePrimeGroup::published()).is_ok(), inside);
    }
}
