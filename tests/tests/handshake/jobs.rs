//! Jobs done alone and in batches.

use std::sync::Arc;

use dayfly_core::job::{Job, JobId, JobResult, Outcome, Work, perform_all};
use dayfly_crypto::Exponent;
use dayfly_crypto::dh::{Candidate, DhError, GroupCache, PublicValue, SafePrimeGroup};
use dayfly_crypto::rsa_key::Ciphertext;

use super::support::{private_key, seeded};

/// More of each kind than a batch takes, in turn.
fn jobs(count: u64) -> Vec<Job> {
    let key = private_key();
    let mut random = seeded(5);
    let works = (0..count).map(|number| {
        let exponent = Exponent::draw(256, &mut random).unwrap();
        // Another place for the same group, as two handshakes of one client have.
        let group = SafePrimeGroup::published();
        match number % 3 {
            0 => Work::NewPair { group, exponent },
            1 => {
                let base = group.raise_generator(&[&exponent]).unwrap().pop().unwrap().unwrap();
                Work::Power { group, base: Box::new(base), exponent }
            }
            _ => {
                let block = Ciphertext::parse(&[u8::try_from(number).unwrap(); 256], key.public()).unwrap();
                Work::RsaPrivate { key: Arc::clone(&key), block }
            }
        }
    });
    works.enumerate().map(|(id, work)| Job { id: JobId(100 + id as u64), work }).collect()
}

fn bytes(result: &JobResult) -> Vec<u8> {
    match &result.outcome {
        Outcome::RsaPrivate(raw) => raw.to_vec(),
        Outcome::NewPair { public: Ok(public), exponent } => [public.bytes(), exponent.expose()].concat(),
        Outcome::Power { key, exponent } => [key.expose(), exponent.expose()].concat(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_gives_what_each_job_gives_alone_in_the_same_order() {
    let alone: Vec<_> = jobs(30).into_iter().map(Job::perform).collect();
    let joined = perform_all(jobs(30));
    assert_eq!(alone.len(), joined.len());
    for (one, other) in alone.iter().zip(&joined) {
        assert_eq!((one.id, bytes(one)), (other.id, bytes(other)));
    }
}

// rule: HS-18
#[test]
fn a_prime_that_is_none_comes_back_as_such() {
    let mut prime = *SafePrimeGroup::published().prime();
    prime[255] = prime[255].wrapping_add(24);
    let cache = GroupCache::new();
    let Ok(Candidate::NeedsProof(unproven)) = Candidate::new(&prime, 3, &cache) else {
        panic!("not a candidate");
    };
    let job = Job { id: JobId(1), work: Work::SafePrime { unproven, cache: cache.clone() } };
    let result = perform_all(vec![job]).pop().unwrap();
    assert!(matches!(result.outcome, Outcome::SafePrime(Err(DhError::NotSafePrime))));
    assert!(cache.is_empty());
}

#[test]
fn jobs_and_results_do_not_show_what_they_hold() {
    for job in jobs(3) {
        let name = format!("{job:?}");
        let result = format!("{:?}", job.perform());
        for text in [name, result] {
            assert!(text.contains("(..)") && !text.contains('['), "{text}");
        }
    }
}

// rule: HS-20
#[test]
fn a_public_value_out_of_range_comes_back_as_such() {
    let group = SafePrimeGroup::published();
    let Ok(one) = Exponent::draw(256, &mut super::support::Zeros) else { panic!("zeros") };
    let job = Job { id: JobId(1), work: Work::NewPair { group: Arc::clone(&group), exponent: one } };
    let outcome = job.perform().outcome;
    assert!(matches!(outcome, Outcome::NewPair { public: Err(DhError::PublicValueTooLow), .. }));
    assert!(PublicValue::parse(&[1], &group).is_err());
}
