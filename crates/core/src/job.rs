//! The costly work of the key exchange, given out by the machines and done wherever the caller likes.
//!
//! A job owns its secrets: an exponent or a decrypted block moves in, moves out with the result, exists once and is
//! wiped on drop. A machine that no longer wants a result (its run ended) drops it.

use core::fmt;
use std::sync::Arc;

use dayfly_crypto::dh::{DhError, GroupCache, PublicValue, SafePrimeGroup, Unproven};
use dayfly_crypto::modexp::BATCH;
use dayfly_crypto::rsa_key::{Ciphertext, PrivateKey};
use dayfly_crypto::{AuthKey, Exponent};
use zeroize::Zeroizing;

/// Names a job within the machine that gave it out.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct JobId(pub u64);

/// A piece of work and its name.
#[derive(Debug)]
pub struct Job {
    /// Comes back with the result. Who joins the jobs of several machines may renumber them on the way.
    pub id: JobId,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done.
pub enum Work {
    /// The raw RSA private-key operation.
    RsaPrivate {
        /// The key.
        key: Arc<PrivateKey>,
        /// `encrypted_data`.
        block: Ciphertext,
    },
    /// `g^exponent mod dh_prime`: g_a or g_b.
    NewPair {
        /// The group.
        group: Arc<SafePrimeGroup>,
        /// a or b.
        exponent: Exponent,
    },
    /// `base^exponent mod dh_prime`: auth_key.
    Power {
        /// The group.
        group: Arc<SafePrimeGroup>,
        /// The peer's g_a or g_b. Boxed: 256 bytes are much for an enum.
        base: Box<PublicValue>,
        /// a or b.
        exponent: Exponent,
    },
    /// The proof that an unknown dh_prime is a safe prime.
    SafePrime {
        /// What is to be proven.
        unproven: Unproven,
        /// Where a proven one is remembered.
        cache: GroupCache,
    },
}

/// What became of a job.
#[derive(Debug)]
pub struct JobResult {
    /// The job's name.
    pub id: JobId,
    /// What came out.
    pub outcome: Outcome,
}

/// What came out of a job.
pub enum Outcome {
    /// Of [`Work::RsaPrivate`]: the 256 raw bytes.
    RsaPrivate(Box<Zeroizing<[u8; 256]>>),
    /// Of [`Work::NewPair`].
    NewPair {
        /// The exponent, moved back.
        exponent: Exponent,
        /// g^exponent, or which end of the range it is beyond: then another exponent must be drawn.
        public: Result<Box<PublicValue>, DhError>,
    },
    /// Of [`Work::Power`].
    Power {
        /// The exponent, moved back.
        exponent: Exponent,
        /// base^exponent.
        key: AuthKey,
    },
    /// Of [`Work::SafePrime`]: the group, or why it is none.
    SafePrime(Result<Arc<SafePrimeGroup>, DhError>),
    /// The arithmetic library failed (out of memory, a key that fails its own check). Says nothing of the peer.
    Failed,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaPrivate { .. } => "RsaPrivate(..)",
            Self::NewPair { .. } => "NewPair(..)",
            Self::Power { .. } => "Power(..)",
            Self::SafePrime { .. } => "SafePrime(..)",
        })
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaPrivate(_) => "RsaPrivate(..)",
            Self::NewPair { .. } => "NewPair(..)",
            Self::Power { .. } => "Power(..)",
            Self::SafePrime(_) => "SafePrime(..)",
            Self::Failed => "Failed",
        })
    }
}

impl Job {
    /// Does this job alone.
    #[must_use]
    pub fn perform(self) -> JobResult {
        let outcome = Batch::of(self.work).perform().pop().unwrap_or(Outcome::Failed);
        JobResult { id: self.id, outcome }
    }
}

/// Does several jobs: those of one kind under one key or group are joined into batches of up to eight, of which the
/// arithmetic makes what pays (today two at a time). The results come in the order of the jobs.
#[must_use]
pub fn perform_all(jobs: Vec<Job>) -> Vec<JobResult> {
    let mut batches: Vec<(Vec<Place>, Batch)> = Vec::new();
    for (index, Job { id, work }) in jobs.into_iter().enumerate() {
        let place = Place { index, id };
        if let Err(work) = join_any(&mut batches, place, work) {
            batches.push((vec![place], Batch::of(work)));
        }
    }
    let mut results: Vec<(Place, Outcome)> =
        batches.into_iter().flat_map(|(places, batch)| places.into_iter().zip(batch.perform())).collect();
    results.sort_by_key(|(place, _)| place.index);
    results.into_iter().map(|(place, outcome)| JobResult { id: place.id, outcome }).collect()
}

