//! Results of jobs: of the right form, and made up.

use dayfly_core::job::{Job, JobResult, Outcome, Work};
use dayfly_crypto::dh::{DhError, PublicValue, SafePrimeGroup};
use dayfly_crypto::{AuthKey, digest};

/// A result without the arithmetic. `how` is 0 for success; `raw` is what RSA is said to have given.
///
/// # Panics
/// Never: what is made up is within its range.
#[must_use]
pub(crate) fn made_up(job: Job, how: u8, raw: &[u8; 256]) -> JobResult {
    let outcome = match (job.work, how % 8) {
        (_, 7) => Outcome::Failed,
        (Work::RsaPrivate { .. }, _) => Outcome::RsaPrivate(Box::new((*raw).into())),
        (Work::NewPair { exponent, .. }, 6) => {
            Outcome::NewPair { exponent, public: Err(DhError::PublicValueTooLow) }
        }
        (Work::NewPair { group, exponent }, _) => {
            let public = Ok(Box::new(public_value(exponent.expose(), &group)));
            Outcome::NewPair { exponent, public }
        }
        (Work::Power { base, exponent, .. }, _) => Outcome::Power { exponent, key: shared_key(&base) },
        (Work::SafePrime { .. }, 5) => Outcome::SafePrime(Err(DhError::NotSafePrime)),
        (Work::SafePrime { .. }, _) => Outcome::SafePrime(Ok(SafePrimeGroup::published())),
    };
    JobResult { id: job.id, outcome }
}

/// The key that [`made_up`] agrees on with whoever sent this value: a scripted peer knows it too.
pub(crate) fn shared_key(public: &PublicValue) -> AuthKey {
    AuthKey::take(&mut expand(&[b"shared", public.bytes()]))
}

/// A public value that follows from `seed` and is in range.
///
/// # Panics
/// If the group's prime is below 2^2047.
#[must_use]
pub(crate) fn public_value(seed: &[u8], group: &SafePrimeGroup) -> PublicValue {
    let mut bytes = expand(&[b"public", seed]);
    bytes[0] = 0x40;
    PublicValue::parse(&bytes, group).expect("a value in the middle of the range")
}

/// 256 bytes that follow from the parts.
#[must_use]
pub(crate) fn expand(parts: &[&[u8]]) -> [u8; 256] {
    let mut block = digest::sha256(parts);
    let mut out = [0; 256];
    for piece in out.chunks_mut(32) {
        piece.copy_from_slice(&block);
        block = digest::sha256(&[&block]);
    }
    out
}