/// Where a job stood among all, and its name.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    id: JobId,
}

fn join_any(batches: &mut [(Vec<Place>, Batch)], place: Place, work: Work) -> Result<(), Work> {
    batches
        .iter_mut()
        .try_fold(work, |work, (places, batch)| match batch.join(work) {
            Ok(()) => {
                places.push(place);
                Err(())
            }
            Err(work) => Ok(work),
        })
        .map_or(Ok(()), Err)
}

/// Work that is done together. Moving it copies no secret: exponents are boxed.
enum Batch {
    RsaPrivate { key: Arc<PrivateKey>, blocks: Vec<Ciphertext> },
    NewPair { group: Arc<SafePrimeGroup>, exponents: Vec<Exponent> },
    Power { group: Arc<SafePrimeGroup>, pairs: Vec<(Box<PublicValue>, Exponent)> },
    SafePrime { unproven: Unproven, cache: GroupCache },
}

impl Batch {
    fn of(work: Work) -> Self {
        match work {
            Work::RsaPrivate { key, block } => Self::RsaPrivate { key, blocks: vec![block] },
            Work::NewPair { group, exponent } => Self::NewPair { group, exponents: vec![exponent] },
            Work::Power { group, base, exponent } => Self::Power { group, pairs: vec![(base, exponent)] },
            Work::SafePrime { unproven, cache } => Self::SafePrime { unproven, cache },
        }
    }

    /// Takes the work into this batch, or gives it back if it does not fit.
    fn join(&mut self, work: Work) -> Result<(), Work> {
        match (self, work) {
            (Self::RsaPrivate { key, blocks }, Work::RsaPrivate { key: other, block })
                if Arc::ptr_eq(key, &other) && blocks.len() < BATCH =>
            {
                blocks.push(block);
            }
            (Self::NewPair { group, exponents }, Work::NewPair { group: other, exponent })
                if same(group, &other) && exponents.len() < BATCH =>
            {
                exponents.push(exponent);
            }
            (Self::Power { group, pairs }, Work::Power { group: other, base, exponent })
                if same(group, &other) && pairs.len() < BATCH =>
            {
                pairs.push((base, exponent));
            }
            (_, work) => return Err(work),
        }
        Ok(())
    }

    /// One outcome for each work that was taken in.
    fn perform(self) -> Vec<Outcome> {
        match self {
            Self::RsaPrivate { key, blocks } => rsa_private(&key, &blocks),
            Self::NewPair { group, exponents } => new_pairs(&group, exponents),
            Self::Power { group, pairs } => powers(&group, pairs),
            Self::SafePrime { unproven, cache } => vec![Outcome::SafePrime(unproven.prove(&cache))],
        }
    }
}

/// Handshakes of one process may hold the same group in different places.
fn same(one: &SafePrimeGroup, other: &SafePrimeGroup) -> bool {
    one.g() == other.g() && one.prime() == other.prime()
}

fn rsa_private(key: &PrivateKey, blocks: &[Ciphertext]) -> Vec<Outcome> {
    let Ok(results) = key.raw(&blocks.iter().collect::<Vec<_>>()) else {
        return failed(blocks.len());
    };
    let outcome = |raw: &[u8]| {
        let mut block = Box::new(Zeroizing::new([0; 256]));
        block.iter_mut().zip(raw).for_each(|(to, from)| *to = *from);
        Outcome::RsaPrivate(block)
    };
    results.iter().map(outcome).collect()
}

fn new_pairs(group: &SafePrimeGroup, exponents: Vec<Exponent>) -> Vec<Outcome> {
    let Ok(values) = group.raise_generator(&exponents.iter().collect::<Vec<_>>()) else {
        return failed(exponents.len());
    };
    let pairs = exponents.into_iter().zip(values);
    pairs.map(|(exponent, public)| Outcome::NewPair { exponent, public: public.map(Box::new) }).collect()
}

fn powers(group: &SafePrimeGroup, pairs: Vec<(Box<PublicValue>, Exponent)>) -> Vec<Outcome> {
    let lent: Vec<_> = pairs.iter().map(|(base, exponent)| (&**base, exponent)).collect();
    let Ok(keys) = group.shared_keys(&lent) else {
        return failed(pairs.len());
    };
    let done = pairs.into_iter().zip(keys);
    done.map(|((_, exponent), key)| Outcome::Power { exponent, key }).collect()
}

fn failed(count: usize) -> Vec<Outcome> {
    core::iter::repeat_with(|| Outcome::Failed).take(count).collect()
}
